"""What a training run of the phantom encoder is made of. Saved in the checkpoint."""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from retrieval.encoder.phantom.inputs import InputContract
from retrieval.encoder.phantom.network import Architecture
from retrieval.errors import UnknownSetting

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run in two stages. One configuration on one machine gives the same weights again.

    In the first stage the trunk learns to see. In the second it rests: many
    studies are looked at once, and what reads them and the texts learns in
    large batches.

    Attributes
    ----------
    seed
        Of everything; simulated hearts of validation use other seeds.
    start
        Folder of a checkpoint to begin with; weights whose name and shape are
        the same are taken over. Empty: from nothing.
    steps, batch, rate
        First stage: steps, studies per step, peak rate of AdamW.
    read_steps, read_batch, read_rate
        The same of the second stage.
    read_shards, read_variants
        How many shards the second stage reads, and how many variants of each
        of their studies.
    shard
        Simulated studies that are rendered together.
    first_shards, pool_shards
        Shards in the pool of the first stage at the start, and at most.
    rare
        Share of a step's studies that are drawn from those in which one of
        `RARE_LESIONS` shows, which few do.
    steps_per_shard
        After so many steps a new shard enters and, if the pool is full, the
        oldest leaves: how often a study is seen follows from it.
    render_workers
        Processes that render shards ahead; 0 renders in the training process.
    singles, composites, reports
        Captions per step: one statement each, two to four joined, whole impressions.
    phrases_per_concept, composite_count, twin_count, report_count
        How many wordings are used, drawn once.
    word_noise, word_drop
        How much token states are blurred and how many words are lost; see `roughen`.
    warmup, weight_decay, ema
        Steps to reach the peak rate, AdamW's decay, and the weights' moving average.
    bfloat16
        Run the networks in automatic mixed precision while training.
    looks
        Share of studies whose pooled features may be looked at, not their
        geometry alone.
    partial, rank, measure
        Weights of the second stage's other losses: the studies seen in part,
        the order by size, the measurements. The matching of whole studies
        weighs 1.
    validate_every, validation_studies, checkpoint_every
        In steps; 0 studies switch validation off.
    """

    seed: int = 1
    device: str = "cpu"
    threads: int = 1
    start: str = ""
    steps: int = 3000
    batch: int = 32
    rate: float = 1.5e-3
    read_steps: int = 3000
    read_batch: int = 192
    read_rate: float = 1.0e-3
    read_shards: int = 80
    read_variants: int = 2
    shard: int = 256
    first_shards: int = 4
    pool_shards: int = 24
    steps_per_shard: int = 20
    rare: float = 0.25
    render_workers: int = 1
    singles: int = 128
    composites: int = 48
    reports: int = 16
    phrases_per_concept: int = 160
    composite_count: int = 4000
    twin_count: int = 800
    report_count: int = 2000
    word_noise: float = 0.2
    word_drop: float = 0.05
    warmup: int = 100
    weight_decay: float = 0.02
    ema: float = 0.998
    bfloat16: bool = False
    looks: float = 0.5
    partial: float = 0.5
    rank: float = 1.0
    measure: float = 0.3
    validate_every: int = 250
    validation_studies: int = 400
    checkpoint_every: int = 250
    architecture: Architecture = field(default_factory=Architecture)
    inputs: InputContract = field(default_factory=InputContract)


def mixed_precision(config: TrainConfig) -> torch.autocast:
    """The context in which networks run while training."""
    kind = config.device.split(":")[0]
    return torch.autocast(kind, torch.bfloat16, enabled=config.bfloat16)


def read_config(path: Path) -> TrainConfig:
    """Read a TOML file; `[architecture]` and `[inputs]` are tables of it.

    Its `source`, if it names one, is for the door that chose this reader.

    Raises
    ------
    UnknownSetting
        A key names nothing.
    """
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    given.pop("source", None)
    given["architecture"] = _fill(Architecture, given.get("architecture", {}))
    given["inputs"] = _fill(InputContract, given.get("inputs", {}))
    return _fill(TrainConfig, given)


def _fill(kind: type[T], given: dict[str, Any]) -> T:
    known = [f.name for f in fields(kind)]  # pyright: ignore[reportArgumentType]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UnknownSetting(unknown, known=known)
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})
