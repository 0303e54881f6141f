"""A small archive of beating discs with reports that speak of their size."""

from pathlib import Path

from retrieval.catalog.catalog import SqlCatalog
from retrieval.clips.store import FolderClipStore
from retrieval.language.findings import find_findings
from retrieval.language.sections import impression_of
from retrieval.values.intake import StudyEntry
from retrieval.values.report import Report
from retrieval.values.study import Series, SeriesId, State, StudyId, Technique, View
from tests.beating import disc
from tests.doubles import a_study, hexname

KINDS = (
    (View.SHORT_AXIS, Technique.CINE),
    (View.FOUR_CHAMBER, Technique.CINE),
    (View.SHORT_AXIS, Technique.LGE),
)
SAYINGS = (
    "The left ventricle is dilated.",
    "The left ventricle is not dilated. Normal LV size.",
)


def report_text(number):
    saying = SAYINGS[number % 2]
    return (
        f"INDICATION: Dilated left ventricle?\n\nFINDINGS: {saying} There is no scar. "
        f"Heart rate was {60 + number}.\n\nIMPRESSION: {saying} Study {number} of many."
    )


def report_of(study, text):
    return Report(
        digest=hexname(f"report {study}") * 2,
        study=study,
        text=text,
        impression=impression_of(text),
        findings=find_findings(text),
    )


def fill(folder: Path, studies=12, size=48):
    """Write `studies` studies of two patients out of three; large and small discs in turn."""
    folder.mkdir(exist_ok=True)
    catalog = SqlCatalog.open(f"sqlite:///{folder / 'catalog.db'}", migrate=True)
    store = FolderClipStore(folder / "clips")
    for n in range(studies):
        series = [
            Series(
                id=SeriesId(hexname(f"{n} {view} {technique}")),
                view=view,
                technique=technique,
                state=State.INDEXED,
                clips=1,
            )
            for view, technique in KINDS
        ]
        study = a_study(f"s{n}", patient=f"p{n // 2 if n < 4 else n}", series=tuple(series))
        clips = [
            disc(
                one.view,
                one.technique,
                seed=n,
                study=study.id,
                series=one.id,
                size=size,
                spacing=4.0,
                phases=3,
                radius_mm=36.0 if n % 2 == 0 else 20.0,
            )
            for one in series
        ]
        for clip in clips:
            store.write(clip)
        catalog.put_study(
            StudyEntry(
                study=study,
                clips=tuple(clip.record for clip in clips),
                files=(),
                source_digest=str(n),
            )
        )
        catalog.put_report(report_of(study.id, report_text(n)))
    return catalog, store


def study_id(number):
    return StudyId(hexname(f"s{number}"))
