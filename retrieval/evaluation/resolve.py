"""Whom a file means by a study: our pseudonym, or the original UID where the key is here."""

from collections.abc import Collection

from retrieval.errors import UsageError
from retrieval.values.study import StudyId
from retrieval.vault.pseudonyms import Pseudonyms


class Resolver:
    """Finds studies by either name.

    Parameters
    ----------
    known
        Every study of the archive, in whatever state.
    pseudonyms
        None where the archive's key is not at hand; then only our own ids resolve.
    """

    def __init__(self, known: Collection[StudyId], pseudonyms: Pseudonyms | None) -> None:
        self._known = frozenset(known)
        self._pseudonyms = pseudonyms

    def find(self, name: str) -> StudyId | None:
        """Return the study, or None if the archive has none of that name."""
        name = name.strip()
        if name in self._known:
            return StudyId(name)
        if self._pseudonyms is None or not name:
            return None
        study = self._pseudonyms.study(name)
        return study if study in self._known else None

    def require(self, name: str, *, where: str) -> StudyId:
        """Return the study, or raise UsageError that names it and says where it was asked for."""
        study = self.find(name)
        if study is None:
            hint = "" if self._pseudonyms else "; original UIDs need CINESEEK_KEY_FILE"
            raise UsageError(f"{where}: no study {name} in this archive{hint}")
        return study
