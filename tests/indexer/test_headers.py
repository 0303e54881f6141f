"""What headers say, and what is made of nonsense."""

import numpy as np
import pydicom
import pytest
from pydicom import config
from pydicom.uid import ImplicitVRLittleEndian

from indexer.dicom.headers import identify, read_header
from retrieval.errors import UnreadableFile
from tests.indexer.dicom_files import enhanced, item, items, mr, save

ORIENTATION = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def written_raw(dataset, path, **texts):
    """Write values that pydicom would refuse to write."""
    with config.disable_value_validation():
        for keyword, text in texts.items():
            tag = pydicom.datadict.tag_for_keyword(keyword)
            vr = pydicom.datadict.dictionary_VR(tag)
            raw = text.encode()
            dataset[tag] = pydicom.dataelem.RawDataElement(
                pydicom.tag.Tag(tag), vr, len(raw), raw, 0, False, True
            )
        return save(dataset, path)


def frame_of(dataset, path):
    [frame] = read_header(save(dataset, path)).frames
    return frame


def test_classic_image(tmp_path):
    dataset = mr(
        PixelSpacing=[1.5, 1.25],
        SliceThickness=8,
        ImagePositionPatient=[1, 2, 3],
        ImageOrientationPatient=ORIENTATION,
        TriggerTime=41.5,
        AcquisitionTime="101112.500000",
        ContentTime="101113",
        TemporalPositionIdentifier=3,
        CardiacNumberOfImages=25,
        NominalInterval=900,
        HeartRate=66,
        RepetitionTime=3.2,
        EchoTime=1.4,
        InversionTime=280,
        FlipAngle=45,
        ImageType=["ORIGINAL", "PRIMARY", "M", "ND"],
        SequenceName="*tfi2d1_15",
        ScanningSequence="GR",
        SequenceVariant=["SK", "SP"],
        ScanOptions="",
        ComplexImageComponent="MAGNITUDE",
        SeriesDescription=" cine sax ",
        ProtocolName="tf2d",
        RescaleSlope=2,
        RescaleIntercept=-5,
        RescaleType="US",
        PhotometricInterpretation="MONOCHROME1",
        ContrastBolusAgent="Gadovist",
    )
    path = tmp_path / "a"
    frame = frame_of(dataset, path)
    assert (frame.file, frame.index, frame.instance_number) == (path, 0, 1)
    assert frame.instance_uid == dataset.SOPInstanceUID
    assert (frame.rows, frame.columns, frame.spacing_mm) == (3, 4, (1.5, 1.25))
    assert (frame.thickness_mm, frame.position_mm) == (8, (1, 2, 3))
    assert frame.orientation == tuple(ORIENTATION)
    assert frame.trigger_ms == 41.5
    assert frame.acquired_ms == ((10 * 60 + 11) * 60 + 12.5) * 1000
    assert frame.content_ms == ((10 * 60 + 11) * 60 + 13) * 1000
    assert (frame.temporal_position, frame.phase_count) == (3, 25)
    assert (frame.rr_ms, frame.heart_rate_bpm) == (900, 66)
    assert (frame.tr_ms, frame.te_ms, frame.ti_ms, frame.flip_deg) == (3.2, 1.4, 280, 45)
    assert frame.image_type == ("ORIGINAL", "PRIMARY", "M", "ND")
    assert frame.sequence == ("*TFI2D1_15", "GR", "SK", "SP")
    assert frame.complex_component == "MAGNITUDE"
    assert (frame.series_description, frame.protocol_name) == ("cine sax", "tf2d")
    assert (frame.slope, frame.intercept, frame.unit) == (2, -5, "")
    assert frame.monochrome1
    assert frame.contrast is True
    assert not frame.tagging
    assert not frame.velocity_encoding


def test_silent_header(tmp_path):
    frame = frame_of(mr(), tmp_path / "a")
    known = {"file", "index", "instance_uid", "instance_number", "rows", "columns"}
    empty = {"slope": 1.0, "intercept": 0.0, "velocity_encoding": False, "tagging": False}
    empty |= {"monochrome1": False}
    for name in frame.__slots__:
        if name not in known:
            assert getattr(frame, name) in (None, "", (), empty.get(name)), name


