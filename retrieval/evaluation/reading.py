"""The whole reading of labelled studies: an encoder, its untrained controls, the ceilings."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.evaluation import labelled
from retrieval.evaluation.ceilings import Ceilings, ceilings
from retrieval.evaluation.cohort import Cohort
from retrieval.evaluation.labelled import LabelScores
from retrieval.evaluation.prompts import Prompts
from retrieval.evaluation.seen import Seen
from retrieval.values.query import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Scores that belong side by side.

    Attributes
    ----------
    controls
        Untrained networks of the same shape, scored the same way; may be none.
    ceilings
        None where nothing was measured.
    """

    scores: LabelScores
    controls: tuple[LabelScores, ...]
    ceilings: Ceilings | None


def read_all(
    seen: Seen, controls: Sequence[Seen], cohort: Cohort, prompts: Prompts, *, access: Access
) -> Reading:
    """Score an encoder and its controls on a cohort."""
    return Reading(
        scores=labelled.read(seen, cohort, prompts, access=access),
        controls=tuple(labelled.read(c, cohort, prompts, access=access) for c in controls),
        ceilings=ceilings(cohort, prompts),
    )
