"""From headers to clips: what each series is, and which frames make one beat of one slice."""

from indexer.plan.assemble import assemble
from indexer.plan.plans import ClipPlan, SeriesPlan, StudyPlan
from indexer.plan.study import plan_study

__all__ = ["ClipPlan", "SeriesPlan", "StudyPlan", "assemble", "plan_study"]
