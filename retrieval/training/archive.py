"""Train an encoder on the studies and reports of an archive.

Reads top to bottom: studies that have a report become pairs; patients are
parted into those to train on and those to ask about; every step draws studies
and some of their words, varies the studies, and asks which words are true of
which. All randomness of a step follows from the seed and the step's number, so
a run that was killed goes on as if it never had been.

    RUN/split.json   who is trained on and who is asked about, by pseudonym
    RUN/state.pt     weights, their average, optimiser, step
    RUN/checkpoint/  the encoder, ready for `cineseek-index reindex --encoder`

beside what every run writes; see `retrieval.training.folder`.
"""

import math
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator

from retrieval.errors import UsageError
from retrieval.ports import CatalogReader, ClipStore
from retrieval.training.bars import counted, steps
from retrieval.training.card import Facts
from retrieval.training.draws import Loader, Schedule
from retrieval.training.folder import RunFolder
from retrieval.training.inputs import Inputs
from retrieval.training.learners import open_learner
from retrieval.training.pairs import read_pairs, split
from retrieval.training.ranking import Ranking
from retrieval.training.recipe import Recipe
from retrieval.training.run import Run
from retrieval.values.query import LOCAL_OPERATOR

FEWEST_ASKED = 2
"""Studies that must be there for validation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Where pairs come from, and where what is read of them is kept."""

    catalog: CatalogReader
    clips: ClipStore
    cache: Path


def train(
    recipe: Recipe,
    folder: RunFolder,
    archive: Archive,
    *,
    device: str = "cpu",
    quiet: bool = False,
) -> Path:
    """Train, or go on training; returns the checkpoint's folder.

    Raises
    ------
    UsageError
        There are too few pairs, the recipe or the archive is not what it was
        when this run began, or the rate is so high that the loss is no number.
    """
    if ":" in device:
        raise UsageError(f"device is {device}; choose GPUs for training by CUDA_VISIBLE_DEVICES")
    torch.set_num_threads(recipe.threads)
    precision = "bf16" if recipe.precision == "bf16" else "no"
    accelerator = Accelerator(cpu=device == "cpu", mixed_precision=precision)
    if accelerator.is_main_process:
        folder.begin(recipe.as_json())
    learner = open_learner(recipe, str(accelerator.device))
    found = read_pairs(archive.catalog, learner.sees, access=LOCAL_OPERATOR)
    inputs = Inputs(archive.cache, learner, archive.clips)
    quiet = quiet or not accelerator.is_main_process
    with accelerator.main_process_first(), counted("read", quiet=quiet) as progress:
        usable, refused = inputs.usable(found.pairs, progress)
    parting = recipe.split
    training, asked = split(usable, key=parting.key, share=parting.validation, first=parting.first)
    left_out = dict(Counter(refused) + Counter(found.left_out))
    facts = Facts(recipe=recipe, training=training, asked=asked, left_out=left_out)
    _require_enough(facts, accelerator.num_processes)

    schedule = Schedule(training, recipe)
    run = Run(recipe, folder, learner, accelerator, facts)
    run.part_patients()
    run.resume()
    ranking = Ranking(asked, inputs, learner)
    if run.step == 0:
        run.validate(ranking)
    last = recipe.steps or round(recipe.epochs * schedule.per_epoch)
    loader = Loader(inputs, recipe)
    mine = (run.share_of(schedule.draws(step)) for step in range(run.step, last))
    bar = steps(run.step, last, quiet=quiet)
    for step, parts in zip(bar, loader.walk(mine), strict=True):
        began = time.perf_counter()
        run.set_rate(rate_share(step, schedule.per_epoch, last, recipe))
        loss = run.update(parts, schedule.draws(step))
        run.step = step + 1
        run.log({"loss": loss, "scale": float(run.objective.scale.detach()), "rate": run.rate,
                 "seconds": time.perf_counter() - began})  # fmt: skip
        if run.step == last or run.step % recipe.validate_every == 0:
            run.validate(ranking)
        if run.step == last or run.step % recipe.checkpoint_every == 0:
            run.save_state()
    return run.finish()


def rate_share(step: int, per_epoch: int, last: int, recipe: Recipe) -> float:
    """Share of the peak rate: a line up to it, then a cosine down to its end."""
    at, end = step / per_epoch, last / per_epoch
    if recipe.rate_moves == "epoch":
        at, end = math.floor(at), max(1.0, math.floor(end))
    if at < recipe.warmup_epochs:
        begun = (step + 1) / per_epoch if recipe.rate_moves == "step" else at
        share = min(1.0, begun / recipe.warmup_epochs)
        return recipe.warmup_from + (1 - recipe.warmup_from) * share
    late = (at - recipe.warmup_epochs) / max(end - recipe.warmup_epochs, 1e-9)
    return recipe.rate_end + (1 - recipe.rate_end) * (1 + math.cos(math.pi * min(1.0, late))) / 2


def _require_enough(facts: Facts, processes: int) -> None:
    batch, training, asked = facts.recipe.batch, len(facts.training), len(facts.asked)
    if asked < FEWEST_ASKED or training < batch:
        reasons = "; ".join(f"{count} left out: {why}" for why, count in facts.left_out.items())
        raise UsageError(
            f"{training} studies to train on and {asked} to ask about ({reasons or 'no more'})"
            f"; a batch of {batch} and {FEWEST_ASKED} to ask about are needed: ingest more studies "
            "with reports, or lower batch"
        )
    if batch % processes:
        raise UsageError(f"a batch of {batch} cannot be shared by {processes} processes")
