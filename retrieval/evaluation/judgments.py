"""Judgments: which studies answer which question."""

from collections.abc import Mapping
from dataclasses import dataclass

from retrieval.errors import UsageError
from retrieval.ports import CatalogReader
from retrieval.values.finding import FindingName, Polarity
from retrieval.values.query import Access, Filter
from retrieval.values.study import StudyId

QUESTIONS: dict[FindingName, str] = {
    FindingName.LV_DILATION: "dilated left ventricle",
    FindingName.LV_DYSFUNCTION: "reduced left ventricular ejection fraction",
    FindingName.LV_HYPERTROPHY: "left ventricular hypertrophy",
    FindingName.RV_DILATION: "dilated right ventricle",
    FindingName.RV_DYSFUNCTION: "reduced right ventricular function",
    FindingName.SCAR: "myocardial scar on late gadolinium enhancement",
    FindingName.WALL_MOTION: "regional wall motion abnormality",
    FindingName.LA_DILATION: "dilated left atrium",
    FindingName.RA_DILATION: "dilated right atrium",
    FindingName.AORTIC_DILATION: "dilated aortic root",
    FindingName.PERICARDIAL_EFFUSION: "pericardial effusion",
    FindingName.DIFFUSE_ENHANCEMENT: "diffuse late enhancement",
    FindingName.RV_HYPERTROPHY: "right ventricular hypertrophy",
    FindingName.SEPTAL_FLATTENING: "flattened interventricular septum",
    FindingName.OEDEMA: "myocardial oedema",
    FindingName.PERFUSION_DEFECT: "perfusion defect",
    FindingName.MYOCARDITIS: "myocarditis",
}
"""What a reader would type for each finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """One question and the studies that answer it.

    Attributes
    ----------
    relevant
        At least one study.
    among
        The studies that were judged at all; others are taken out of a ranking
        before it is scored. None where every eligible study was.
    grades
        A reader's 0 to 3 of every study in `among`, the gains of nDCG; None
        where none were given.
    """

    query: str
    relevant: frozenset[StudyId]
    among: frozenset[StudyId] | None = None
    grades: Mapping[StudyId, int] | None = None


def from_reports(catalog: CatalogReader, *, access: Access) -> list[Judgment]:
    """Judge by what the archive's own reports state.

    A study answers a finding's question if its newest report states the
    finding as present somewhere. One whose report leaves it open or did not
    assess it, and says nothing firmer, is not judged for it; denied or not
    mentioned counts as absent. Studies without a report are not judged at all. Findings that all
    or none of the judged studies have tell rankings nothing and are left out.

    Raises
    ------
    UsageError
        No finding tells studies apart.
    """
    stated: dict[StudyId, dict[FindingName, set[Polarity]]] = {}
    for study in sorted(catalog.eligible(Filter(), access=access)):
        report = catalog.report(study, access=access)
        if report is not None:
            said = stated.setdefault(study, {})
            for finding in report.findings:
                said.setdefault(finding.name, set()).add(finding.polarity)
    judged = (_judge(name, stated) for name in FindingName)
    judgments = [judgment for judgment in judged if judgment is not None]
    if not judgments:
        raise UsageError(
            f"the reports of {len(stated)} studies tell no finding apart; ingest reports with "
            "--reports, or give --queries or --labels"
        )
    return judgments


def _judge(
    name: FindingName, stated: dict[StudyId, dict[FindingName, set[Polarity]]]
) -> Judgment | None:
    relevant = frozenset(s for s, said in stated.items() if Polarity.PRESENT in said.get(name, ()))
    denied = frozenset(s for s, said in stated.items() if Polarity.ABSENT in said.get(name, ()))
    among = relevant | denied
    if not relevant or relevant == among:
        return None
    return Judgment(query=QUESTIONS[name], relevant=relevant, among=among)
