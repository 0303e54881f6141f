"""DICOM files for tests, written with pydicom alone."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)


def uid(*parts: object) -> str:
    return str(generate_uid(entropy_srcs=[str(p) for p in parts]))


def item(**attributes: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def items(*datasets: Dataset) -> Sequence:
    return Sequence(datasets)


def mr(pixels: np.ndarray | None = None, *, study="study", series="series", number=1, **attributes):
    """A classic MR image of 16-bit pixels; attributes set to None are left out."""
    if pixels is None:
        pixels = np.arange(12, dtype=np.uint16).reshape(3, 4) + 100 * number
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    standard = {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": uid(study, series, number),
        "StudyInstanceUID": uid(study),
        "SeriesInstanceUID": uid(study, series),
        "Modality": "MR",
        "PatientID": "P1",
        "PatientName": "DOE^JANE",
        "InstanceNumber": number,
        "Rows": pixels.shape[-2],
        "Columns": pixels.shape[-1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 8 * pixels.itemsize,
        "BitsStored": 8 * pixels.itemsize,
        "HighBit": 8 * pixels.itemsize - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelData": pixels.tobytes(),
    }
    for keyword, value in (standard | attributes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OW" if pixels.itemsize > 1 else "OB"
    return dataset


def enhanced(pixels: np.ndarray, *, shared: Dataset, frames: list[Dataset], **attributes):
    """An Enhanced MR image: (frames, rows, columns) pixels and their functional groups."""
    return mr(
        pixels,
        SOPClassUID=EnhancedMRImageStorage,
        NumberOfFrames=len(pixels),
        SharedFunctionalGroupsSequence=items(shared),
        PerFrameFunctionalGroupsSequence=items(*frames),
        **attributes,
    )


def save(dataset: Dataset, path: Path, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """Write a dataset as a Part 10 file; pixels are in that syntax's byte order already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID") or MRImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID") or "1.2.3"
    dataset.save_as(path, enforce_file_format=True)
    return path
