"""Adapt the shipped encoder to a site with another scanner and another way of writing reports.

    python -m tests.bench.site_adaptation WORK [--studies 200] [--steps 120]

The same simulated hearts are shown as another scanner shows them (flatter
contrast, coil shading, softer, noisier) and told in the house style of other
people. Prints what the encoder as it ships and the adapted one make of
patients that adaptation never saw: there, and at home.
"""

import argparse
from pathlib import Path

from retrieval.training.inputs import Inputs
from retrieval.training.learners import open_learner
from retrieval.training.pairs import read_pairs, split
from retrieval.training.ranking import Ranking
from retrieval.training.recipe import PhantomSettings, Recipe, read_recipe
from retrieval.values.query import LOCAL_OPERATOR
from tests.bench.site_homes import (
    RECIPES,
    another_scanner,
    another_style,
    elsewhere,
    opened,
    simulated,
    train,
)

SHOWN = ("score", "text to study recall@1", "text to study recall@10",
         "text to study median rank", "study to text recall@10", "mean auc")  # fmt: skip


def scores(home: Path, start: str, recipe: Recipe) -> dict[str, float]:
    """What an encoder makes of a home's validation patients."""
    learner = open_learner(Recipe(start=start, phantom=PhantomSettings()), "cpu")
    catalog, clips = opened(home)
    inputs = Inputs(home / "training" / "inputs", learner, clips)
    pairs = read_pairs(catalog, learner.sees, access=LOCAL_OPERATOR).pairs
    _, asked = split(pairs, key=recipe.split.key, share=recipe.split.validation)
    return Ranking(asked, inputs, learner).scores(learner.network)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--steps", type=int, default=120)
    given = parser.parse_args()
    home = simulated(given.work, given.studies)
    site = elsewhere(home, given.work / "elsewhere", another_scanner, another_style)
    text = (RECIPES / "adapt.toml").read_text(encoding="utf-8")
    text = text.replace("epochs = 12", f"steps = {given.steps}\nthreads = 2")
    folder = given.work / f"adapted-{given.steps}"
    checkpoint = train(site, folder, text)
    recipe = read_recipe(folder.with_suffix(".toml"))
    table = {
        (place, name): scores(where, start, recipe)
        for place, where in (("there", site), ("at home", home))
        for name, start in (("shipped", "phantom"), ("adapted", str(checkpoint)))
    }
    print(f"{'':28}  " + "  ".join(f"{place}, {name}" for place, name in table))
    for row in SHOWN:
        cells = (f"{found[row]:{len(place) + len(name) + 2}.3f}"
                 for (place, name), found in table.items())  # fmt: skip
        print(f"{row:28}  " + "  ".join(cells))


if __name__ == "__main__":
    main()
