"""Keyed pseudonyms and date shifts (PS3.15 E.3.5-E.3.6: consistent, not reversible without a key).

A pseudonym is the first 96 bits of HMAC-SHA-256, in 24 lower-case hexadecimal
digits. Each kind of name has a key of its own, so a StudyInstanceUID and a
SeriesInstanceUID of the same digits have unrelated pseudonyms. 96 bits among
a hundred million names collide with a probability below 1e-12.
"""

import hashlib
import hmac

from retrieval.values.study import PatientId, SeriesId, StudyId
from retrieval.vault.keys import Keys

_DIGITS = 24
_PADDING = " \0"
"""What DICOM pads text and UIDs with (PS3.5 6.2); it says nothing."""

LONGEST_SHIFT = 364
"""Days, either way: no date moves by a full year."""


class Pseudonyms:
    """Gives every identifier its pseudonym. The same key gives the same ones for ever."""

    def __init__(self, keys: Keys) -> None:
        self._keys = {
            kind: keys.subkey(f"pseudonym {kind}")
            for kind in ("study", "series", "instance", "patient", "path", "accession")
        }
        self._shift = keys.subkey("date shift")

    def study(self, uid: str) -> StudyId:
        """Pseudonym of a StudyInstanceUID (0020,000D)."""
        return StudyId(self._name("study", uid.strip(_PADDING)))

    def series(self, uid: str) -> SeriesId:
        """Pseudonym of a SeriesInstanceUID (0020,000E)."""
        return SeriesId(self._name("series", uid.strip(_PADDING)))

    def instance(self, uid: str) -> str:
        """Pseudonym of a SOPInstanceUID (0008,0018)."""
        return self._name("instance", uid.strip(_PADDING))

    def patient(self, issuer: str, patient_id: str) -> PatientId:
        """Pseudonym of a PatientID (0010,0020) within its issuer (0010,0021)."""
        return PatientId(self._name("patient", issuer.strip(_PADDING), patient_id.strip(_PADDING)))

    def path(self, path: str) -> str:
        """Pseudonym of a file's path, taken as it is."""
        return self._name("path", path)

    def accession(self, number: str) -> str:
        """Pseudonym of an AccessionNumber (0008,0050)."""
        return self._name("accession", number.strip(_PADDING))

    def shift_days(self, patient: PatientId) -> int:
        """Days to add to every date of a patient: -364 to -1 or 1 to 364, never 0."""
        drawn = int.from_bytes(hmac.digest(self._shift, patient.encode(), "sha256")[:8], "big")
        days = drawn % (2 * LONGEST_SHIFT) - LONGEST_SHIFT
        return days if days < 0 else days + 1

    def _name(self, kind: str, *parts: str) -> str:
        # Each part with its length, so that no two lists of parts read the same.
        message = b"".join(
            len(part).to_bytes(8, "big") + part
            for part in (p.encode("utf-8", "surrogateescape") for p in parts)
        )
        return hmac.new(self._keys[kind], message, hashlib.sha256).hexdigest()[:_DIGITS]
