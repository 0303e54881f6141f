"""Structured reports become text; their files count as used."""

from pathlib import Path

import pydicom
import pytest
from pydicom.uid import BasicTextSRStorage, KeyObjectSelectionDocumentStorage

from indexer.dicom.sr import text_of
from indexer.sources import read_study
from indexer.sources.folder import find
from tests.indexer.dicom_files import item, items, mr, save, uid

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"


def code(meaning):
    return items(item(CodeValue="1", CodingSchemeDesignator="99X", CodeMeaning=meaning))


def container(name, *children):
    return item(
        ValueType="CONTAINER", ConceptNameCodeSequence=code(name), ContentSequence=items(*children)
    )


def text(name, value):
    return item(ValueType="TEXT", ConceptNameCodeSequence=code(name), TextValue=value)


def number(name, value, unit):
    units = items(item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit))
    measured = item(NumericValue=value, MeasurementUnitsCodeSequence=units)
    return item(
        ValueType="NUM",
        ConceptNameCodeSequence=code(name),
        MeasuredValueSequence=items(measured),
    )


TREE = container(
    "MR Cardiac Report",
    item(ValueType="PNAME", ConceptNameCodeSequence=code("Reader"), PersonName="SEEN^BY"),
    container(
        "Findings",
        text("Finding", "The left ventricle is dilated.\nNo effusion."),
        number("Ejection fraction", "31", "%"),
        number("Mass index", "1.2", "1"),
        item(
            ValueType="CODE",
            ConceptNameCodeSequence=code("Severity"),
            ConceptCodeSequence=code("severe"),
        ),
        text("Findings", "said under its own heading"),
    ),
    container("Impression", item(ValueType="TEXT", TextValue="Dilated cardiomyopathy.")),
    item(ValueType="IMAGE"),
)

EXPECTED = """MR Cardiac Report:

Findings:
Finding: The left ventricle is dilated.
No effusion.
Ejection fraction: 31 %
Mass index: 1.2
Severity: severe
said under its own heading

Impression:
Dilated cardiomyopathy."""


def document(**attributes):
    dataset = mr(
        SOPClassUID=BasicTextSRStorage,
        Modality="SR",
        series="sr",
        AccessionNumber="A7",
        number=9,
        **attributes,
    )
    del dataset.PixelData
    dataset.update(TREE)
    return dataset


def test_text_in_the_order_of_the_tree():
    assert text_of(TREE) == EXPECTED


def test_a_report_beside_its_images(tmp_path):
    save(mr(number=1), tmp_path / "image")
    path = save(document(), tmp_path / "report")
    [study] = find([tmp_path]).studies
    raw = read_study(study)
    [report] = raw.reports
    assert (report.study_uid, report.accession) == (uid("study"), "A7")
    assert (report.text, report.where) == (EXPECTED, str(path))
    assert [f.unused for f in raw.files] == ["", ""]
    assert raw.accession == "A7"
    assert "SEEN^BY" in raw.identifiers
    refused = {s.modality: (s.refused_as, s.refusal) for s in raw.series}
    assert refused == {"MR": ("", ""), "SR": ("excluded", "report, not images")}


def test_a_report_without_text_is_unused(tmp_path):
    empty = document()
    del empty.ContentSequence
    del empty.ConceptNameCodeSequence
    save(empty, tmp_path / "a")
    [study] = find([tmp_path]).studies
    raw = read_study(study)
    assert raw.reports == ()
    assert [f.unused for f in raw.files] == ["structured report without text"]


def test_a_key_object_selection_is_no_report(tmp_path):
    selection = document()
    selection.SOPClassUID, selection.Modality = KeyObjectSelectionDocumentStorage, "KO"
    save(selection, tmp_path / "a")
    [study] = find([tmp_path]).studies
    raw = read_study(study)
    assert raw.reports == ()
    assert [f.unused for f in raw.files] == ["not MR: KO"]


def test_a_tree_without_end():
    deep = text("Finding", "at the bottom")
    for _ in range(5000):
        deep = item(ValueType="CONTAINER", ContentSequence=items(deep))
    assert text_of(deep) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reportsi.dcm", ["Document Title:", "\n\nSection Heading:\nReport Text: Enter text"]),
        ("test-SR.dcm", ["Diagnosis:", "Diameter: 3 cm"]),
    ],
)
def test_bundled_reports(name, words):
    found = text_of(pydicom.dcmread(BUNDLED / name))
    for word in words:
        assert word in found
