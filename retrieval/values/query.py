"""Questions and their answers."""

from dataclasses import dataclass, field
from enum import StrEnum

from retrieval.values.clip import ClipRecord
from retrieval.values.embedding import EncoderId
from retrieval.values.reliability import Badge, Belief, Conviction
from retrieval.values.study import Sex, Study, StudyId, Technique, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Whose eyes a reading method serves. It has no default anywhere.

    Attributes
    ----------
    sites
        Site codes whose studies may be seen; None stands for every site.
    unreleased
        Whether studies not yet released may be seen.
    """

    sites: frozenset[str] | None
    unreleased: bool = False


LOCAL_OPERATOR = Access(sites=None, unreleased=True)
"""The person at this machine's own command line, who owns the files anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Hard constraints. Empty means no constraint; sets are "any of".

    Views and techniques must meet in one clip of the study, and the evidence
    shown then meets them too. A study whose age (sex, ...) is unknown does not
    pass a filter on it. Bounds are inclusive.
    """

    views: frozenset[View] = frozenset()
    techniques: frozenset[Technique] = frozenset()
    sexes: frozenset[Sex] = frozenset()
    age_from: int | None = None
    age_to: int | None = None
    field_strengths_t: frozenset[float] = frozenset()
    vendors: frozenset[str] = frozenset()
    year_from: int | None = None
    year_to: int | None = None


class Verdict(StrEnum):
    """What a report says of something that was asked. Silence is no verdict."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    LEFT_OPEN = "leaves open"
    NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a study's newest report says of one chip of the query.

    Attributes
    ----------
    chip
        As in `Query.chips`.
    sentence
        The sentence behind it, on one line.
    """

    chip: str
    verdict: Verdict
    sentence: str


class Channel(StrEnum):
    """Where the ranking of an answer comes from."""

    VIDEO = "video"
    REPORT = "report"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question in plain words, an example study, or both.

    Attributes
    ----------
    text
        What is looked for.
    chips
        What the text means, one line each (`retrieval.search.understand.lines`),
        in place of what it would be understood as; None to have it understood.
    literal
        Take the text as it is: all of it goes to the encoder, nothing is understood.
    like
        Find the studies nearest to this one (itself left out).
    limit
        How many hits; None ranks every eligible study.
    other_patients
        With `like`: leave out all studies of the same patient, not only this one.
    collapsed
        Make one hit of all studies of a patient, and of studies sent twice
        (`retrieval.search.collapse`); `limit` then counts such hits.
    """

    text: str = ""
    chips: tuple[str, ...] | None = None
    literal: bool = False
    like: StudyId | None = None
    limit: int | None = 12
    where: Filter = field(default_factory=Filter)
    channel: Channel = Channel.VIDEO
    other_patients: bool = False
    collapsed: bool = False


FILTER = "filter"
"""In `Ranking.channels`: all that are meant, the newest first; no score means anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What made a study rank: its best-matching clip and that clip's own score.

    Attributes
    ----------
    clip
        A clip that meets the query's filter.
    score
        The clip's own cosine with the query, or None where the encoder embeds
        studies as a whole only; then the clip merely represents the study.
    sentence
        The report sentence that matched, or None.
    """

    clip: ClipRecord
    score: float | None = None
    sentence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """A study that lies under a hit.

    Attributes
    ----------
    rank
        1-based, among all studies, as if each were a hit.
    copy
        False for a study of the hit's patient; True for one that is another
        patient's by name, with practically the same images.
    """

    rank: int
    score: float
    study: Study
    copy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One study that answers a query.

    Attributes
    ----------
    rank
        1-based, among hits.
    said
        What its report says of what was asked, chip by chip; silence is left out.
    beliefs
        What images say of the wanted findings that were assessed on this archive.
    others
        What `Query.collapsed` folds under it, best first.
    """

    rank: int
    score: float
    study: Study
    evidence: Evidence
    impression: str | None
    said: tuple[Said, ...] = ()
    beliefs: tuple[Belief, ...] = ()
    others: tuple[Further, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The hits for one query, best first, and what produced them.

    Attributes
    ----------
    eligible
        Studies that passed filter and permissions; every one but `missing` was compared.
    narrowed
        Words of the query that became a filter, as they were typed.
    chips, free
        What the query was understood as, and what no chip stands for.
    channels
        Whose rankings made this one: "words", "example", "reports"; or `FILTER`
        alone, where only whose studies are meant was said.
    answers
        How many hits there are without a limit.
    folded
        Studies that lie under a hit, whatever the limit (`Hit.others`).
    set_aside
        Eligible studies that are no hit because their report says otherwise:
        it states what was to be absent, or a number that was not asked for.
    badges
        How far images can be relied on for each wanted finding, by its chip.
    conviction
        Whether any hit is convincing; None where only examples were asked, or
        no study was eligible.
    above_unrelated
        Where words were asked that no chip stands for and no report says: the
        share of unrelated texts whose best score is lower.
    missing
        Eligible studies of which this generation has no vector, because they
        were embedded after it was published or its encoder sees nothing in them.
    """

    query: Query
    eligible: int
    hits: tuple[Hit, ...]
    encoder_id: EncoderId
    generation: str
    missing: int = 0
    narrowed: tuple[str, ...] = ()
    chips: tuple[str, ...] = ()
    free: str = ""
    channels: tuple[str, ...] = ()
    answers: int = 0
    folded: int = 0
    set_aside: int = 0
    badges: tuple[tuple[str, Badge], ...] = ()
    conviction: Conviction | None = None
    above_unrelated: float | None = None

    @property
    def listed(self) -> bool:
        """Whether this is a list of all that are meant, and no ranking."""
        return self.channels == (FILTER,)
