"""A small archive whose every study has one score for all that is asked of some findings."""

from collections.abc import Collection, Sequence

import numpy as np

from retrieval.evaluation.assess import assess
from retrieval.language.findings import find_findings
from retrieval.search.searcher import Searcher
from retrieval.search.understand.prompts import plain, prompts
from retrieval.values.embedding import StudyEmbedding, rows_of
from retrieval.values.query import LOCAL_OPERATOR, Channel, Query, Ranking
from retrieval.values.reliability import Reliability
from retrieval.values.report import Report
from retrieval.values.study import PatientId, Study, Technique, View
from tests.doubles import ENCODER, DictCatalog, DictIndex, WordEncoder, a_clip, a_study

ACROSS = (1.0, 0.0, 0.0, 0.0)
FINDINGS = ("scar", "lv_dilation")


class Wing:
    """A catalog and an index; a study's score is the cosine with everything asked of `FINDINGS`.

    Parameters
    ----------
    asked
        Further texts that have this direction.
    """

    def __init__(self, asked: Sequence[str] = ()) -> None:
        self.catalog, self.vectors = DictCatalog(), dict[int, np.ndarray]()
        known = [*asked, *(text for term in FINDINGS for text in prompts(plain(term)))]
        self.texts = WordEncoder(dict.fromkeys(known, ACROSS))

    def add(
        self, name: str, score: float, report: str = "", *, patient: str = "", late: bool = True
    ) -> Study:
        """Add a study; `late` with late enhancement images."""
        study = a_study(name, patient=patient)
        clips = [a_clip(study)]
        if late:
            clips.append(a_clip(study, View.SHORT_AXIS, Technique.LGE))
        vector = np.array([score, np.sqrt(1 - score**2), 0, 0], dtype=np.float32)
        made = StudyEmbedding(
            study=study.id, encoder_id=ENCODER, whole=vector, clips={}, inputs=(clips[0].id,)
        )
        rows = rows_of(made)
        self.catalog.add(study, clips, rows)
        self.vectors |= {row.key: row.vector for row in rows}
        if report:
            self.catalog.reports[study.id] = Report(
                digest=name,
                study=study.id,
                text=report,
                impression=report,
                findings=find_findings(report),
            )
        return study

    def assess(self, trained_on: Collection[PatientId] = ()) -> Reliability:
        """Assess this archive."""
        index = DictIndex(self.vectors)
        return assess(self.texts, index, self.catalog, trained_on=trained_on, access=LOCAL_OPERATOR)

    def searcher(self, reliability: Reliability | None) -> Searcher:
        """Answers over this archive."""
        return Searcher(self.texts, DictIndex(self.vectors), self.catalog, reliability)

    def ask(self, text: str, reliability: Reliability | None, **given) -> Ranking:
        """Ask this archive."""
        query = Query(text=text, **({"channel": Channel.ALL} | given))
        return self.searcher(reliability).search(query, access=LOCAL_OPERATOR)
