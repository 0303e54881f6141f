"""NIfTI in the layout of the ACDC challenge (Bernard et al., IEEE TMI 2018;37:2514).

One folder per patient: ``patient001_frame01.nii.gz`` (a stack at one phase),
``patient001_4d.nii.gz``, ``*_gt.nii.gz`` (expert masks) and ``Info.cfg``. The
affines say nothing of the patient's orientation.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Image
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from indexer.raw import Frame, RawFile, RawSeries, RawStudy
from retrieval.errors import UnreadableFile
from retrieval.values.study import State

_NAME = re.compile(r"^(patient\d+)_frame(\d+)\.nii(\.gz)?$", re.IGNORECASE)
_OF_PATIENT = re.compile(r"^(patient\d+)_(frame\d+|frame\d+_gt|4d)\.nii(\.gz)?$", re.IGNORECASE)
_NUMBER = re.compile(r"^\d{1,4}(\.\d+)?$")
_MAX_VOXELS = 1 << 26
"""A stack of 256 slices of 512 x 512; a few kilobytes of gzip can claim far more."""

_ERRORS = (
    ArithmeticError,
    EOFError,
    HeaderDataError,
    ImageFileError,
    OSError,
    ValueError,
    zlib.error,
)
"""What nibabel raises on malformed files."""


def is_nifti(path: Path) -> bool:
    """Say whether a file's name claims NIfTI."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def is_companion(path: Path) -> bool:
    """Say whether a file is an ACDC patient's Info.cfg."""
    return path.name == "Info.cfg" and any(_OF_PATIENT.match(p.name) for p in path.parent.iterdir())


def identify(file: RawFile) -> RawFile:
    """Give an ACDC file its place: patient, one series, one instance per file.

    Raises
    ------
    UnreadableFile
        No stack that can be read, or not named as in ACDC.
    """
    name = _OF_PATIENT.match(file.path.name)
    if name is None:
        raise UnreadableFile("NIfTI outside the ACDC layout (patientNNN_frameNN.nii.gz)")
    patient, what = name.group(1).lower(), name.group(2).lower()
    placed = replace(
        file,
        study_uid=patient,
        series_uid=f"{patient}.1",
        instance_uid=f"{patient}_{what}",
    )
    if what.endswith("_gt"):
        return replace(placed, unused="mask, not an image")
    if what == "4d":
        return replace(placed, unused="four-dimensional copy of the frames beside it")
    _open(file.path)
    return placed


def read_study(uid: str, files: Sequence[RawFile]) -> RawStudy:
    """Describe an ACDC patient: every slice of every phase file is a frame."""
    marked: list[RawFile] = []
    frames: list[Frame] = []
    for file in files:
        try:
            frames.extend([] if file.unused else _frames(file))
            marked.append(file)
        except UnreadableFile as error:
            marked.append(replace(file, unused=error.reason))
    about = _about(uid, files)
    refusal = "" if frames else marked[0].unused
    series = RawSeries(
        uid=files[0].series_uid,
        modality="MR",
        sop_class="",
        frames=tuple(frames),
        refusal=refusal,
        refused_as=State.FAILED.value if refusal else "",
    )
    return RawStudy(
        uid=uid,
        patient_id=uid,
        height_m=_within(about.get("height"), 20, 270, scale=0.01),
        weight_kg=_within(about.get("weight"), 0.3, 600),
        identifiers=(uid,),
        oriented=False,
        series=(series,),
        files=tuple(marked),
    )


def read_frames(path: Path, indices: Sequence[int]) -> list[NDArray[np.generic]]:
    """Read slices of a phase file, in the order asked for.

    NIfTI keeps (x, y, z); an image is (rows, columns) = (y, x).

    Returns
    -------
    list of (rows, columns) arrays
        Stored values before slope and intercept. The caller owns them.

    Raises
    ------
    UnreadableFile
        Truncated or broken data, or no such slice.
    """
    image = _open(path)
    try:
        volume = np.asanyarray(_proxy(image).get_unscaled())
    except _ERRORS as error:
        raise UnreadableFile(f"NIfTI data cannot be read ({type(error).__name__})") from error
    beyond = [i for i in indices if not 0 <= i < volume.shape[2]]
    if beyond:
        raise UnreadableFile(f"holds {volume.shape[2]} slices; slice {beyond[0]} was asked for")
    native = volume.astype(volume.dtype.newbyteorder("="), copy=False)
    return [np.ascontiguousarray(native[:, :, i].T) for i in indices]


