"""From a question to ranked studies with evidence: understand, mask, rank, explain."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import numpy as np

from retrieval.errors import EncoderMismatch, UsageError
from retrieval.ports import CatalogReader, TextEncoder, VectorIndex
from retrieval.search.choices import settle, within
from retrieval.search.fuse import fuse, shared_ranks
from retrieval.search.members import Studies
from retrieval.search.moments import Moment, Moments
from retrieval.search.plan import Plan, plan
from retrieval.search.representative import representative
from retrieval.search.verdicts import Reports, Witness, shown_by
from retrieval.search.video import Pool
from retrieval.values.clip import ClipId
from retrieval.values.embedding import Embeddings, unit_rows
from retrieval.values.query import (
    Access,
    Channel,
    Evidence,
    Filter,
    Hit,
    Query,
    Ranking,
    Said,
    Verdict,
)
from retrieval.values.study import StudyId

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A ranking before it is dressed.

    Attributes
    ----------
    studies
        (study, score), best first.
    eligible, missing
        As in `Ranking`.
    """

    studies: tuple[tuple[StudyId, float], ...]
    eligible: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """An order, and what its evidence can be drawn from."""

    now: Moment
    order: Order
    planned: Plan
    where: Filter
    channels: tuple[str, ...]
    set_aside: int = 0
    answers: int = 0
    pool: Pool | None = None
    vector: Embeddings | None = None
    said: Mapping[StudyId, tuple[Said, ...]] = field(default_factory=dict)
    sentences: Mapping[StudyId, str] = field(default_factory=dict)


