"""From a question to ranked studies with evidence: understand, mask, rank, explain."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np

from retrieval.errors import ClipNotFound, EncoderMismatch, StudyNotFound, UsageError
from retrieval.ports import CatalogReader, TextEncoder, VectorIndex
from retrieval.search.asked import Asked, asked_vector
from retrieval.search.choices import settle, within
from retrieval.search.collapse import Folded, collapse, further
from retrieval.search.conviction import CANDIDATES, Judge
from retrieval.search.found import Found, Order
from retrieval.search.fuse import merge
from retrieval.search.listing import newest_first
from retrieval.search.members import Studies
from retrieval.search.moments import Moment, Moments
from retrieval.search.plan import Plan, check, plan
from retrieval.search.representative import representative
from retrieval.search.understand.lines import read_chip
from retrieval.search.verdicts import Reports, Witness, shown_by, told_in_words
from retrieval.search.video import Pool
from retrieval.search.widen import broader
from retrieval.values.clip import ClipId
from retrieval.values.embedding import Embeddings, unit_rows
from retrieval.values.query import (
    FILTER,
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
from retrieval.values.reliability import Belief, Reliability
from retrieval.values.study import StudyId

log = logging.getLogger(__name__)


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
    reliability
        What scores of this generation were found to mean; None where it was
        never assessed.

    Raises
    ------
    EncoderMismatch
        `texts` is not the encoder that made the index.
    """

    def __init__(
        self,
        texts: TextEncoder | None,
        index: VectorIndex,
        catalog: CatalogReader,
        reliability: Reliability | None = None,
    ) -> None:
        if texts is not None and texts.encoder_id != index.encoder_id:
            raise EncoderMismatch(index=index.encoder_id, query=texts.encoder_id)
        self._texts = texts
        self._index = index
        self._catalog = catalog
        self._moments = Moments(index, catalog)
        self._judge = Judge(texts, catalog, reliability)

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
        while True:
            found = self._find(query, access)
            try:
                return self._told(found, query, access)
            except (StudyNotFound, ClipNotFound):
                # What was found may have been withdrawn since: then the archive as it is answers.
                if self._moments.now(access).roster is found.now.roster:
                    raise

    def _told(self, found: Found, query: Query, access: Access) -> Ranking:
        judged = self._judge.judge(found, access=access)
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
            folded=sum(map(len, found.folded.values())),
            hits=self._hits(found, judged.believed, access),
            badges=judged.badges,
            conviction=judged.conviction,
            above_unrelated=judged.above_unrelated,
            encoder_id=self._index.encoder_id,
            generation=self._index.generation,
        )

    def rank(self, query: Query, *, access: Access) -> Order:
        """Rank every study like `search`, each by itself, without what a reader sees of hits."""
        return self._find(replace(query, collapsed=False), access).order

    def aim(self, query: Query, *, access: Access) -> tuple[Plan, Filter, Embeddings]:
        """What clips are compared with: a query's plan, filter and direction, (1, D).

        Raises
        ------
        UsageError
            Nothing is asked of the images.
        """
        check(query)
        planned = plan(query)
        where = self._settled(query, planned, access)
        vectors = [vector for _, vector in self._vectors(planned, self._moments.now(access))]
        if query.channel is Channel.REPORT or not vectors:
            raise UsageError(f"{query.text!r} asks nothing of the images, so none can speak for it")
        return planned, where, vectors[-1]

    def compared(self, query: Query, *, access: Access) -> tuple[Plan, Studies, Pool]:
        """What a query asks, the eligible studies, and the vectors that answer it by images.

        A query that asks nothing is held against all that its filter lets.
        """
        planned, now = plan(query), self._moments.now(access)
        where = self._settled(query, planned, access)
        eligible = self._eligible(query, planned, where, now)
        return planned, eligible, now.pool(where, eligible)

    def direction(self, asked: Sequence[Asked]) -> Embeddings:
        """What the encoder makes of phrasings, as `asked_vector` does."""
        if self._texts is None:
            raise ValueError("this searcher was made without a text encoder")
        return asked_vector(self._texts, asked)

    def vectors_of(self, study: StudyId, *, access: Access) -> Pool:
        """The vectors of one study; none where it may not be seen."""
        return self._moments.now(access).pool(Filter(), [study])

    def wider(self, ranking: Ranking, *, access: Access) -> list[tuple[str, int]]:
        """Broader words for a query, and how many reports say them; see `broader`."""
        chips = [read_chip(line) for line in ranking.chips]
        now = self._moments.now(access)
        return broader(chips, ranking.query.where, self._catalog, now)

    def example(self, study: StudyId, *, access: Access) -> Embeddings:
        """The example's own vector, whatever filter the answers must meet.

        Raises
        ------
        StudyNotFound
            There is no such study that may be seen.
        UsageError
            It has no vector in this generation.
        """
        return self._example(study, self._moments.now(access))

    def _find(self, query: Query, access: Access) -> Found:
        check(query)
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
        if query.channel is not Channel.VIDEO and not planned.lists:
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
            limit = None if several or query.collapsed else query.limit
            for name, vector in self._vectors(planned, now):
                rankings[name] = dict(pool.nearest(vector, limit))
        if reports:
            rankings["reports"] = reports
        if planned.lists:
            rankings[FILTER] = newest_first(compared, self._catalog, access=access)
        merged = merge(rankings, demoted)
        answers = max(len(merged), len(compared) - missing if pool is not None else 0)
        folded: Mapping[StudyId, tuple[Folded, ...]] = {}
        if query.collapsed:
            patients = now.patients([study for study, _ in merged])
            alike = () if pool is None else self._moments.copies(now)
            merged, folded = collapse(merged, patients, alike)
            answers = len(merged)
        order = Order(
            studies=tuple(merged[: query.limit]),
            eligible=len(eligible),
            missing=missing,
        )
        return Found(
            now=now,
            order=order,
            planned=planned,
            where=where,
            channels=tuple(rankings),
            compared=compared,
            first=tuple(study for study, _ in merged[: _most(query.limit)]),
            set_aside=len(eligible) - len(compared),
            answers=answers,
            pool=pool,
            vector=vector,
            said=said,
            sentences=sentences,
            folded=folded,
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
        """Reports that share words with what no chip stands for.

        Beside images only those count that say all of it in one sentence: of
        words that merely occur, reports are full.
        """
        alone = query.channel is Channel.REPORT
        text = query.text if alone and not planned.judged else planned.free
        if not text:
            return []
        found = self._catalog.search_reports(text, where, limit=None, access=access)
        return [
            one for one in found if one[0] in compared and (alone or told_in_words(text, one[2]))
        ]

    def _vectors(self, planned: Plan, now: Moment) -> Iterator[tuple[str, Embeddings]]:
        """What is compared with the archive: the words, the examples; the words last."""
        if planned.like:
            rows = [self._example(study, now).vectors[0] for study in planned.like]
            mean = unit_rows(np.mean(rows, axis=0, keepdims=True))
            yield "example", Embeddings(self._index.encoder_id, mean)
        if planned.asked:
            yield "words", self.direction(planned.asked)

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

    def _hits(
        self,
        found: Found,
        believed: Mapping[StudyId, tuple[Belief, ...]],
        access: Access,
    ) -> tuple[Hit, ...]:
        ids = [study for study, _ in found.order.studies]
        studies = self._catalog.studies(ids, access=access)
        impressions = self._catalog.impressions(ids, access=access)
        evidence = self._evidence(ids, found, access)
        others = further(ids, found.folded, self._catalog, access=access)
        return tuple(
            Hit(
                rank=rank,
                score=score,
                study=study,
                evidence=evidence[study.id],
                impression=impressions.get(study.id),
                said=found.said.get(study.id, ()),
                beliefs=believed.get(study.id, ()),
                others=others.get(study.id, ()),
            )
            for rank, (study, (_, score)) in enumerate(
                zip(studies, found.order.studies, strict=True), start=1
            )
        )

    def _evidence(
        self, ids: list[StudyId], found: Found, access: Access
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

    def _showing(self, ids: list[StudyId], found: Found) -> Pool | None:
        """Clips of the techniques that show what is wanted; None where that may be any."""
        techniques = shown_by(found.planned.wanted)
        asked = found.where.techniques
        techniques = techniques & asked if asked else techniques
        if not techniques:
            return None
        where = replace(found.where, techniques=techniques)
        return found.now.pool(where, ids)


def _most(limit: int | None) -> int | None:
    """How many of the best are judged: all that are shown, and enough to find a convincing one."""
    return None if limit is None else max(limit, CANDIDATES)


def _agreeing(said: Sequence[Said]) -> str | None:
    return next((one.sentence for one in said if one.verdict is Verdict.AGREES), None)