@pytest.mark.parametrize(
    ("keyword", "text", "field"),
    [
        ("TriggerTime", "soon", "trigger_ms"),
        ("TriggerTime", "nan", "trigger_ms"),
        ("TriggerTime", "inf", "trigger_ms"),
        ("RepetitionTime", "-1", "tr_ms"),
        ("RepetitionTime", "", "tr_ms"),
        ("InversionTime", "0", "ti_ms"),
        ("FlipAngle", "4000", "flip_deg"),
        ("PixelSpacing", "1.5", "spacing_mm"),
        ("PixelSpacing", "1.5\\x", "spacing_mm"),
        ("PixelSpacing", "0\\0", "spacing_mm"),
        ("ImagePositionPatient", "1\\2", "position_mm"),
        ("ImagePositionPatient", "1\\2\\1e300", "position_mm"),
        ("ImagePositionPatient", "1\\2\\nan", "position_mm"),
        ("ImageOrientationPatient", "1\\0\\0\\1\\0\\0", "orientation"),
        ("ImageOrientationPatient", "0\\0\\0\\0\\0\\0", "orientation"),
        ("ImageOrientationPatient", "2\\0\\0\\0\\2\\0", "orientation"),
        ("InstanceNumber", "1.5", "instance_number"),
        ("NominalInterval", "0", "rr_ms"),
        ("AcquisitionTime", "251112", "acquired_ms"),
        ("AcquisitionTime", "0832", "acquired_ms"),
        ("ContentTime", "unknown", "content_ms"),
    ],
)
def test_nonsense_is_none(tmp_path, keyword, text, field):
    path = written_raw(mr(), tmp_path / "a", **{keyword: text})
    [frame] = read_header(path).frames
    assert getattr(frame, field) is None


def test_the_old_way_to_write_a_time(tmp_path):
    path = written_raw(mr(), tmp_path / "a", ContentTime="10:11:13.25")
    [frame] = read_header(path).frames
    assert frame.content_ms == ((10 * 60 + 11) * 60 + 13.25) * 1000


@pytest.mark.parametrize("slope", ["0", "nan", "x", ""])
def test_slope_without_meaning_is_one(tmp_path, slope):
    path = written_raw(mr(RescaleIntercept=7), tmp_path / "a", RescaleSlope=slope)
    [frame] = read_header(path).frames
    assert (frame.slope, frame.intercept) == (1.0, 0.0)


def functional_groups(**groups):
    return item(**{name: items(group) for name, group in groups.items()})


def test_enhanced_image(tmp_path):
    pixels = np.zeros((3, 4, 5), np.uint16)
    shared = functional_groups(
        PixelMeasuresSequence=item(PixelSpacing=[2, 1], SliceThickness=6),
        PlaneOrientationSequence=item(ImageOrientationPatient=ORIENTATION),
        MRTimingAndRelatedParametersSequence=item(RepetitionTime=2.8, FlipAngle=50),
        MREchoSequence=item(EffectiveEchoTime=1.1),
        MRModifierSequence=item(InversionTimes=[300.0], Tagging="GRID"),
        MRImageFrameTypeSequence=item(
            FrameType=["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"], ComplexImageComponent="PHASE"
        ),
        PixelValueTransformationSequence=item(
            RescaleSlope=3, RescaleIntercept=-4, RescaleType="ms"
        ),
        CardiacSynchronizationSequence=item(RRIntervalTimeNominal=850.0),
    )
    own = [
        functional_groups(
            PlanePositionSequence=item(ImagePositionPatient=[0, 0, 10 * k]),
            CardiacSynchronizationSequence=item(
                NominalCardiacTriggerDelayTime=20.0 * k, RRIntervalTimeNominal=800.0 + k
            ),
            FrameContentSequence=item(
                TemporalPositionIndex=k + 1, FrameAcquisitionDateTime=f"2020010110000{k}.5+0100"
            ),
        )
        for k in range(2)
    ]
    dataset = enhanced(
        pixels,
        shared=shared,
        frames=[*own, item()],
        AcquisitionDateTime="20200101090000",
        ContrastBolusAgentSequence=items(item(ContrastBolusAgent="Gd")),
        SeriesDescription="cine",
    )
    frames = read_header(save(dataset, tmp_path / "a")).frames
    assert [f.index for f in frames] == [0, 1, 2]
    assert {f.instance_uid for f in frames} == {dataset.SOPInstanceUID}
    assert [f.position_mm for f in frames] == [(0, 0, 0), (0, 0, 10), None]
    assert [f.trigger_ms for f in frames] == [0, 20, None]
    assert [f.temporal_position for f in frames] == [1, 2, None]
    assert [f.rr_ms for f in frames] == [800, 801, 850]  # the shared group fills the gap
    nine, ten = 9 * 3600_000, 10 * 3600_000
    assert [f.acquired_ms for f in frames] == [ten + 500, ten + 1500, nine]
    for f in frames:
        assert (f.spacing_mm, f.thickness_mm, f.orientation) == ((2, 1), 6, tuple(ORIENTATION))
        assert (f.tr_ms, f.te_ms, f.ti_ms, f.flip_deg) == (2.8, 1.1, 300, 50)
        assert f.tagging
        assert f.image_type == ("ORIGINAL", "PRIMARY", "CARDIAC", "NONE")
        assert f.complex_component == "PHASE"
        assert (f.slope, f.intercept, f.unit) == (3, -4, "ms")
        assert f.contrast is True
        assert f.series_description == "cine"


