"""An archive of simulated hearts as genuine DICOM studies, for demo, tests and training."""

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import repeat
from pathlib import Path
from random import Random

from indexer.dicom.visit import Series, Visit
from indexer.dicom.write import write_classic, write_enhanced
from indexer.phantoms.examination import Examination
from indexer.phantoms.protocol import Protocol
from indexer.phantoms.scanners import SCANNERS, Scanner
from indexer.progress import Report
from retrieval.errors import UsageError
from retrieval.phantom.sentences import Wording, write_report
from retrieval.phantom.subject import Subject, on_one_thread
from retrieval.phantom.truth import HeartTruth

REPORTS = "reports.jsonl"
TRUTHS = "truth.jsonl"

STYLES: Mapping[str, Wording] = {"plain": "train", "fresh": "fresh", "terse": "terse"}
"""How reports are written: as training reads them, or as search is judged."""

Record = dict[str, object]
"""A line of JSON Lines."""

_FIRST_DAY = date(2014, 1, 6)
_DAYS = 3600
_UNFINISHED = ".unfinished"


def write_archive(  # noqa: PLR0913 - what an archive is like, and how it is written
    folder: Path,
    *,
    studies: int,
    seed: int,
    workers: int = 1,
    progress: Report | None = None,
    blank_descriptions: bool = False,
    every_technique: bool = False,
    wording: Wording = "train",
) -> None:
    """Write `studies` simulated studies under `folder`, with reports.jsonl and truth.jsonl.

    The same seed gives the same bytes, study by study, whatever the number of
    studies and of workers; a run that was interrupted goes on where it
    stopped, for a study's folder gets its name when it is complete.

    Parameters
    ----------
    workers
        Processes, each rendering on one thread.
    blank_descriptions
        Leave SeriesDescription, ProtocolName and StudyDescription empty.
    every_technique
        Let every visit acquire all techniques that are simulated, not only some.
    wording
        In which words the reports are written; the images do not depend on it,
        so over an archive that is there only its reports are written anew.

    Raises
    ------
    UsageError
        `folder` holds something that is not of this archive.
    """
    kind = _Kind(blank=blank_descriptions, full=every_technique, wording=wording)
    members = [_Member(seed, index, kind) for index in range(studies)]
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_strangers(folder, _prefix(seed, kind))
    records: list[tuple[Record, Record]] = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=on_one_thread) as pool:
        for record in pool.map(_write_member, repeat(folder), members):
            records.append(record)
            if progress is not None:
                progress(len(records), studies)
    _write_lines(folder / REPORTS, [report for report, _ in records])
    _write_lines(folder / TRUTHS, [truth for _, truth in records])


