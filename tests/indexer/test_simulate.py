"""Simulated archives are genuine DICOM, say what they are, and are the same every time."""

import hashlib
import json
import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage
from typer.testing import CliRunner

from indexer.cli import app
from indexer.phantoms.scanners import SCANNERS, Scanner
from indexer.plan import plan_study
from indexer.raw import RawSeries
from indexer.simulate import REPORTS, STYLES, TRUTHS, write_archive
from indexer.sources import read_study
from indexer.sources.folder import find
from retrieval.errors import UsageError
from retrieval.phantom.contrasts import USUAL
from retrieval.values.study import State, Technique

STUDIES = 4
SEED = 6
"""With this seed the first four studies come from the four makes of scanner."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    write_archive(folder, studies=STUDIES, seed=SEED, every_technique=True)
    return folder


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".jsonl")


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def headers(folder: Path) -> list[Dataset]:
    return [pydicom.dcmread(p, stop_before_pixels=True) for p in files(folder)]


def by_series(datasets: list[Dataset]) -> dict[str, list[Dataset]]:
    series = defaultdict(list)
    for d in datasets:
        series[d.SeriesInstanceUID].append(d)
    return series


def classic_stacks(archive: Path) -> list[list[Dataset]]:
    """Short-axis cine or LGE stacks written as one classic series."""
    return [
        group
        for group in by_series(headers(archive)).values()
        if "SpacingBetweenSlices" in group[0]
        and len({tuple(d.ImagePositionPatient) for d in group}) > 3
    ]


def normal(d: Dataset) -> np.ndarray:
    o = np.array(d.ImageOrientationPatient, float)
    return np.cross(o[:3], o[3:])


def test_every_file_says_that_it_is_simulated(archive: Path) -> None:
    seen = headers(archive)
    assert len(seen) > 100 * (STUDIES - 1)
    for d in seen:
        assert d.Manufacturer == "CineSeek simulator"
        assert "Simulated" in d.InstitutionName
        assert d.ImageType[0] == "DERIVED"
        assert "SIMULATED" in d.ImageType or d.SOPClassUID == EnhancedMRImageStorage
        assert "Simulated" in d.ImageComments
        assert str(d.PatientName).startswith("SIMULATED^")


def test_the_styles_of_all_scanners_occur(archive: Path) -> None:
    models = {d.ManufacturerModelName for d in headers(archive)}
    assert models == {s.model for s in SCANNERS}


def test_instances_are_unique_and_studies_are_whole(archive: Path) -> None:
    seen = headers(archive)
    assert len({d.SOPInstanceUID for d in seen}) == len(seen)
    assert len({d.StudyInstanceUID for d in seen}) == STUDIES
    for d in seen:
        assert d.SOPInstanceUID.is_valid
        assert d.SeriesInstanceUID.is_valid
    for group in by_series(seen).values():
        assert len({d.StudyInstanceUID for d in group}) == 1
        numbers = sorted(int(d.InstanceNumber) for d in group)
        assert numbers == list(range(1, len(group) + 1))


def test_stacks_have_the_geometry_that_they_claim(archive: Path) -> None:
    stacks = classic_stacks(archive)
    assert stacks
    for group in stacks:
        n = normal(group[0])
        assert np.linalg.norm(n) == pytest.approx(1, abs=1e-5)
        assert abs(n[0]) < 0.9
        assert abs(n[2]) < 0.8
        places = sorted(
            {round(float(n @ np.array(d.ImagePositionPatient, float)), 3) for d in group}
        )
        gaps = np.diff(places)
        assert 8 <= len(places) <= 13
        assert np.allclose(gaps, float(group[0].SpacingBetweenSlices), atol=0.01)
        offsets = [np.array(d.ImagePositionPatient, float) for d in group]
        lateral = np.array([o - (n @ o) * n for o in offsets])
        assert np.ptp(lateral, axis=0).max() < 0.01


def test_phases_of_each_slice_fill_one_beat(archive: Path) -> None:
    checked = 0
    for group in classic_stacks(archive):
        slices = defaultdict(list)
        for d in group:
            slices[tuple(d.ImagePositionPatient)].append(d)
        for members in slices.values():
            if len(members) == 1:
                continue
            times = sorted(float(d.TriggerTime) for d in members)
            beat = float(members[0].NominalInterval)
            assert len(set(times)) == len(members) == members[0].CardiacNumberOfImages
            assert 18 <= len(members) <= 32
            assert 0.8 * beat < times[-1] < beat
            assert np.allclose(np.diff(times), np.mean(np.diff(times)), atol=0.2)
            checked += 1
    assert checked >= 8


def test_enhanced_instances_place_and_time_every_frame(archive: Path) -> None:
    checked = 0
    for d in headers(archive):
        if d.SOPClassUID != EnhancedMRImageStorage:
            continue
        frames = d.PerFrameFunctionalGroupsSequence
        assert len(frames) == d.NumberOfFrames
        content = [f.FrameContentSequence[0] for f in frames]
        slices = {c.InStackPositionNumber for c in content}
        phases = {c.TemporalPositionIndex for c in content}
        assert len({(c.InStackPositionNumber, c.TemporalPositionIndex) for c in content}) == len(
            frames
        )
        assert len(frames) == len(slices) * len(phases)
        orientation = np.array(frames[0].PlaneOrientationSequence[0].ImageOrientationPatient, float)
        n = np.cross(orientation[:3], orientation[3:])
        for frame, c in zip(frames, content, strict=True):
            place = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
            first = np.array(frames[0].PlanePositionSequence[0].ImagePositionPatient, float)
            measures = d.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
            gap = float(measures.SpacingBetweenSlices)
            assert abs(n @ (place - first)) == pytest.approx(
                gap * (c.InStackPositionNumber - 1), abs=0.01
            )
            beat = frame.CardiacSynchronizationSequence[0]
            assert 0 <= beat.NominalCardiacTriggerDelayTime < beat.RRIntervalTimeNominal
        checked += 1
    assert checked >= 1


def test_the_indexer_sees_the_views_and_techniques_that_were_acquired(archive: Path) -> None:
    """Also without descriptions, which here only say what the right answer is.

    Every make of scanner writes every technique.
    """
    names = {
        s.model: {name + more: key for key, name in s.names.items() for more in added(s)}
        for s in SCANNERS
    }
    checked = set()
    for found in find([archive], workers=1).studies:
        raw = read_study(found)
        told = {s.uid: names[raw.model].get(s.frames[0].series_description) for s in raw.series}
        blank = replace(raw, series=tuple(without_words(s) for s in raw.series))
        plan = plan_study(blank)
        assert plan.state is State.INDEXED
        for series in plan.series:
            acquired = told[series.uid]
            if acquired is None:
                assert series.technique is Technique.LOCALISER
            elif series.clips:
                assert (series.technique, series.view) == acquired
                checked.add((raw.model, series.technique))
            else:
                assert "pair" in series.reason
    assert checked == {(s.model, technique) for s in SCANNERS for technique in USUAL}


def added(scanner: Scanner) -> tuple[str, ...]:
    return ("", *scanner.passes.values())


def without_words(series: RawSeries) -> RawSeries:
    frames = tuple(replace(f, series_description="", protocol_name="") for f in series.frames)
    return replace(series, frames=frames)


def test_pixels_decode_and_hold_a_heart(archive: Path) -> None:
    for path in files(archive)[:: max(1, len(files(archive)) // 60)]:
        d = pydicom.dcmread(path)
        pixels = d.pixel_array
        assert pixels.shape[-2:] == (d.Rows, d.Columns)
        assert pixels.max() < 2**d.BitsStored
        signed = "PSIR" in d.ImageType
        mapped = any("MAP" in word for word in d.ImageType)
        dark, bright = np.percentile(pixels, (5, 98))
        assert bright > 4 * max(dark, 1) or signed or mapped


def test_reports_and_truths_belong_to_the_studies(archive: Path) -> None:
    uids = {d.StudyInstanceUID: d for d in headers(archive)}
    reports, truths = lines(archive / REPORTS), lines(archive / TRUTHS)
    assert [r["study_uid"] for r in reports] == [t["study_uid"] for t in truths]
    assert {r["study_uid"] for r in reports} == set(uids)
    for report, truth in zip(reports, truths, strict=True):
        d = uids[report["study_uid"]]
        assert report["accession"] == d.AccessionNumber
        assert len(report["text"]) > 80
        assert truth["sex"] == d.PatientSex
        assert f"{truth['age_years']:03d}Y" == d.PatientAge
        assert truth["height_cm"] == pytest.approx(100 * float(d.PatientSize))


def test_the_same_seed_writes_the_same_bytes_and_resumes(archive: Path, tmp_path: Path) -> None:
    shutil.copytree(archive, tmp_path / "again")
    names = sorted(p.name for p in archive.iterdir() if p.is_dir())
    shutil.rmtree(tmp_path / "again" / names[1])
    half = tmp_path / "again" / f".{names[1]}.unfinished"
    half.mkdir()
    (half / "half").write_bytes(b"of a study")
    (tmp_path / "again" / REPORTS).unlink()
    before = (tmp_path / "again" / names[0]).stat().st_mtime_ns
    write_archive(tmp_path / "again", studies=STUDIES, seed=SEED, workers=2, every_technique=True)
    assert digest(tmp_path / "again") == digest(archive)
    assert (tmp_path / "again" / names[0]).stat().st_mtime_ns == before


def test_more_studies_extend_an_archive_and_another_seed_is_refused(tmp_path: Path) -> None:
    write_archive(tmp_path, studies=1, seed=2)
    first = digest(tmp_path)
    with pytest.raises(UsageError, match="not of this simulated archive"):
        write_archive(tmp_path, studies=1, seed=3)
    assert digest(tmp_path) == first


def test_reports_can_be_in_other_words_over_the_same_images(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(archive, folder)
    before = {path: path.stat().st_mtime_ns for path in files(folder)}
    texts = [line["text"] for line in lines(folder / REPORTS)]
    truths = (folder / TRUTHS).read_bytes()
    given = {"studies": STUDIES, "seed": SEED, "every_technique": True}
    for style in ("fresh", "terse"):
        write_archive(folder, **given, wording=STYLES[style])
        told = lines(folder / REPORTS)
        assert [line["text"] for line in told] != texts
        assert [set(line) for line in told] == [{"study_uid", "accession", "text"}] * STUDIES
        assert (folder / TRUTHS).read_bytes() == truths
    assert not any("indings" in line["text"] for line in lines(folder / REPORTS))
    assert {path: path.stat().st_mtime_ns for path in files(folder)} == before
    write_archive(folder, **given, wording=STYLES["plain"])
    assert [line["text"] for line in lines(folder / REPORTS)] == texts


def test_a_style_that_is_none_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["phantoms", str(tmp_path), "--reports-style", "long"])
    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == "no reports style 'long'; there are plain, fresh, terse"


def test_descriptions_can_be_left_blank(tmp_path: Path) -> None:
    write_archive(tmp_path, studies=1, seed=2, blank_descriptions=True)
    for d in headers(tmp_path):
        assert not d.SeriesDescription
        assert not d.ProtocolName
        assert not d.StudyDescription


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_archive(
        tmp_path, studies=1, seed=2, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 1)]