class Searcher:
    """Answers queries over one generation.

    Parameters
    ----------
    texts
        Encoder of queries in words; None where only examples (`Query.like`)
        and reports are searched.
    index
        The published generation.
    catalog
        Says which studies and keys are eligible, at every query anew.

    Raises
    ------
    EncoderMismatch
        `texts` is not the encoder that made the index.
    """

    def __init__(
        self, texts: TextEncoder | None, index: VectorIndex, catalog: CatalogReader
    ) -> None:
        if texts is not None and texts.encoder_id != index.encoder_id:
            raise EncoderMismatch(index=index.encoder_id, query=texts.encoder_id)
        self._texts = texts
        self._index = index
        self._catalog = catalog
        self._moments = Moments(index, catalog)

    def search(self, query: Query, *, access: Access) -> Ranking:
        """Rank the eligible studies.

        The text is understood (`retrieval.search.plan`). Words about people,
        scanners, years and pictures narrow `query.where`. Findings that are
        wanted, and what nobody recognised, are asked of the encoder; findings,
        denials and numbers of the reports. Every eligible study is compared,
        whatever the limit; those without a vector in this generation are
        counted in `Ranking.missing`. A study is no hit if its report states what
        was to be absent, or a number that was not asked for
        (`Ranking.set_aside`); one whose report denies findings that are wanted
        comes the later, the more it denies. Where the encoder is asked nothing, only studies
        whose report agrees are hits.

        Raises
        ------
        UsageError
            Nothing is asked, or it cannot be asked like this.
        StudyNotFound
            An example is no study that may be seen.
        """
        found = self._find(query, access)
        return Ranking(
            query=query,
            eligible=found.order.eligible,
            missing=found.order.missing,
            narrowed=found.planned.words,
            chips=found.planned.lines,
            free=found.planned.free,
            channels=found.channels,
            set_aside=found.set_aside,
            answers=found.answers,
            hits=self._hits(found, access),
            encoder_id=self._index.encoder_id,
            generation=self._index.generation,
        )

    def rank(self, query: Query, *, access: Access) -> Order:
        """Rank like `search`, without fetching what a reader would want to see of each hit."""
        return self._find(query, access).order

    def _find(self, query: Query, access: Access) -> _Found:
        _check(query)
        planned = plan(query)
        where = self._settled(query, planned, access)
        now = self._moments.now(access)
        eligible = self._eligible(query, planned, where, now)
        said = Witness(self._catalog, where, now).say(planned.judged)
        said = {study: told for study, told in said.items() if study in eligible}
        told = Reports(planned, said)
        compared, demoted = eligible, dict[StudyId, int]()
        reports: dict[StudyId, float] = {}
        sentences: dict[StudyId, str] = {}
        if query.channel is not Channel.VIDEO:
            compared, demoted = eligible - told.set_aside, told.contradicted
            matches = self._matches(query, planned, where, compared, access)
            reports = told.scores(compared, {study: score for study, score, _ in matches})
            sentences = {study: sentence for study, _, sentence in matches}
        rankings: dict[str, dict[StudyId, float]] = {}
        pool, vector, missing = None, None, 0
        if query.channel is not Channel.REPORT and (planned.asked or planned.like):
            pool = now.pool(where, compared)
            missing = self._count_missing(compared, pool)
            several = bool(reports or demoted or (planned.asked and planned.like))
            limit = None if several else query.limit
            for name, vector in self._vectors(planned, now):
                rankings[name] = dict(pool.nearest(vector, limit))
        if reports:
            rankings["reports"] = reports
        merged = _merged(rankings, demoted)
        order = Order(
            studies=tuple(merged[: query.limit]),
            eligible=len(eligible),
            missing=missing,
        )
        return _Found(
            now=now,
            order=order,
            planned=planned,
            where=where,
            channels=tuple(rankings),
            set_aside=len(eligible) - len(compared),
            answers=max(len(merged), len(compared) - missing if pool is not None else 0),
            pool=pool,
            vector=vector,
            said=said,
            sentences=sentences,
        )

    def _settled(self, query: Query, planned: Plan, access: Access) -> Filter:
        """The filter in the archive's own spelling, where words added to it."""
        where = planned.where
        if planned.field_strengths is not None:
            where = within(where, planned.field_strengths, self._catalog, access=access)
        return where if where == query.where else settle(where, self._catalog, access=access)

    def _eligible(self, query: Query, planned: Plan, where: Filter, now: Moment) -> Studies:
        eligible = now.eligible(where)
        for never in planned.never:
            meant = settle(never, self._catalog, access=now.access)
            eligible -= now.eligible(meant)
        examples = self._catalog.studies(planned.like, access=now.access)
        if query.other_patients and examples:
            eligible -= now.of_patients({example.patient.id for example in examples})
        return eligible - {example.id for example in examples}

    def _count_missing(self, eligible: Studies, pool: Pool) -> int:
        missing = len(eligible - pool.studies())
        if missing:
            log.warning(
                "%d of %d eligible studies have no vector in generation %s",
                missing,
                len(eligible),
                self._index.generation,
            )
        return missing

    def _matches(
        self,
        query: Query,
        planned: Plan,
        where: Filter,
        compared: AbstractSet[StudyId],
        access: Access,
    ) -> list[tuple[StudyId, float, str]]:
        """Reports that share words with what no chip stands for."""
        text = planned.free
        if query.channel is Channel.REPORT and not planned.judged:
            text = query.text
        if not text:
            return []
        found = self._catalog.search_reports(text, where, limit=None, access=access)
        return [match for match in found if match[0] in compared]

    def _vectors(self, planned: Plan, now: Moment) -> Iterator[tuple[str, Embeddings]]:
        """What is compared with the archive: the words, the examples; the words last."""
        if planned.like:
            rows = [self._example(study, now).vectors[0] for study in planned.like]
            mean = unit_rows(np.mean(rows, axis=0, keepdims=True))
            yield "example", Embeddings(self._index.encoder_id, mean)
        if planned.asked:
            if self._texts is None:
                raise ValueError("this searcher was made without a text encoder")
            yield "words", asked_vector(self._texts, planned.asked)

    def _example(self, study: StudyId, now: Moment) -> Embeddings:
        """The example's own vector, whatever filter the answers must meet."""
        vector = now.pool(Filter(), [study]).vector_of(study)
        if vector is None:
            state = self._catalog.study(study, access=now.access).state
            raise UsageError(
                f"study {study} ({state}) has no vector in generation {self._index.generation}, "
                "so nothing can be compared with it; choose an indexed study, or publish anew"
            )
        return vector

    def _hits(self, found: _Found, access: Access) -> tuple[Hit, ...]:
        ids = [study for study, _ in found.order.studies]
        studies = self._catalog.studies(ids, access=access)
        impressions = self._catalog.impressions(ids, access=access)
        evidence = self._evidence(ids, found, access)
        return tuple(
            Hit(
                rank=rank,
                score=score,
                study=study,
                evidence=evidence[study.id],
                impression=impressions.get(study.id),
                said=found.said.get(study.id, ()),
            )
            for rank, (study, (_, score)) in enumerate(
                zip(studies, found.order.studies, strict=True), start=1
            )
        )

    def _evidence(
        self, ids: list[StudyId], found: _Found, access: Access
    ) -> dict[StudyId, Evidence]:
        best: dict[StudyId, tuple[ClipId, float]] = {}
        if found.pool is not None and found.vector is not None:
            best = found.pool.best_clips(found.vector, ids)
            showing = self._showing(ids, found)
            if showing is not None:
                best |= showing.best_clips(found.vector, ids)
        named = self._catalog.clips_named([clip for clip, _ in best.values()], access=access)
        shown = {clip.study: clip for clip in named}
        for study in ids:
            if study not in shown:
                clips = self._catalog.clips(study, access=access)
                shown[study] = representative(study, clips, found.where)
        return {
            study: Evidence(
                clip=shown[study],
                score=best[study][1] if study in best else None,
                sentence=found.sentences.get(study) or _agreeing(found.said.get(study, ())),
            )
            for study in ids
        }

    def _showing(self, ids: list[StudyId], found: _Found) -> Pool | None:
        """Clips of the techniques that show what is wanted; None where that may be any."""
        techniques = shown_by(found.planned.wanted)
        asked = found.where.techniques
        techniques = techniques & asked if asked else techniques
        if not techniques:
            return None
        where = replace(found.where, techniques=techniques)
        return found.now.pool(where, ids)