def _open(path: Path) -> Nifti1Image:
    """Open a stack of slices, header only, or raise UnreadableFile."""
    try:
        image = nib.load(path)  # pyright: ignore[reportPrivateImportUsage]
    except _ERRORS as error:
        raise UnreadableFile(f"not a valid NIfTI file ({type(error).__name__})") from error
    if not isinstance(image, Nifti1Image):
        raise UnreadableFile(f"not a NIfTI file but {type(image).__name__}")
    if len(image.shape) != 3:
        raise UnreadableFile(f"not a stack of slices: shape {image.shape}")
    columns, rows, slices = image.shape
    if not (columns * rows > 1 and slices > 0 and columns * rows * slices <= _MAX_VOXELS):
        raise UnreadableFile(f"impossible size of a stack of slices: {image.shape}")
    voxel = np.dtype(image.get_data_dtype())
    if voxel.kind not in "iuf":
        raise UnreadableFile(f"voxels are not numbers but {voxel}")
    zooms = image.header.get_zooms()
    if not all(1e-3 < mm < 1e3 for mm in zooms):
        raise UnreadableFile(f"impossible voxel size {tuple(map(float, zooms))}")
    return image


def _proxy(image: Nifti1Image) -> ArrayProxy:
    """Return the array on disk; `nib.load` never gives any other kind."""
    if not isinstance(image.dataobj, ArrayProxy):
        raise TypeError(f"expected an array on disk, not {type(image.dataobj).__name__}")
    return image.dataobj


def _frames(file: RawFile) -> list[Frame]:
    """Describe the slices of a phase file, the first at the origin of a frame of its own."""
    image = _open(file.path)
    proxy, (columns, rows, slices) = _proxy(image), image.shape
    across, down, apart = (float(mm) for mm in image.header.get_zooms())
    return [
        Frame(
            file=file.path,
            index=index,
            instance_uid=file.instance_uid,
            rows=rows,
            columns=columns,
            spacing_mm=(down, across),
            position_mm=(0.0, 0.0, index * apart),
            orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
            temporal_position=_phase(file.path),
            slope=float(proxy.slope),
            intercept=float(proxy.inter),
        )
        for index in range(slices)
    ]


def _phase(path: Path) -> int:
    """Return NN of patientNNN_frameNN: the phase's number in the whole cine."""
    name = _NAME.match(path.name)
    if name is None:
        raise UnreadableFile("not named patientNNN_frameNN.nii.gz")
    return int(name.group(2))


_WANTED = frozenset({"height", "weight"})
"""What is read of Info.cfg, which also holds the diagnosis: only an evaluation may see that."""


def _about(uid: str, files: Sequence[RawFile]) -> dict[str, float]:
    """Read height (cm) and weight (kg) beside a patient's frames, where they are given."""
    folder = files[0].path.parent
    try:
        others = {m.group(1).lower() for p in folder.iterdir() if (m := _OF_PATIENT.match(p.name))}
        lines = (folder / "Info.cfg").read_text("utf-8", "replace").splitlines()
    except OSError:  # absent, or closed to us: then finding has said so of the file itself
        return {}
    if others != {uid}:
        return {}
    pairs = (line.partition(":") for line in lines)
    wanted = ((key.strip().lower(), value) for key, _, value in pairs)
    found: dict[str, float] = {}
    for key, value in wanted:
        if key in _WANTED and _NUMBER.match(value.strip()):
            found[key] = float(value)
    return found


def _within(value: float | None, low: float, high: float, *, scale: float = 1.0) -> float | None:
    return value * scale if value is not None and low <= value <= high else None
