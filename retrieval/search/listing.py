"""Studies of whom a query says only whose they are: a list, in an order that means nothing more."""

from collections.abc import Collection

from retrieval.ports import CatalogReader
from retrieval.values.query import Access
from retrieval.values.study import StudyId


def newest_first(
    studies: Collection[StudyId], catalog: CatalogReader, *, access: Access
) -> dict[StudyId, float]:
    """The studies by year, the newest first and those without one last, then by id.

    None is nearer to the query than another, so all score 0.
    """
    known = catalog.studies(sorted(studies), access=access)
    known.sort(key=lambda study: -1 if study.year is None else study.year, reverse=True)
    return {study.id: 0.0 for study in known}
