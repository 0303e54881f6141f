"""From a question to ranked studies with evidence: understand, mask, rank, explain."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from retrieval.errors import EncoderMismatch, UsageError
from retrieval.ports import CatalogReader, TextEncoder, VectorIndex
from retrieval.search.choices import settle
from retrieval.search.fuse import fuse
from retrieval.search.representative import representative
from retrieval.search.understand.narrowing import narrowed
from retrieval.search.video import Pool
from retrieval.values.clip import ClipId
from retrieval.values.embedding import Embeddings
from retrieval.values.query import Access, Channel, Evidence, Filter, Hit, Query, Ranking
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

    order: Order
    where: Filter
    narrowed: tuple[str, ...] = ()
    pool: Pool | None = None
    vector: Embeddings | None = None
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

    def search(self, query: Query, *, access: Access) -> Ranking:
        """Rank the eligible studies.

        Words about people, scanners and years ("women over 60 at 3 T since 2019")
        are a filter on top of `query.where`; the rest says what is looked for.
        Every eligible study is compared, whatever the limit; those without a
        vector in this generation are counted in `Ranking.missing`, and cannot
        be among the hits of the video channel. The report channel returns
        only studies whose report shares a word with the query.

        Raises
        ------
        UsageError
            Nothing is asked, or it cannot be asked like this.
        StudyNotFound
            `query.like` names no study that may be seen.
        """
        found = self._find(query, access)
        return Ranking(
            query=query,
            eligible=found.order.eligible,
            missing=found.order.missing,
            narrowed=found.narrowed,
            hits=self._hits(found, access),
            encoder_id=self._index.encoder_id,
            generation=self._index.generation,
        )

    def rank(self, query: Query, *, access: Access) -> Order:
        """Rank like `search`, without fetching what a reader would want to see of each hit."""
        return self._find(query, access).order

    def _find(self, query: Query, access: Access) -> _Found:
        _check(query)
        words: tuple[str, ...] = ()
        if query.like is None:
            told = narrowed(query.text, query.where)
            where = settle(told.where, self._catalog, access=access) if told.words else told.where
            query, words = replace(query, text=told.text, where=where), told.words
        eligible = self._eligible(query, access)
        if query.channel is Channel.REPORT:
            matches = self._matches(query, eligible, query.limit, access)
            scored = tuple((study, score) for study, score, _ in matches)
            return _Found(
                order=Order(studies=scored, eligible=len(eligible), missing=0),
                where=query.where,
                narrowed=words,
                sentences={study: sentence for study, _, sentence in matches},
            )
        pool = self._pool(query.where, eligible, access)
        vector = self._vector(query, access)
        missing = self._count_missing(eligible, pool)
        if query.channel is Channel.VIDEO:
            nearest = tuple(pool.nearest(vector, query.limit))
            order = Order(studies=nearest, eligible=len(eligible), missing=missing)
            return _Found(order=order, where=query.where, narrowed=words, pool=pool, vector=vector)
        matches = self._matches(query, eligible, None, access)
        fused = fuse([s for s, _ in pool.nearest(vector, None)], [s for s, _, _ in matches])
        order = Order(studies=tuple(fused[: query.limit]), eligible=len(eligible), missing=missing)
        sentences = {study: sentence for study, _, sentence in matches}
        return _Found(
            order=order,
            where=query.where,
            narrowed=words,
            pool=pool,
            vector=vector,
            sentences=sentences,
        )

    def _eligible(self, query: Query, access: Access) -> frozenset[StudyId]:
        eligible = self._catalog.eligible(query.where, access=access)
        if query.like is None:
            return eligible
        example = self._catalog.study(query.like, access=access)
        if query.other_patients:
            others = self._catalog.studies(sorted(eligible), access=access)
            eligible = frozenset(s.id for s in others if s.patient.id != example.patient.id)
        return eligible - {example.id}

    def _pool(self, where: Filter, eligible: frozenset[StudyId], access: Access) -> Pool:
        owners = self._catalog.keys(where, self._index.encoder_id, access=access)
        return Pool(self._index, {k: owner for k, owner in owners.items() if owner[0] in eligible})

    def _count_missing(self, eligible: frozenset[StudyId], pool: Pool) -> int:
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
        self, query: Query, eligible: frozenset[StudyId], limit: int | None, access: Access
    ) -> list[tuple[StudyId, float, str]]:
        found = self._catalog.search_reports(query.text, query.where, limit=limit, access=access)
        return [match for match in found if match[0] in eligible]

    def _vector(self, query: Query, access: Access) -> Embeddings:
        if query.like is not None:
            return self._example(query.like, access)
        if self._texts is None:
            raise ValueError("this searcher was made without a text encoder")
        return self._texts.encode_texts([query.text])

    def _example(self, study: StudyId, access: Access) -> Embeddings:
        """The example's own vector, whatever filter the answers must meet."""
        pool = self._pool(Filter(), frozenset([study]), access)
        vector = pool.vector_of(study)
        if vector is None:
            state = self._catalog.study(study, access=access).state
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
                sentence=found.sentences.get(study),
            )
            for study in ids
        }


def _check(query: Query) -> None:
    """Refuse what cannot be asked."""
    if query.limit is not None and query.limit < 1:
        raise UsageError(f"limit is {query.limit}; give a number from 1, or all")
    if query.like is None and not query.text.strip():
        raise UsageError("nothing is asked; give some words, such as: dilated left ventricle")
    if query.like is not None and query.text.strip():
        raise UsageError("give words or an example study, not both")
    if query.like is not None and query.channel is not Channel.VIDEO:
        raise UsageError("an example study is compared by video; leave the channel at video")
