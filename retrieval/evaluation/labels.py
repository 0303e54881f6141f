"""Judgments from labels: archives whose truth lies in a table or beside the images."""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import UsageError
from retrieval.evaluation.judgments import Judgment
from retrieval.evaluation.prompts import Prompts
from retrieval.evaluation.records import pick, read_table
from retrieval.evaluation.resolve import Resolver
from retrieval.values.study import StudyId

log = logging.getLogger(__name__)

STUDY_COLUMNS = ("study", "study_uid", "studyinstanceuid", "original_study_uid", "pid")
LABEL_COLUMNS = ("label", "labels", "group", "class")

INFO = "Info.cfg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What labels say of an archive.

    Attributes
    ----------
    of
        The labels of each labelled study of the archive, in the order of the
        names that they were given by; at least one study.
    digest
        12 hexadecimal digits over all that was given, studies by the names
        that they had there: the same labels have the same one in every home.
    """

    of: Mapping[StudyId, tuple[str, ...]]
    digest: str


def read_labels(path: Path, resolver: Resolver) -> Labels:
    """Read labels; those of studies that are not in the archive are counted in a warning.

    A label that every study has tells nothing and is left out.

    Parameters
    ----------
    path
        A CSV or JSON Lines file with a column of `STUDY_COLUMNS` (our id or
        the original UID) and one of `LABEL_COLUMNS` (in JSON a list may give
        several), or a folder in the ACDC layout, whose folders name the
        studies and whose Info.cfg gives the group.

    Raises
    ------
    UsageError
        Nothing is labelled, or none of it is in the archive, or all have one label.
    """
    given = sorted(_from_info(path) if path.is_dir() else _from_table(path))
    of: dict[StudyId, set[str]] = {}
    strangers = 0
    for name, its_labels in given:
        study = resolver.find(name)
        if study is None:
            strangers += 1
            continue
        of.setdefault(study, set()).update(its_labels)
    if not of:
        raise UsageError(f"none of the {len(given)} labelled studies of {path} is in this archive")
    if strangers:
        log.warning("%d of %d labelled studies are not in this archive", strangers, len(given))
    shared = set.intersection(*of.values())
    if not set.union(*of.values()) - shared:
        raise UsageError(f"all {len(of)} labelled studies have one label; nothing to tell apart")
    return Labels(
        of={study: tuple(sorted(its - shared)) for study, its in of.items()},
        digest=hashlib.sha256(json.dumps(given).encode()).hexdigest()[:12],
    )


def judgments_of(labels: Labels, prompts: Prompts) -> list[Judgment]:
    """One question for each sentence that asks for a label; only labelled studies are judged."""
    among = frozenset(labels.of)
    names = sorted({label for its in labels.of.values() for label in its})
    return [
        Judgment(
            query=sentence,
            relevant=frozenset(study for study, its in labels.of.items() if label in its),
            among=among,
        )
        for label in names
        for sentence in prompts.of(label).sentences
    ]


def _from_table(path: Path) -> Iterator[tuple[str, list[str]]]:
    for where, record in read_table(path):
        name = str(pick(record, STUDY_COLUMNS, where=where))
        label = pick(record, LABEL_COLUMNS, where=where)
        yield name, [str(one) for one in label] if isinstance(label, list) else [str(label)]


def _from_info(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for info in sorted(folder.rglob(INFO)):
        yield info.parent.name, [_group(info.read_text(encoding="utf-8").splitlines(), info)]


def _group(lines: Iterable[str], info: Path) -> str:
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "Group" and value.strip():
            return value.strip()
    raise UsageError(f"{info.parent.name}/{info.name} names no Group")