def _write_member(folder: Path, member: "_Member") -> tuple[Record, Record]:
    """Write one study unless it is there; return its lines of reports and truths."""
    subject = member.subject()
    if not (folder / member.name).exists():
        _write_study(folder, member, subject)
    return member.report_record(subject.truth), member.truth_record(subject.truth)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What all studies of an archive have in common.

    Blank descriptions, every technique, and the words of the reports.
    """

    blank: bool
    full: bool
    wording: Wording


class _Member:
    """One study of an archive: everything about it follows from the seed, its index and kind."""

    def __init__(self, seed: int, index: int, kind: _Kind) -> None:
        self._root = f"{seed}/{index}"
        self.kind = kind
        self.label = f"{index + 1:04d}"
        self.name = f"{_prefix(seed, kind)}-{self.label}"

    def seed(self, purpose: str) -> int:
        """A seed of 63 bits for one purpose."""
        return int.from_bytes(self._digest(purpose)[:8], "big") >> 1

    def uid(self, what: str) -> str:
        """A UID under 2.25 (PS3.5 B.2), which any 128 bits may follow."""
        return f"2.25.{int.from_bytes(self._digest(f'uid/{what}')[:16], 'big')}"

    def subject(self) -> Subject:
        """The person."""
        return Subject(self.seed("subject"))

    def report_record(self, truth: HeartTruth) -> Record:
        """A line of reports.jsonl."""
        rng = Random(self.seed("report"))  # noqa: S311
        text = write_report(truth, rng, split=self.kind.wording)
        return {"study_uid": self.uid("study"), "accession": self.accession, "text": text}

    def truth_record(self, truth: HeartTruth) -> Record:
        """A line of truth.jsonl."""
        return {"study_uid": self.uid("study"), **asdict(truth)}

    @property
    def accession(self) -> str:
        """AccessionNumber."""
        return f"SIM{self.seed('accession') % 10**9:09d}"

    def visit(self, truth: HeartTruth, scanner: Scanner, rng: Random) -> Visit:
        """Who came when, to which scanner."""
        day = _FIRST_DAY + timedelta(days=rng.randrange(_DAYS))
        born = day - timedelta(days=round(365.25 * (truth.age_years + 0.1 + 0.8 * rng.random())))
        minute = rng.randrange(7 * 60, 18 * 60)
        return Visit(
            study_uid=self.uid("study"),
            frame_of_reference_uid=self.uid("frame of reference"),
            patient_name=f"SIMULATED^{self.label}",
            patient_id=f"SIM{self.seed('patient') % 10**7:07d}",
            birth_date=f"{born:%Y%m%d}",
            sex=truth.sex.value,
            age_years=truth.age_years,
            height_m=truth.height_cm / 100,
            weight_kg=truth.weight_kg,
            accession=self.accession,
            study_date=f"{day:%Y%m%d}",
            study_time=f"{minute // 60:02d}{minute % 60:02d}{rng.randrange(60):02d}",
            description=""
            if self.kind.blank
            else rng.choice(("CARDIAC MRI", "MRT Herz", "CMR", "Heart")),
            model=scanner.model,
            software=scanner.software,
            field_strength_t=rng.choice(scanner.field_strengths_t),
        )

    def _digest(self, purpose: str) -> bytes:
        return hashlib.sha256(f"cineseek simulator/{self._root}/{purpose}".encode()).digest()


def _prefix(seed: int, kind: _Kind) -> str:
    """What the names of an archive's studies begin with: another archive's begin otherwise."""
    words = ("blank" if kind.blank else "named") + ("/full" if kind.full else "")
    return f"SIM-{hashlib.sha256(f'{seed}/{words}'.encode()).hexdigest()[:6]}"


def _refuse_strangers(folder: Path, prefix: str) -> None:
    ours = {name + end for name in (REPORTS, TRUTHS) for end in ("", _UNFINISHED)}
    for path in sorted(folder.iterdir()):
        if path.name not in ours and not path.name.startswith((f"{prefix}-", f".{prefix}-")):
            raise UsageError(
                f"{folder} holds {path.name}, which is not of this simulated archive; "
                "choose an empty folder, or the same seed and options"
            )


def _write_study(folder: Path, member: _Member, subject: Subject) -> None:
    """Write one study; its folder appears under its name when everything is in it."""
    rng = Random(member.seed("visit"))  # noqa: S311
    scanner = rng.choice(SCANNERS)
    visit = member.visit(subject.truth, scanner, rng)
    protocol = Protocol.draw(rng, subject)
    if member.kind.full:
        protocol = protocol.complete()
    examination = Examination(
        subject, scanner, protocol, rng, member.uid, blank_descriptions=member.kind.blank
    )
    unfinished = folder / f".{member.name}{_UNFINISHED}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for series in examination.series():
        _write_series(unfinished, visit, series, scanner)
    unfinished.rename(folder / member.name)


def _write_series(folder: Path, visit: Visit, series: Series, scanner: Scanner) -> None:
    if scanner.enhanced and series.gap_mm is not None:
        write_enhanced(folder, visit, series, f"XX_{series.number:04d}{scanner.extension}")
        return
    within = folder / f"S{series.number:03d}"
    within.mkdir()
    names = [f"I{number:04d}{scanner.extension}" for number in series.numbers]
    write_classic(within, visit, series, names)


def _write_lines(path: Path, records: Sequence[Record]) -> None:
    """Write JSON Lines so that the file is whole whenever it exists."""
    temporary = path.with_name(f"{path.name}{_UNFINISHED}")
    temporary.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    temporary.replace(path)