def test_classic_image_with_an_empty_functional_group(tmp_path):
    """As Sunnybrook's files have it."""
    dataset = mr(PerFrameFunctionalGroupsSequence=items(item()), TriggerTime=5)
    assert frame_of(dataset, tmp_path / "a").trigger_ms == 5


def test_classic_multi_frame(tmp_path):
    dataset = mr(np.zeros((4, 3, 3), np.uint16), NumberOfFrames=4, TriggerTime=9)
    frames = read_header(save(dataset, tmp_path / "a")).frames
    assert [f.index for f in frames] == [0, 1, 2, 3]
    assert [f.temporal_position for f in frames] == [1, 2, 3, 4]
    assert [f.trigger_ms for f in frames] == [9, 9, 9, 9]


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ({"FrameTime": 30}, [0, 30, 60]),
        ({"FrameTime": 30, "TriggerTime": 5}, [5, 35, 65]),
        ({"FrameTimeVector": [0, 20, 25], "FrameTime": 30}, [0, 20, 45]),
        ({"FrameTimeVector": [0, 20]}, [None, None, None]),
        ({"FrameTime": 0}, [None, None, None]),
    ],
)
def test_times_of_a_classic_multi_frame(tmp_path, timing, expected):
    dataset = mr(np.zeros((3, 3, 3), np.uint16), NumberOfFrames=3, **timing)
    frames = read_header(save(dataset, tmp_path / "a")).frames
    assert [f.trigger_ms for f in frames] == expected


def mapping(slope, intercept=0.0, unit="ms"):
    code = item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit)
    return item(
        RealWorldValueSlope=slope,
        RealWorldValueIntercept=intercept,
        MeasurementUnitsCodeSequence=items(code),
    )


@pytest.mark.parametrize(
    ("mapped", "expected"),
    [
        ([mapping(0.5, 10.0)], (0.5, 10.0, "ms")),
        ([mapping(0.5, 10.0, "1")], (0.5, 10.0, "")),
        ([mapping(0.5, 10.0, "DOE^JANE")], (0.5, 10.0, "")),
        ([item(), mapping(2.0)], (2.0, 0.0, "ms")),  # the first is a table, not a line
        ([item()], (7.0, 1.0, "")),
        ([mapping(0.0, 3.0)], (7.0, 1.0, "")),
    ],
)
def test_real_world_values_win_over_rescale(tmp_path, mapped, expected):
    dataset = mr(RescaleSlope=7, RescaleIntercept=1, RealWorldValueMappingSequence=items(*mapped))
    frame = frame_of(dataset, tmp_path / "a")
    assert (frame.slope, frame.intercept, frame.unit) == expected


def test_velocity_encoding_by_the_standard(tmp_path):
    assert frame_of(mr(PhaseContrast="YES"), tmp_path / "a").velocity_encoding
    group = functional_groups(MRVelocityEncodingSequence=item(VelocityEncodingMaximumValue=150.0))
    dataset = enhanced(np.zeros((1, 3, 4), np.uint16), shared=group, frames=[item()])
    assert frame_of(dataset, tmp_path / "b").velocity_encoding


@pytest.mark.parametrize(
    ("creator", "group", "element", "vr", "value", "encoded"),
    [
        ("SIEMENS MR HEADER", 0x51, 0x14, "SH", "v150in", True),
        ("SIEMENS MR HEADER", 0x51, 0x14, "SH", "", False),
        ("GEMS_ACQU_01", 0x19, 0xCC, "SS", 1500, True),
        ("GEMS_ACQU_01", 0x19, 0xCC, "SS", 0, False),
        ("Philips Imaging DD 001", 0x2001, 0x1A, "FL", [0.0, 0.0, 200.0], True),
        ("Philips Imaging DD 001", 0x2001, 0x1A, "FL", [0.0, 0.0, 0.0], False),
        ("SOMEBODY ELSE", 0x19, 0xCC, "SS", 1500, False),
    ],
)
def test_velocity_encoding_by_vendors(tmp_path, creator, group, element, vr, value, encoded):
    dataset = mr()
    dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    assert frame_of(dataset, tmp_path / "a").velocity_encoding is encoded


