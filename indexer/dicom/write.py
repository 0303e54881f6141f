"""MR images as DICOM files: classic instances or one Enhanced MR instance.

Only what the simulator needs: uncompressed or run-length coded, one channel,
PS3.3 A.4 (MR Image) and A.36.2 (Enhanced MR Image). Every file says in
Manufacturer, InstitutionName, ImageType and ImageComments that it is simulated.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
)

from indexer.dicom.visit import Image, Series, Visit

MANUFACTURER = "CineSeek simulator"
INSTITUTION = "Simulated data, no hospital"
COMMENT = "Simulated heart, not a patient"
IMPLEMENTATION = UID("2.25.143926117458271836650120385523177713404")


def write_classic(folder: Path, visit: Visit, series: Series, names: Sequence[str]) -> None:
    """Write one file per image into `folder`, named by `names`."""
    dataset = _common(visit, series, MRImageStorage)
    dataset.ImageType = list(series.image_type)
    dataset.update(_acquisition(series))
    for image, number, name in zip(series.images, series.numbers, names, strict=True):
        dataset.SOPInstanceUID = image.instance_uid
        dataset.InstanceNumber = number
        _set_place(dataset, image)
        _set_time(dataset, visit, image)
        if series.dynamic:
            dataset.TemporalPositionIdentifier = image.phase_index + 1
        _set_pixels(dataset, [image.pixels], series)
        _save(dataset, folder / name, compressed=series.compressed)


def write_enhanced(folder: Path, visit: Visit, series: Series, name: str) -> None:
    """Write all images of a series as the frames of one Enhanced MR instance."""
    dataset = _common(visit, series, EnhancedMRImageStorage)
    first = series.images[0]
    dataset.SOPInstanceUID = first.instance_uid
    dataset.InstanceNumber = 1
    dataset.NumberOfFrames = len(series.images)
    dataset.ImageType = list(series.image_type[:4])
    dataset.ComplexImageComponent = "MAGNITUDE"
    dataset.AcquisitionContrast = series.weighting
    dataset.AcquisitionDateTime = visit.study_date + _clock(visit, first.taken_s)
    dataset.CardiacSynchronizationTechnique = _gating(series)
    dataset.SharedFunctionalGroupsSequence = [_shared_groups(series)]
    dataset.PerFrameFunctionalGroupsSequence = [
        _frame_groups(visit, series, image) for image in series.images
    ]
    _set_pixels(dataset, [image.pixels for image in series.images], series)
    _save(dataset, folder / name, compressed=series.compressed)


def _gating(series: Series) -> str:
    """Return CardiacSynchronizationTechnique (0018,9037)."""
    if series.images[0].rr_ms is None:
        return "NONE"
    return "PROSPECTIVE" if series.dynamic else "RETROSPECTIVE"


def _common(visit: Visit, series: Series, sop_class: UID) -> Dataset:
    """Patient, study, series, equipment and the fixed part of the image, PS3.3 C.7."""
    d = Dataset()
    d.SpecificCharacterSet = "ISO_IR 192"
    d.SOPClassUID = sop_class
    d.StudyDate = d.SeriesDate = d.ContentDate = d.AcquisitionDate = visit.study_date
    d.StudyTime = visit.study_time
    d.SeriesTime = _clock(visit, series.images[0].taken_s)
    d.AccessionNumber = visit.accession
    d.Modality = "MR"
    d.Manufacturer = MANUFACTURER
    d.InstitutionName = INSTITUTION
    d.ManufacturerModelName = visit.model
    d.SoftwareVersions = visit.software
    d.StudyDescription = visit.description
    d.SeriesDescription = series.description
    d.PatientName = visit.patient_name
    d.PatientID = visit.patient_id
    d.PatientBirthDate = visit.birth_date
    d.PatientSex = visit.sex
    d.PatientAge = f"{visit.age_years:03d}Y"
    d.PatientSize = f"{visit.height_m:.2f}"
    d.PatientWeight = f"{visit.weight_kg:.0f}"
    d.BodyPartExamined = "HEART"
    d.MagneticFieldStrength = visit.field_strength_t
    d.ProtocolName = series.protocol
    d.PatientPosition = "HFS"
    d.StudyInstanceUID = visit.study_uid
    d.SeriesInstanceUID = series.uid
    d.SeriesNumber = series.number
    d.FrameOfReferenceUID = visit.frame_of_reference_uid
    d.ImageComments = COMMENT
    d.BurnedInAnnotation = "NO"
    d.LossyImageCompression = "00"
    if series.contrast:
        d.ContrastBolusAgent = "GADOLINIUM (SIMULATED)"
    for keyword, value in series.attributes.items():
        setattr(d, keyword, value)
    return d


def _acquisition(series: Series) -> Dataset:
    """The MR Image module's constants of a classic series, PS3.3 C.8.3.1."""
    d = Dataset()
    d.MRAcquisitionType = "2D"
    d.SliceThickness = f"{series.thickness_mm:g}"
    d.RepetitionTime = f"{series.tr_ms:g}"
    d.EchoTime = f"{series.te_ms:g}"
    d.FlipAngle = f"{series.flip_deg:g}"
    d.PixelSpacing = [f"{series.pixel_mm:g}"] * 2
    if series.ti_ms is not None:
        d.InversionTime = f"{series.ti_ms:g}"
    if series.gap_mm is not None:
        d.SpacingBetweenSlices = f"{series.gap_mm:g}"
    moments = 1 + max(image.phase_index for image in series.images)
    if series.dynamic:
        d.NumberOfTemporalPositions = moments
    elif series.images[0].rr_ms is not None:
        d.CardiacNumberOfImages = moments
    if series.slope is not None:
        d.RescaleSlope, d.RescaleIntercept = f"{series.slope:g}", f"{series.intercept:g}"
        d.RescaleType = series.unit
    return d


