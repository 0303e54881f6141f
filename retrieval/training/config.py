"""What a training run of the phantom encoder is made of. Saved in the checkpoint."""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from retrieval.encoder.phantom.inputs import InputContract
from retrieval.encoder.phantom.network import Architecture
from retrieval.errors import UnknownSetting

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run. Two runs of one configuration on one machine give the same weights.

    Attributes
    ----------
    seed
        Of everything; simulated hearts of validation use other seeds.
    shard
        Simulated studies that are rendered and enter the pool together.
    first_shards, pool_shards
        Shards in the pool at the start, and at most.
    steps_per_shard
        After so many steps a new shard enters and, if the pool is full, the
        oldest leaves: how often a study is seen follows from it.
    render_workers
        Processes that render shards ahead; 0 renders in the training process.
    singles, composites
        Captions per step: one statement each, and two to four joined.
    phrases_per_concept, composite_count
        How many wordings are used, drawn once.
    word_noise, word_drop
        How much token states are blurred and how many words are lost; see `roughen`.
    rate, warmup, weight_decay, ema
        AdamW's peak rate, steps to reach it, decay, and the weights' moving average.
    bfloat16
        Run the clips' trunk in automatic mixed precision while training.
    partial, segment, measure
        Weights of the auxiliary losses: the studies seen in part, the
        segmentation, the measurements. The matching of whole studies weighs 1.
    validate_every, validation_studies, checkpoint_every
        In steps; 0 studies switch validation off.
    """

    seed: int = 1
    device: str = "cpu"
    threads: int = 1
    steps: int = 3000
    batch: int = 32
    shard: int = 256
    first_shards: int = 4
    pool_shards: int = 24
    steps_per_shard: int = 20
    render_workers: int = 1
    singles: int = 112
    composites: int = 48
    phrases_per_concept: int = 120
    composite_count: int = 4000
    word_noise: float = 0.2
    word_drop: float = 0.05
    rate: float = 1.5e-3
    warmup: int = 100
    weight_decay: float = 0.02
    ema: float = 0.998
    bfloat16: bool = True
    partial: float = 0.5
    segment: float = 1.0
    measure: float = 0.4
    validate_every: int = 250
    validation_studies: int = 400
    checkpoint_every: int = 250
    architecture: Architecture = field(default_factory=Architecture)
    inputs: InputContract = field(default_factory=InputContract)


def read_config(path: Path) -> TrainConfig:
    """Read a TOML file; `[architecture]` and `[inputs]` are tables of it.

    Raises
    ------
    UnknownSetting
        A key names nothing.
    """
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    given["architecture"] = _fill(Architecture, given.get("architecture", {}))
    given["inputs"] = _fill(InputContract, given.get("inputs", {}))
    return _fill(TrainConfig, given)


def _fill(kind: type[T], given: dict[str, Any]) -> T:
    known = [f.name for f in fields(kind)]  # pyright: ignore[reportArgumentType]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UnknownSetting(unknown, known=known)
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})
