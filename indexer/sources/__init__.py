"""Where studies come from: folders of DICOM files, of NIfTI files, or of both."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.dicom import pixels
from indexer.raw import Frame, RawStudy
from indexer.sources import dicom, nifti
from indexer.sources.folder import StudyFiles


def read_study(study: StudyFiles) -> RawStudy:
    """Read every header of a study, and no pixels.

    A file that turns out unreadable is marked unused in the result; nothing
    that a file holds raises.
    """
    if any(nifti.is_nifti(file.path) for file in study.files):
        return nifti.read_study(study.uid, study.files)
    return dicom.read_study(study.uid, study.files)


def read_frames(frames: Sequence[Frame]) -> list[NDArray[np.generic]]:
    """Read the stored values of frames, opening each file once.

    Returns
    -------
    list of (rows, columns) arrays
        In the order of `frames`, before slope and intercept.

    Raises
    ------
    MissingCodec, UnusableSeries, UnreadableFile
        As `indexer.dicom.pixels.read_frames`.
    """
    by_file: defaultdict[Path, list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        by_file[frame.file].append(place)
    images: dict[int, NDArray[np.generic]] = {}
    for path, places in by_file.items():
        read = nifti.read_frames if nifti.is_nifti(path) else pixels.read_frames
        found = read(path, [frames[place].index for place in places])
        images.update(zip(places, found, strict=True))
    return [images[place] for place in range(len(frames))]
