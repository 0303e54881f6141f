"""What an encoder's scores were found to be worth, kept beside the generation they were made with.

    generations/NAME/reliability.json

It comes from the archive's reports, so it changes while the generation does
not, and is no part of what the generation's name stands for.
"""

import json
from dataclasses import asdict
from pathlib import Path

from retrieval.durable import replace_file
from retrieval.errors import GenerationCorrupt
from retrieval.values.embedding import EncoderId
from retrieval.values.reliability import Calibration, Reliability

FILE = "reliability.json"
FORMAT = 1


def write(folder: Path, reliability: Reliability) -> None:
    """Put an assessment beside its generation, in place of an earlier one, in one step."""
    text = json.dumps({"format": FORMAT, **asdict(reliability)}, indent=1) + "\n"
    path = folder / reliability.generation / FILE
    replace_file(path, lambda fresh: fresh.write_text(text, encoding="utf-8"))


def read(folder: Path, generation: str) -> Reliability | None:
    """Read the assessment of a generation; None where it was never assessed.

    Raises
    ------
    GenerationCorrupt
        The file cannot be understood, or speaks of another generation.
    """
    try:
        told = json.loads((folder / generation / FILE).read_text(encoding="utf-8"))
        found = Reliability(
            encoder_id=EncoderId(told["encoder_id"]),
            generation=told["generation"],
            studies=told["studies"],
            trained_on=told["trained_on"],
            findings={term: Calibration(**its) for term, its in told["findings"].items()},
            too_few={term: (its[0], its[1]) for term, its in told["too_few"].items()},
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise _unreadable(generation, str(error)) from error
    if told["format"] != FORMAT or found.generation != generation:
        raise _unreadable(generation, f"format {told['format']} of {found.generation}")
    return found


def version(folder: Path, generation: str) -> int:
    """Another number for another assessment of a generation; 0 where there is none."""
    try:
        return (folder / generation / FILE).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _unreadable(generation: str, reason: str) -> GenerationCorrupt:
    remedy = "make it anew with: cineseek-index assess"
    return GenerationCorrupt(generation, f"{FILE} cannot be understood ({reason}); {remedy}")
