"""What severities mean in numbers, by the project's one table of reference ranges."""

from collections.abc import Sequence

from retrieval.language.reference_ranges import Limit, reference_ranges
from retrieval.search.understand.chips import SeverityRange
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.terms import Term
from retrieval.values.study import Sex


def severity_range(term: Term, severity: Sequence[str]) -> SeverityRange | None:
    """Resolve the severities of a finding; none named stands for the finding as such.

    Several ("mild to moderate") reach from where the least begins to where the
    worst ends.

    Returns
    -------
    SeverityRange or None
        None where the table has no limits for one of them: "extensive scar".
    """
    named = [term.limits.get(one) for one in severity or ("stated",)]
    limits = [_limits(names) for names in named if names]
    if not limits or len(limits) < len(named):
        return None
    first = limits[0][0]
    return SeverityRange(
        quantity=first.quantity,
        unit=first.unit,
        female=_span(limits, Sex.FEMALE),
        male=_span(limits, Sex.MALE),
    )


def _limits(names: Sequence[str]) -> list[Limit]:
    return [reference_ranges().limits[name] for name in names]


def _span(limits: Sequence[Sequence[Limit]], sex: Sex) -> Interval:
    begins = [one[0].value(sex) for one in limits]
    ends = [one[1].value(sex) if len(one) > 1 else None for one in limits]
    if limits[0][0].above:
        begin = min(begins)
        end = None if None in ends else max(e for e in ends if e is not None)
        return Interval(begin, end, holds_high=end is not None)
    begin = max(begins)
    end = None if None in ends else min(e for e in ends if e is not None)
    return Interval(end, begin, holds_low=end is not None)
