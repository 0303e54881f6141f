"""How things are named on screen."""

from collections.abc import Iterable
from datetime import datetime

from retrieval.values.clip import ClipRecord
from retrieval.values.study import Patient, Scanner, Study, StudyId, Technique, View

TECHNIQUES = {
    Technique.T1_MAP: "T1 map",
    Technique.T2_MAP: "T2 map",
    Technique.T2_WEIGHTED: "T2-weighted",
    Technique.T2_STAR: "T2*",
}
"""Techniques whose value is not what a reader would write."""

LEVELS = ("base", "mid", "apex")
MIN_LEVELS = 3

POOLED_AGE = 90
"""Ages from here on are pooled (`Patient.age_years`)."""


def study_name(study: StudyId) -> str:
    """A short name to read aloud: the first eight digits of the pseudonym, in fours."""
    return f"{study[:4]} {study[4:8]}".upper()


def technique_name(technique: Technique) -> str:
    """A technique as a reader would write it."""
    return TECHNIQUES.get(technique, technique.value)


def level(clip: ClipRecord) -> str:
    """Third of the stack a short-axis slice lies in, or nothing for other clips.

    Where the source says nothing of orientation, its ends have no name.
    """
    if clip.view is not View.SHORT_AXIS or clip.slice_count < MIN_LEVELS:
        return ""
    third = (2 * clip.slice_index + 1) * len(LEVELS) // (2 * clip.slice_count)
    return LEVELS[third] if clip.oriented or LEVELS[third] == "mid" else ""


def clip_name(clip: ClipRecord) -> str:
    """View, level, technique and variant: "SAX mid · cine"."""
    plane = " ".join(part for part in (clip.view.value, level(clip)) if part)
    how = ", ".join(part for part in (technique_name(clip.technique), clip.variant) if part)
    return joined((plane, how))


def person(patient: Patient) -> str:
    """Sex and age: "F 67 y"; whatever is unknown is left out."""
    age = patient.age_years
    shown = "" if age is None else f"{age}+ y" if age >= POOLED_AGE else f"{age} y"
    return " ".join(part for part in (patient.sex or "", shown) if part)


def tesla(scanner: Scanner) -> str:
    """Field strength, or nothing."""
    value = scanner.field_strength_t
    return "" if value is None else f"{value:g} T"


def joined(parts: Iterable[str]) -> str:
    """The parts that say something, with a middle dot between them."""
    return " · ".join(part for part in parts if part)


def card_facts(study: Study) -> str:
    """Sex, age, year and field strength, in that order."""
    return (
        joined((person(study.patient), str(study.year or ""), tesla(study.scanner)))
        or "Sex, age, year and field strength not given"
    )


def study_facts(study: Study) -> str:
    """The line beside a study's name: person, year, scanner, heart rate, body surface."""
    scanner = " ".join(part for part in (study.scanner.vendor or "", tesla(study.scanner)) if part)
    rate = "" if study.heart_rate_bpm is None else f"{study.heart_rate_bpm:.0f} bpm"
    surface = "" if study.patient.bsa_m2 is None else f"BSA {study.patient.bsa_m2:.2f} m²"
    return joined((person(study.patient), str(study.year or ""), scanner, rate, surface))


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number and what it counts: "1 study", "1,284 studies"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def signed(value: float) -> str:
    """A score in three decimals, with a true minus."""
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def change(value: float) -> str:
    """What was added to a score or taken from it, its sign always shown."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def day(at: datetime) -> str:
    """A date as a reader would write it: "20 Nov 2026"."""
    return f"{at.day} {at:%b %Y}"


def studies(number: int) -> str:
    """So many studies, in words."""
    return count(number, "study", "studies")


LIKELIHOODS = ((0.9, "Very likely"), (0.7, "Likely"), (0.4, "Possible"))
"""Words for probabilities from these on; what is less is unlikely."""


def likelihood(probability: float) -> str:
    """A probability in words."""
    return next((word for least, word in LIKELIHOODS if probability >= least), "Unlikely")
