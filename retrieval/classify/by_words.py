"""Zero-shot: a finding in words, scored as the searcher asks for it, spread over its phrasings."""

import numpy as np

from retrieval.classify.answer import Answer, Interval, places, ranked
from retrieval.errors import UsageError
from retrieval.search.asked import Asked
from retrieval.search.searcher import Searcher
from retrieval.values.machine_finding import Method
from retrieval.values.query import Access, Channel, Filter, Query
from retrieval.values.study import StudyId


def by_words(searcher: Searcher, finding: str, where: Filter, *, access: Access) -> Answer:
    """Score every eligible study for one finding, or for a prompt of one's own.

    A score is the cosine with the mean direction of all phrasings. The spread
    of a study's place is the range of its percentiles by that direction and by
    each phrasing alone: scores of different phrasings lie on different levels,
    their orders can be compared.

    Raises
    ------
    UsageError
        Nothing is asked of the images, or no study is left to compare.
    """
    query = Query(text=finding, limit=None, where=where, channel=Channel.VIDEO)
    planned, eligible, pool = searcher.compared(query, access=access)
    asked = planned.asked
    if not asked or planned.like:
        raise UsageError(
            f"{finding!r} asks nothing of the images; give a finding that is to be there, such "
            "as: dilated left ventricle"
        )
    whole = dict(pool.nearest(searcher.direction(asked), None))
    if not whole:
        raise UsageError(f"no eligible study can be scored for {finding!r}; widen the filters")
    phrasings = tuple(dict.fromkeys(phrasing for one in asked for phrasing in one.phrasings))
    intervals: dict[StudyId, Interval] = {}
    if len(phrasings) > 1:
        directions = (searcher.direction([Asked((one,))]) for one in phrasings)
        intervals = _ranges([whole, *(dict(pool.nearest(one, None)) for one in directions)])
    return Answer(
        question=finding,
        method=Method.PROMPTS,
        asked=phrasings,
        narrowed=planned.words,
        recognised=bool(planned.wanted),
        spread=_spread(len(phrasings)),
        places=ranked(whole, intervals),
        eligible=len(eligible),
        missing=len(eligible) - len(whole),
    )


def _ranges(several: list[dict[StudyId, float]]) -> dict[StudyId, Interval]:
    """From the least to the greatest percentile of each study, over several orders of them."""
    studies = sorted(several[0])
    found = np.stack([places(np.array([its[study] for study in studies])) for its in several])
    lows, highs = found.min(axis=0).tolist(), found.max(axis=0).tolist()
    return dict(zip(studies, zip(lows, highs, strict=True), strict=True))


def _spread(phrasings: int) -> str:
    if phrasings == 1:
        return "one phrasing tells nothing of its own spread, so there is no interval"
    return f"intervals are the range over {phrasings} phrasings"