def asked_vector(texts: TextEncoder, asked: Sequence[Sequence[str]]) -> Embeddings:
    """One direction for several things asked: each the mean of its phrasings, all of one weight."""
    flat = [phrasing for group in asked for phrasing in group]
    rows = texts.encode_texts(flat).vectors
    ends = np.cumsum([len(group) for group in asked])[:-1]
    groups = [unit_rows(part.mean(axis=0, keepdims=True)) for part in np.split(rows, ends)]
    return Embeddings(texts.encoder_id, unit_rows(np.mean(groups, axis=0)))


def _merged(
    rankings: Mapping[str, Mapping[StudyId, float]], demoted: Mapping[StudyId, int]
) -> list[tuple[StudyId, float]]:
    """One ranking keeps its scores, several are fused; the more demoted, the later."""
    if len(rankings) == 1:
        (scores,) = rankings.values()
        merged = list(scores.items())
    else:
        merged = fuse(*(shared_ranks(scores) for scores in rankings.values()))
    return sorted(merged, key=lambda item: demoted.get(item[0], 0))


def _agreeing(said: Sequence[Said]) -> str | None:
    return next((one.sentence for one in said if one.verdict is Verdict.AGREES), None)


def _check(query: Query) -> None:
    """Refuse what cannot be asked."""
    if query.limit is not None and query.limit < 1:
        raise UsageError(f"limit is {query.limit}; give a number from 1, or all")
    if query.like is None and not query.text.strip():
        raise UsageError("nothing is asked; give some words, such as: dilated left ventricle")
    if query.like is not None and query.channel is Channel.REPORT:
        raise UsageError("an example study is compared by video; leave the channel at all or video")
