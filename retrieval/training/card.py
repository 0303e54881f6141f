"""What a run was made of, and the model card that says so: facts only."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.errors import UsageError
from retrieval.training.folder import write_json, write_text
from retrieval.training.pairs import Pair
from retrieval.training.recipe import Recipe

CARD = "README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a run is made of.

    Attributes
    ----------
    training, asked
        Pairs trained on, and pairs kept for validation.
    left_out
        Indexed studies that are neither, by reason.
    """

    recipe: Recipe
    training: Sequence[Pair]
    asked: Sequence[Pair]
    left_out: Mapping[str, int]

    def counts(self) -> dict[str, Any]:
        """How many of what; sites by their codes."""
        sites = Counter(pair.site for pair in (*self.training, *self.asked))
        return {
            "training": {"patients": _patients(self.training), "studies": len(self.training)},
            "validation": {"patients": _patients(self.asked), "studies": len(self.asked)},
            "sentences": sum(len(pair.sentences) for pair in self.training),
            "left_out": dict(self.left_out),
            "studies_by_site": dict(sorted(sites.items())),
        }

    def write_split(self, path: Path) -> None:
        """Write down who is on which side, by pseudonym.

        Raises
        ------
        UsageError
            Another split is there: the archive has changed since.
        """
        told = {
            "key": self.recipe.split.key,
            "share": self.recipe.split.validation,
            "training": [[pair.patient, pair.study] for pair in self.training],
            "validation": [[pair.patient, pair.study] for pair in self.asked],
            "left_out": dict(self.left_out),
        }
        if path.exists() and json.loads(path.read_text(encoding="utf-8")) != told:
            raise UsageError(
                f"the archive is not the one that {path} was split from; "
                "begin again in another --run folder"
            )
        write_json(path, told)


def write_card(
    folder: Path,
    facts: Facts,
    contract: Mapping[str, Any],
    notes: Mapping[str, Any],
    encoder: str,
) -> None:
    """Write a checkpoint's model card.

    Parameters
    ----------
    notes
        What the checkpoint's own description says: "steps", "scores", "session".
    """
    recipe, counts, session = facts.recipe, facts.counts(), notes["session"]
    scores = [f"| {name} | {value:.3f} |" for name, value in notes["scores"].items()]
    text = _TEMPLATE.format(
        encoder=encoder,
        recipe=recipe,
        loss=recipe.loss,
        trained=_both(counts["training"]),
        sentences=counts["sentences"],
        validated=_both(counts["validation"]),
        left_out=_listed(counts["left_out"]),
        sites=_listed(counts["studies_by_site"]),
        steps=notes["steps"],
        session=session,
        gpus=", ".join(session["gpus"]) or "no GPU",
        date=session["began"][:10],
        chosen=_CHOSEN if recipe.keep == "best" else "",
        scores="\n".join(scores),
        contract=json.dumps(contract, indent=1),
    )
    write_text(folder / CARD, text)


_CHOSEN = " This checkpoint was chosen by them, so they flatter."

_TEMPLATE = """# {encoder}

A dual encoder for cardiac MRI ({recipe.encoder} architecture), trained by `cineseek train` on
the studies and reports of one archive. It retrieves earlier cases for reference and teaching;
it is not a diagnostic device.

Its weights were made from studies and reports of that archive. Treat them as the archive
itself, and ask before they leave the site.

## Made of

| | |
|---|---|
| start | {recipe.start} |
| trained on | {trained}, {sentences} sentences |
| validated on | {validated}, none of them trained on |
| left out | {left_out} |
| sites | {sites} |
| loss | {loss.kind}, temperature {loss.temperature:g}, targets {loss.targets} |
| steps | {steps} of {recipe.batch} studies, seed {recipe.seed}, {recipe.precision} |
| revision | {session[revision]} |
| machine | {session[machine]}, {session[cores]} cores, {gpus} |
| date | {date} |

## Scores

On the {validated} kept for validation.{chosen} One report answers a study and one study a
report; ties count as chance decides them. AUC by finding takes what reports state or deny as
the truth.

| | |
|---|---|
{scores}

## Input contract

```json
{contract}
```

## Use

`cineseek-index reindex --encoder FOLDER` embeds the archive beside what is live and switches
only if that passes. Scores on another archive are not known.
"""


def _patients(pairs: Sequence[Pair]) -> int:
    return len({pair.patient for pair in pairs})


def _both(count: Mapping[str, int]) -> str:
    return f"{count['studies']} studies of {count['patients']} patients"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"
