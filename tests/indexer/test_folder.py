"""Finding studies: every file is seen once and accounted for."""

import os
import pickle
import zipfile
from collections import Counter
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import MediaStorageDirectoryStorage

from indexer.sources import read_study
from indexer.sources.folder import DUPLICATE, Found, find
from indexer.sources.sniff import sniff
from retrieval.errors import ArchiveNotFound
from tests.indexer.dicom_files import mr, save, uid

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"


def files_of(found: Found):
    return [*found.loose, *(f for study in found.studies for f in study.files)]


def test_any_layout_any_name(tmp_path):
    save(mr(study="a", number=1), tmp_path / "deep" / "er" / "IM0001")
    save(mr(study="a", number=2), tmp_path / "x.jpeg")
    save(mr(study="b", number=1), tmp_path / "deep" / "ünïcode name.dcm")
    found = find([tmp_path])
    assert {s.uid: len(s.files) for s in found.studies} == {uid("a"): 2, uid("b"): 1}
    assert [s.uid for s in found.studies] == sorted([uid("a"), uid("b")])
    assert found.loose == ()
    one = found.studies[0].files[0]
    assert one.size == one.path.stat().st_size
    assert one.modified_ns == one.path.stat().st_mtime_ns


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"\x1f\x8b\x08rest", "gzip file"),
        (b"%PDF-1.7", "PDF document"),
        (b"study,report\n1,\xc3\xa4\n", "text file"),
        (b"\x02\x00", "not DICOM"),
        (b"\x02\x00\x10\x00UI", "not DICOM"),
        (bytes(range(256)) * 9, "not DICOM"),
        (bytes(128) + b"DICM", "DICOM without StudyInstanceUID"),
    ],
)
def test_what_is_not_an_image(tmp_path, content, reason):
    (tmp_path / "f").write_bytes(content)
    found = find([tmp_path])
    assert found.studies == ()
    [file] = found.loose
    assert (file.unused, file.size) == (reason, len(content))


def test_a_dicomdir(tmp_path):
    dataset = mr()
    dataset.SOPClassUID = MediaStorageDirectoryStorage
    save(dataset, tmp_path / "DICOMDIR")
    [file] = find([tmp_path]).loose
    assert file.unused == "DICOMDIR, an index of other files"


def test_a_data_set_without_preamble(tmp_path):
    path = save(mr(), tmp_path / "a")
    path.write_bytes(path.read_bytes()[132:])
    assert len(find([tmp_path]).studies) == 1


def test_duplicates(tmp_path):
    for name in ("c", "a", "b"):
        save(mr(), tmp_path / name)
    [study] = find([tmp_path]).studies
    assert [(f.path.name, f.unused) for f in study.files] == [
        ("a", ""),
        ("b", DUPLICATE),
        ("c", DUPLICATE),
    ]
    raw = read_study(study)
    assert len(raw.series[0].frames) == 1
    assert [f.unused for f in raw.files] == ["", DUPLICATE, DUPLICATE]


def test_a_series_of_nothing_but_duplicates(tmp_path):
    save(mr(study="a"), tmp_path / "a")
    copy = mr(study="b", SOPInstanceUID=uid("a", "series", 1))
    save(copy, tmp_path / "b")
    raw = {s.uid: read_study(s) for s in find([tmp_path]).studies}[uid("b")]
    [series] = raw.series
    assert (series.refused_as, series.refusal) == ("excluded", DUPLICATE)


def test_what_is_found_travels_between_processes(tmp_path):
    save(mr(), tmp_path / "a")
    found = find([tmp_path])
    assert pickle.loads(pickle.dumps(found)) == found
    raw = read_study(found.studies[0])
    assert pickle.loads(pickle.dumps(raw)) == raw


