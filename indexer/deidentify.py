"""The last code that sees whose heart it is.

What a study keeps, and under which options of DICOM PS3.15 Annex E, is listed
in docs/deidentification.md. Everything else stays in the vault or is dropped.
"""

import json
import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import TypeGuard

from indexer import scanners
from indexer.cleaning import clean_text, identifying_words
from indexer.raw import RawFile, RawStudy
from retrieval.values.study import Patient, PatientId, Scanner, Sex, State, Study
from retrieval.vault.pseudonyms import Pseudonyms

__all__ = ["Deidentified", "clean_text", "deidentify"]

OLDEST_AGE = 90
"""Ages from here on are one group, as in the HIPAA safe harbour (45 CFR 164.514(b)(2)(i)(C))."""

HUMAN_AGE = 125
HEIGHT_M = (0.4, 2.5)
WEIGHT_KG = (1.0, 400.0)
BODY_MASS_INDEX = (8.0, 90.0)
"""Height and weight that give less or more are a slip of units; neither is kept."""

HEART_RATE_BPM = (25.0, 220.0)
FIELD_STRENGTH_T = (0.05, 12.0)
YEARS = (1975, 2100)

_AGE = re.compile(r"(\d{1,3})([DWMY])")
_YEARS_IN = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}

Secret = tuple[str, str, dict[str, str]]
"""(pseudonym, kind, payload) for the vault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deidentified:
    """A study without its patient.

    Attributes
    ----------
    study
        Pending and without series: the caller knows what became of them.
    accession_key
        Keyed pseudonym of the accession number, or None.
    secrets
        For the vault: kinds "study" (study_uid, source, accession,
        identifiers as JSON), "series"
        (series_uid, instances as JSON: path to UID) and "patient" (patient_id,
        issuer).
    """

    study: Study
    accession_key: str | None
    secrets: tuple[Secret, ...]


def deidentify(raw: RawStudy, pseudonyms: Pseudonyms, *, site: str) -> Deidentified:
    """Take the patient out of a study.

    Parameters
    ----------
    site
        Code of the site, from the settings; nothing of the headers.
    """
    patient = patient_key(raw, pseudonyms)
    year, day = study_day(raw.study_date)
    shifted = None if day is None else day + timedelta(days=pseudonyms.shift_days(patient))
    study = Study(
        id=pseudonyms.study(raw.uid),
        patient=_patient(raw, patient, day),
        site=site,
        state=State.PENDING,
        year=year,
        acquired_on=shifted,
        scanner=_scanner(raw),
        contrast=raw.contrast,
        heart_rate_bpm=_heart_rate(raw),
    )
    return Deidentified(
        study=study,
        accession_key=pseudonyms.accession(raw.accession) if raw.accession else None,
        secrets=tuple(_secrets(raw, study, pseudonyms)),
    )


def patient_key(raw: RawStudy, pseudonyms: Pseudonyms) -> PatientId:
    """Pseudonym of the patient; a study that names none is a patient of its own."""
    if raw.patient_id:
        return pseudonyms.patient(raw.issuer, raw.patient_id)
    return pseudonyms.patient("study of nobody", raw.uid)


def study_day(text: str) -> tuple[int | None, date | None]:
    """Read a DICOM date: (year, day), either None where it is not there.

    20120000 has a year and no day. ACR-NEMA's 2012.05.03 is read too.
    """
    digits = text.strip().replace(".", "").replace("-", "")
    if not re.fullmatch(r"\d{4}|\d{6}|\d{8}", digits, re.ASCII):
        return None, None
    year = int(digits[:4])
    if not YEARS[0] <= year <= YEARS[1]:
        return None, None
    return year, _day(digits)


def _day(digits: str) -> date | None:
    if len(digits) != len("YYYYMMDD"):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:  # 20120000, 20230231
        return None


def _patient(raw: RawStudy, key: PatientId, day: date | None) -> Patient:
    height, weight = _body(raw.height_m, raw.weight_kg)
    bsa = None if height is None or weight is None else math.sqrt(height * weight / 3600)
    return Patient(
        id=key,
        sex=Sex(raw.sex) if raw.sex in {s.value for s in Sex} else None,
        age_years=_age(raw, day),
        height_cm=height,
        weight_kg=weight,
        bsa_m2=None if bsa is None else round(bsa, 2),
    )


def _body(height_m: float | None, weight_kg: float | None) -> tuple[float | None, float | None]:
    """Height in cm and weight in kg, None where implausible."""
    height = height_m if _inside(height_m, HEIGHT_M) else None
    weight = weight_kg if _inside(weight_kg, WEIGHT_KG) else None
    index = None if height is None or weight is None else weight / height**2
    if index is not None and not _inside(index, BODY_MASS_INDEX):
        return None, None
    return (
        None if height is None else round(100 * height, 1),
        None if weight is None else round(weight, 1),
    )


def _age(raw: RawStudy, day: date | None) -> int | None:
    """Whole years from PatientAge, else from the birth date; 90 and over are 90."""
    years = _stated_age(raw.age)
    if years is None:
        years = _counted_age(raw.birth_date, day)
    if years is None or not 0 <= years <= HUMAN_AGE:
        return None
    return min(years, OLDEST_AGE)


def _stated_age(text: str) -> int | None:
    said = _AGE.fullmatch(text.strip().upper())
    if said is None:
        return None
    return int(int(said.group(1)) / _YEARS_IN[said.group(2)])


def _counted_age(birth: str, day: date | None) -> int | None:
    born = _day(birth.strip().replace(".", "").replace("-", ""))
    if born is None or day is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _scanner(raw: RawStudy) -> Scanner:
    identifying = identifying_words(raw.identifiers)
    field = raw.field_strength_t
    return Scanner(
        vendor=scanners.vendor(raw.manufacturer),
        model=scanners.model(raw.model, identifying),
        software=scanners.software(raw.software, identifying),
        field_strength_t=round(field, 2) if _inside(field, FIELD_STRENGTH_T) else None,
    )


def _heart_rate(raw: RawStudy) -> float | None:
    """Median over the frames that give a rate or an RR interval, in beats per minute."""
    frames = [frame for series in raw.series for frame in series.frames]
    stated = _plausible(f.heart_rate_bpm for f in frames)
    timed = _plausible(60_000 / f.rr_ms for f in frames if f.rr_ms)
    rates = stated or timed
    return round(median(rates), 1) if rates else None


def _plausible(rates: Iterable[float | None]) -> list[float]:
    return [r for r in rates if _inside(r, HEART_RATE_BPM)]


def _inside(value: float | None, bounds: tuple[float, float]) -> TypeGuard[float]:
    return value is not None and math.isfinite(value) and bounds[0] <= value <= bounds[1]


def _secrets(raw: RawStudy, study: Study, pseudonyms: Pseudonyms) -> Iterable[Secret]:
    """What a clinician may reveal, and the words that reports to come must be cleaned of."""
    paths = [os.fspath(file.path.absolute().parent) for file in raw.files]
    source = os.path.commonpath(paths) if paths else ""
    about = {
        "study_uid": raw.uid,
        "source": source,
        "accession": raw.accession,
        "identifiers": json.dumps(raw.identifiers),
    }
    yield study.id, "study", about
    if raw.patient_id:
        yield study.patient.id, "patient", {"patient_id": raw.patient_id, "issuer": raw.issuer}
    by_series: dict[str, list[RawFile]] = {}
    for file in raw.files:
        if file.series_uid:
            by_series.setdefault(file.series_uid, []).append(file)
    for uid, files in by_series.items():
        instances = {os.fspath(f.path.absolute()): f.instance_uid for f in files}
        payload = {"series_uid": uid, "instances": json.dumps(instances)}
        yield pseudonyms.series(uid), "series", payload
