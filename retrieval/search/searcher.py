"""From a question to ranked studies with evidence: understand, mask, rank, explain."""

import logging
from dataclasses import dataclass

from retrieval.errors import EncoderMismatch, UsageError
from retrieval.ports import CatalogReader, TextEncoder, VectorIndex
from retrieval.search.fuse import fuse
from retrieval.search.representative import representative
from retrieval.search.video import Pool
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.embedding import Embeddings
from retrieval.values.query import Access, Channel, Evidence, Filter, Hit, Query, Ranking
from retrieval.values.study import StudyId

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A ranking before it is dressed: (study, score) best first, and what backs it."""

    order: list[tuple[StudyId, float]]
    vector: Embeddings | None
    sentences: dict[StudyId, str]


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
        _check(query)
        eligible = self._eligible(query, access)
        pool = self._pool(query.where, eligible, access)
        answer = self._ask(query, eligible, pool, access)
        missing = 0
        if query.channel is not Channel.REPORT:
            missing = len(eligible - pool.studies())
        if missing:
            log.warning(
                "%d of %d eligible studies have no vector in generation %s",
                missing,
                len(eligible),
                self._index.generation,
            )
        return Ranking(
            query=query,
            eligible=len(eligible),
            missing=missing,
            hits=self._hits(answer, pool, query.where, access),
            encoder_id=self._index.encoder_id,
            generation=self._index.generation,
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

    def _ask(
        self, query: Query, eligible: frozenset[StudyId], pool: Pool, access: Access
    ) -> _Answer:
        if query.channel is Channel.VIDEO:
            vector = self._vector(query, access)
            return _Answer(pool.nearest(vector, query.limit), vector, {})
        limit = query.limit if query.channel is Channel.REPORT else None
        matches = self._catalog.search_reports(query.text, query.where, limit=limit, access=access)
        matches = [match for match in matches if match[0] in eligible]
        sentences = {study: sentence for study, _, sentence in matches}
        reports = [(study, score) for study, score, _ in matches]
        if query.channel is Channel.REPORT:
            return _Answer(reports, None, sentences)
        vector = self._vector(query, access)
        videos = pool.nearest(vector, None)
        fused = fuse([study for study, _ in videos], [study for study, _ in reports])
        return _Answer(fused[: query.limit], vector, sentences)

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

    def _hits(self, answer: _Answer, pool: Pool, where: Filter, access: Access) -> tuple[Hit, ...]:
        ids = [study for study, _ in answer.order]
        studies = self._catalog.studies(ids, access=access)
        impressions = self._catalog.impressions(ids, access=access)
        clips = self._evidence(ids, answer.vector, pool, where, access)
        return tuple(
            Hit(
                rank=rank,
                score=score,
                study=study,
                evidence=Evidence(
                    clip=clips[study.id][0],
                    score=clips[study.id][1],
                    sentence=answer.sentences.get(study.id),
                ),
                impression=impressions.get(study.id),
            )
            for rank, (study, (_, score)) in enumerate(
                zip(studies, answer.order, strict=True), start=1
            )
        )

    def _evidence(
        self,
        ids: list[StudyId],
        vector: Embeddings | None,
        pool: Pool,
        where: Filter,
        access: Access,
    ) -> dict[StudyId, tuple[ClipRecord, float | None]]:
        best: dict[StudyId, tuple[ClipId, float]] = {}
        if vector is not None:
            best = pool.best_clips(vector, ids)
        named = self._catalog.clips_named([clip for clip, _ in best.values()], access=access)
        found: dict[StudyId, tuple[ClipRecord, float | None]] = {
            record.study: (record, best[record.study][1]) for record in named
        }
        for study in ids:
            if study not in found:
                clips = self._catalog.clips(study, access=access)
                found[study] = (representative(study, clips, where), None)
        return found


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
