"""Judgments from labels: archives whose truth lies in a table or beside the images."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from retrieval.errors import UsageError
from retrieval.evaluation.judgments import Judgment
from retrieval.evaluation.records import pick, read_table
from retrieval.evaluation.resolve import Resolver
from retrieval.values.study import StudyId

log = logging.getLogger(__name__)

QUESTIONS = {
    "DCM": "dilated left ventricle with reduced ejection fraction",
    "HCM": "left ventricular hypertrophy",
    "MINF": "previous myocardial infarction with regional wall motion abnormality",
    "NOR": "normal ventricular size and function",
    "RV": "dilated right ventricle",
}
"""What is asked for each group of ACDC (Bernard et al., IEEE TMI 2018;37:2514).

Any other label is asked for in its own words.
"""

STUDY_COLUMNS = ("study", "study_uid", "studyinstanceuid", "original_study_uid", "pid")
LABEL_COLUMNS = ("label", "labels", "group", "class")

INFO = "Info.cfg"


def read_labels(path: Path, resolver: Resolver) -> list[Judgment]:
    """Turn labels into judgments: one question a label, its studies relevant.

    Only labelled studies are judged. Labels of studies that are not in the
    archive are counted in a warning.

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
    given = list(_from_info(path) if path.is_dir() else _from_table(path))
    labels: dict[str, set[StudyId]] = {}
    strangers = 0
    for name, its_labels in given:
        study = resolver.find(name)
        if study is None:
            strangers += 1
            continue
        for label in its_labels:
            labels.setdefault(label, set()).add(study)
    among = frozenset(study for studies in labels.values() for study in studies)
    if not among:
        raise UsageError(f"none of the {len(given)} labelled studies of {path} is in this archive")
    if strangers:
        log.warning("%d of %d labelled studies are not in this archive", strangers, len(given))
    judgments = [
        Judgment(query=QUESTIONS.get(label, label), relevant=frozenset(studies), among=among)
        for label, studies in sorted(labels.items())
        if frozenset(studies) != among
    ]
    if not judgments:
        raise UsageError(f"all {len(among)} labelled studies have one label; nothing to tell apart")
    return judgments


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