@pytest.mark.parametrize(
    ("said", "contrast"),
    [
        ({}, None),
        ({"ContrastBolusAgent": ""}, None),
        ({"ContrastBolusAgent": "none"}, False),
        ({"ContrastBolusAgent": "DOTAREM"}, True),
        ({"ContrastBolusVolume": 0}, None),
        ({"ContrastBolusVolume": 12}, True),
    ],
)
def test_contrast(tmp_path, said, contrast):
    assert frame_of(mr(**said), tmp_path / "a").contrast is contrast


def test_facts_of_the_study(tmp_path):
    dataset = mr(
        AccessionNumber="A7",
        IssuerOfPatientID="HOSPITAL",
        PatientSex="F",
        PatientAge="061Y",
        PatientSize=1.7,
        PatientWeight=70,
        StudyDate="20210304",
        Manufacturer="ACME",
        ManufacturerModelName="One",
        SoftwareVersions=["14", "MX", "x 14.0"],
        MagneticFieldStrength=1.5,
    )
    path = written_raw(dataset, tmp_path / "a", PatientBirthDate="00000000")
    facts = read_header(path).facts
    assert (facts.patient_id, facts.issuer, facts.patient_name) == ("P1", "HOSPITAL", "DOE^JANE")
    assert (facts.accession, facts.study_date, facts.birth_date) == ("A7", "20210304", "00000000")
    assert (facts.age, facts.sex, facts.height_m, facts.weight_kg) == ("061Y", "F", 1.7, 70)
    assert (facts.manufacturer, facts.model) == ("ACME", "One")
    assert facts.software == "14; MX; x 14.0"
    assert facts.field_strength_t == 1.5


@pytest.mark.parametrize(("written", "tesla"), [(3, 3), (15000, 1.5), (0, None), (50, None)])
def test_field_strength(tmp_path, written, tesla):
    path = save(mr(MagneticFieldStrength=written), tmp_path / "a")
    assert read_header(path).facts.field_strength_t == tesla


@pytest.mark.parametrize(("keyword", "value"), [("PatientSize", 170), ("PatientWeight", 0)])
def test_bodies_that_nobody_has(tmp_path, keyword, value):
    facts = read_header(save(mr(**{keyword: value}), tmp_path / "a")).facts
    assert (facts.height_m, facts.weight_kg) == (None, None)


@pytest.mark.parametrize("implicit", [False, True])
def test_identifiers_at_any_depth(tmp_path, implicit):
    deep = item(
        RequestedProcedureComments="ask DR^DEEP",
        ReferencedStudySequence=items(item(PatientName="OLD^NAME", ReferringPhysicianName="Q^R")),
    )
    dataset = mr(
        OperatorsName=["OP^ONE", "OP^TWO"],
        InstitutionName="Clinic",
        PatientAddress="Road 1",
        OtherPatientIDs=["X1", "X2"],
        StationName="MR7",
        DerivationDescription="nobody's name",
        RequestAttributesSequence=items(deep),
    )
    dataset.PatientName = "ALPHA^A=漢^字"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    path = save(dataset, tmp_path / "a", *([ImplicitVRLittleEndian] if implicit else []))
    found = read_header(path).identifiers
    assert found == {
        *("P1", "ALPHA^A", "漢^字", "OP^ONE", "OP^TWO", "Clinic", "Road 1", "X1", "X2", "MR7"),
        *("ask DR^DEEP", "OLD^NAME", "Q^R"),
    }


def test_pydicom_says_nothing(tmp_path, caplog, recwarn):
    """Its warnings quote values; `filterwarnings = error` would raise them, too."""
    path = written_raw(mr(), tmp_path / "a", StudyDate="JANE DOE", SeriesDescription="x" * 99)
    read_header(path)
    assert not caplog.records
    assert not recwarn.list


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_instance_without_a_uid(tmp_path, keyword):
    path = save(mr(**{keyword: ""}), tmp_path / "a")
    with pytest.raises(UnreadableFile, match=f"DICOM without {keyword}"):
        identify(path)


def test_identity(tmp_path):
    dataset = mr()
    found = identify(save(dataset, tmp_path / "a"))
    assert found.study_uid == dataset.StudyInstanceUID
    assert found.series_uid == dataset.SeriesInstanceUID
    assert found.instance_uid == dataset.SOPInstanceUID


def test_a_deflated_bomb_is_refused(tmp_path, monkeypatch):
    path = save(mr(), tmp_path / "a", pydicom.uid.DeflatedExplicitVRLittleEndian)
    assert read_header(path).frames
    monkeypatch.setattr("indexer.dicom.parsing.MAX_INFLATED", 100)
    with pytest.raises(UnreadableFile, match="inflates to more than"):
        read_header(path)