def test_links(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    save(mr(number=1), inside / "a")
    save(mr(number=2), outside / "b")
    (inside / "loop").symlink_to(inside)
    (inside / "way").symlink_to(outside)
    (inside / "broken").symlink_to(tmp_path / "nothing")
    found = find([inside, inside / "way", inside / "a"])
    assert [f.path.name for f in found.studies[0].files] == ["a", "b"]
    assert [(f.path.name, f.unused) for f in found.loose] == [
        ("broken", "cannot be opened: No such file or directory")
    ]


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    [file] = find([tmp_path]).loose
    assert file.unused == "not a regular file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    save(mr(), tmp_path / "secret").chmod(0)
    found = find([tmp_path])
    (tmp_path / "closed").chmod(0o700)
    assert [f.unused for f in found.loose] == [
        "folder cannot be listed: Permission denied",
        "cannot be opened: Permission denied",
    ]


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    save(mr(), tmp_path / "open" / "a")
    listed = Path.iterdir

    def refuse(path):
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    found = find([tmp_path])
    assert [f.unused for f in found.loose] == ["folder cannot be listed: Permission denied"]
    assert len(found.studies) == 1


def test_no_such_folder(tmp_path):
    with pytest.raises(ArchiveNotFound, match=r"there is no .*nowhere"):
        find([tmp_path, tmp_path / "nowhere"])


def test_order_of_roots_and_processes_change_nothing(tmp_path):
    for number in range(300):
        save(mr(study=number % 7, number=number), tmp_path / f"{number % 3}" / f"{number}")
    (tmp_path / "1" / "note").write_text("nothing")
    roots = [tmp_path / name for name in "012"]
    calls: list[tuple[int, int]] = []
    one = find(roots, progress=lambda done, total: calls.append((done, total)))
    assert find(roots[::-1], workers=2) == one
    assert len(files_of(one)) == 301
    assert calls[-1] == (301, 301)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_files_bundled_with_pydicom(tmp_path):
    """Every kind of oddity at once, with files that are no DICOM at all."""
    (tmp_path / "random").write_bytes(os.urandom(5000))
    (tmp_path / "note.txt").write_text("patient list")
    (tmp_path / "empty").touch()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x", "y")
    found = find([tmp_path, BUNDLED])
    files = files_of(found)
    on_disk = [p for p in [*tmp_path.rglob("*"), *BUNDLED.rglob("*")] if p.is_file()]
    assert sorted(f.path for f in files) == sorted(on_disk)
    assert all(f.unused for f in found.loose)
    reasons = Counter(f.unused for f in found.loose)
    for reason in ("empty file", "zip archive", "DICOMDIR, an index of other files"):
        assert reasons[reason] >= 1
    for study in found.studies:
        raw = read_study(study)
        assert [f.path for f in raw.files] == [f.path for f in study.files]
        used = {f.file for s in raw.series for f in s.frames} | {Path(r.where) for r in raw.reports}
        assert used == {f.path for f in raw.files if not f.unused}
        for series in raw.series:
            assert bool(series.frames) == (series.refusal == "")
            assert bool(series.refusal) == bool(series.refused_as)


MR = (BUNDLED / "MR_small.dcm").read_bytes()
SR = (BUNDLED / "reportsi.dcm").read_bytes()
DEFLATED = (BUNDLED / "image_dfl.dcm").read_bytes()
IMPLICIT = (BUNDLED / "rtplan.dcm").read_bytes()


@st.composite
def broken_files(draw):
    content = bytearray(draw(st.sampled_from([MR, SR, DEFLATED, IMPLICIT])))
    for _ in range(draw(st.integers(0, 12))):
        place = draw(st.integers(0, min(len(content), 3000) - 1))
        content[place] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))])


@settings(deadline=None, max_examples=250)
@given(st.binary(max_size=400) | broken_files())
def test_no_content_raises(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "broken"
    path.write_bytes(content)
    file = sniff(path)
    assert bool(file.unused) != bool(file.study_uid)
    for study in find([path]).studies:
        raw = read_study(study)
        assert [f.path for f in raw.files] == [path]
        for series in raw.series:
            assert bool(series.frames) == (series.refusal == "")