def _set_place(d: Dataset, image: Image) -> None:
    d.ImagePositionPatient = _decimals(image.position_mm)
    d.ImageOrientationPatient = _decimals((*image.row, *image.column))
    normal = np.cross(image.row, image.column)
    d.SliceLocation = f"{float(np.dot(normal, image.position_mm)):.4f}"


def _set_time(d: Dataset, visit: Visit, image: Image) -> None:
    d.AcquisitionTime = d.ContentTime = _clock(visit, image.taken_s)
    if image.trigger_ms is None or image.rr_ms is None:
        return
    d.TriggerTime = f"{image.trigger_ms:.1f}"
    d.NominalInterval = round(image.rr_ms)
    d.LowRRValue, d.HighRRValue = round(0.9 * image.rr_ms), round(1.1 * image.rr_ms)
    d.HeartRate = round(60000 / image.rr_ms)


def _set_pixels(d: Dataset, frames: list[NDArray[np.uint16]], series: Series) -> None:
    d.SamplesPerPixel = 1
    d.PhotometricInterpretation = "MONOCHROME2"
    d.Rows, d.Columns = frames[0].shape
    d.BitsAllocated, d.BitsStored, d.HighBit = 16, series.bits_stored, series.bits_stored - 1
    d.PixelRepresentation = 0
    d.PixelData = b"".join(frame.astype("<u2").tobytes() for frame in frames)


def _shared_groups(series: Series) -> Dataset:
    """Functional groups that hold for every frame, PS3.3 C.7.6.16 and C.8.13.5."""
    measures = Dataset()
    measures.PixelSpacing = [f"{series.pixel_mm:g}"] * 2
    measures.SliceThickness = f"{series.thickness_mm:g}"
    if series.gap_mm is not None:
        measures.SpacingBetweenSlices = f"{series.gap_mm:g}"
    timing = Dataset()
    timing.RepetitionTime = f"{series.tr_ms:g}"
    timing.FlipAngle = f"{series.flip_deg:g}"
    echo = Dataset()
    echo.EffectiveEchoTime = series.te_ms
    modifier = Dataset()
    modifier.InversionRecovery = "NO" if series.ti_ms is None else "YES"
    if series.ti_ms is not None:
        modifier.InversionTimes = [series.ti_ms]
    groups = Dataset()
    groups.PixelMeasuresSequence = [measures]
    groups.MRTimingAndRelatedParametersSequence = [timing]
    groups.MREchoSequence = [echo]
    groups.MRModifierSequence = [modifier]
    return groups


def _frame_groups(visit: Visit, series: Series, image: Image) -> Dataset:
    """Functional groups of one frame."""
    content = Dataset()
    content.StackID = "1"
    content.InStackPositionNumber = image.slice_index + 1
    content.TemporalPositionIndex = image.phase_index + 1
    content.FrameAcquisitionDateTime = visit.study_date + _clock(visit, image.taken_s)
    content.FrameReferenceDateTime = content.FrameAcquisitionDateTime
    position, orientation = Dataset(), Dataset()
    position.ImagePositionPatient = _decimals(image.position_mm)
    orientation.ImageOrientationPatient = _decimals((*image.row, *image.column))
    kind = Dataset()
    kind.FrameType = list(series.image_type[:4])
    kind.ComplexImageComponent = "MAGNITUDE"
    groups = Dataset()
    groups.FrameContentSequence = [content]
    groups.PlanePositionSequence = [position]
    groups.PlaneOrientationSequence = [orientation]
    groups.MRImageFrameTypeSequence = [kind]
    if image.trigger_ms is not None and image.rr_ms is not None:
        beat = Dataset()
        beat.NominalCardiacTriggerDelayTime = round(image.trigger_ms, 3)
        beat.RRIntervalTimeNominal = round(image.rr_ms, 3)
        groups.CardiacSynchronizationSequence = [beat]
    if series.slope is not None:
        values = Dataset()
        values.RescaleSlope, values.RescaleIntercept = f"{series.slope:g}", f"{series.intercept:g}"
        values.RescaleType = series.unit
        groups.PixelValueTransformationSequence = [values]
    return groups


def _save(dataset: Dataset, path: Path, *, compressed: bool) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    dataset.file_meta = meta
    if compressed:
        dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)


def _clock(visit: Visit, seconds: float) -> str:
    """A time of day as DICOM's TM, `seconds` after the study's start."""
    start = visit.study_time
    base = int(start[:2]) * 3600 + int(start[2:4]) * 60 + int(start[4:6])
    total = base + seconds
    whole = int(total)
    micro = int((total - whole) * 1e6)
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{micro:06d}"


def _decimals(values: Sequence[float]) -> list[str]:
    """Decimal strings of at most 16 characters (VR DS)."""
    return [f"{value:.7f}"[:16] for value in values]
