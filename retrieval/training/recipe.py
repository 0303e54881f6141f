"""What a training run from an archive is made of, as a TOML file says it."""

import tomllib
from dataclasses import asdict, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from retrieval.encoder.phantom.inputs import InputContract
from retrieval.encoder.phantom.network import Architecture
from retrieval.errors import UsageError
from retrieval.training.contrast import Kind, TargetKind

SOURCES = ("archive", "simulated")
SHOWN = 5
"""Mistakes of a file that are named at once."""

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Loss:
    """What is asked of studies and texts; see `retrieval.training.contrast`.

    Attributes
    ----------
    kind
        "norm_softmax", "infonce" or "sigmoid".
    temperature
        Fixed for "norm_softmax", where "infonce" starts.
    targets
        "own": each text is true of its own study alone; "findings": of every
        study whose report states the same; "words": in proportion to the words
        that two texts share.
    """

    kind: Kind = "infonce"
    temperature: float = Field(default=0.07, gt=0)
    targets: TargetKind = "findings"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Split:
    """Who is trained on and who is asked about.

    Attributes
    ----------
    validation
        Share of the patients that are never trained on.
    key
        Which patients these are follows from it and from their pseudonyms,
        one by one: a patient stays on his side when others come.
    first
        Where the share begins, from 0 to 1: runs at 0, 0.2, ... 0.8 with a
        share of 0.2 ask about every patient once (cross-validation).
    """

    validation: float = Field(default=0.15, gt=0, lt=1)
    first: float = Field(default=0.0, ge=0, lt=1)
    key: str = "1"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Texts:
    """Which words stand for a study.

    Attributes
    ----------
    sentences
        Share of the draws that take some sentences instead of the impression.
    longest
        Most sentences taken together.
    """

    sentences: float = Field(default=0.5, ge=0, le=1)
    longest: int = Field(default=3, ge=1)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PhantomSettings:
    """The `phantom` encoder: its sizes and how studies are varied.

    Nothing here zooms or mirrors: size in millimetres and left and right are
    what reports speak of.

    Attributes
    ----------
    turn_degrees, shift_mm
        Each stack and plane is turned in its plane by up to so much, and
        shifted by a normal of this spread.
    brightness, noise
        Greatest bend of the grey scale, and standard deviation of added noise,
        as shares of the image's range.
    drop_group, drop_clip
        Chance that a study loses a stack or view of a technique, and that it
        loses a clip of what remains; something always stays.
    variants
        0 varies a study anew in every step. A number has a resting trunk
        ("video.trunk" in `frozen`) look at so many variants of each study once
        and for all, which makes steps cheap; only clips are still lost anew.
    architecture, inputs
        Used from scratch; a start brings its own.
    """

    turn_degrees: float = Field(default=20.0, ge=0, le=180)
    shift_mm: float = Field(default=5.0, ge=0)
    brightness: float = Field(default=0.4, ge=0, lt=1)
    noise: float = Field(default=0.04, ge=0)
    drop_group: float = Field(default=0.2, ge=0, lt=1)
    drop_clip: float = Field(default=0.2, ge=0, lt=1)
    variants: int = Field(default=0, ge=0)
    architecture: Architecture = field(default_factory=Architecture)
    inputs: InputContract = field(default_factory=InputContract)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CmrClipSettings:
    """The `cmrclip` encoder: its sizes and how studies are varied.

    Attributes
    ----------
    crop
        Smallest and largest share of the area that is cut out and enlarged.
    flip
        Chance to mirror a study, which swaps left and right.
    spread_frames
        Draw each frame anywhere in its interval instead of the middle.
    frames, width, depth, mlp, projection
        Sizes from scratch; heads are 64 wide, patches 16 pixels. A start
        brings its own.
    text_width, text_depth, text_mlp
        Sizes of the text tower.
    vocabulary
        Folder with a vocab.txt, needed from scratch.
    image_weights, text_weights
        From scratch: safetensors files of a ViT-B/16 as timm names its parts,
        and of a BERT, to begin the towers with. Published was ImageNet's
        vit_base_patch16_224 and Bio_ClinicalBERT.
    """

    crop: tuple[float, float] = (1.0, 1.0)
    flip: float = Field(default=0.0, ge=0, le=1)
    spread_frames: bool = True
    frames: int = Field(default=64, ge=1)
    width: int = Field(default=768, ge=64, multiple_of=64)
    depth: int = Field(default=12, ge=1)
    mlp: int = Field(default=3072, ge=1)
    projection: int = Field(default=512, ge=1)
    text_width: int = Field(default=768, ge=64, multiple_of=64)
    text_depth: int = Field(default=12, ge=1)
    text_mlp: int = Field(default=3072, ge=1)
    vocabulary: str = ""
    image_weights: str = ""
    text_weights: str = ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Recipe:
    """One run. The same recipe on the same archive and machine gives the same weights.

    Attributes
    ----------
    encoder
        Which architecture.
    start
        "scratch", the name of an encoder that ships or is published
        ("phantom", "cmrclip"), or a checkpoint's folder.
    frozen
        Parts of the network that are not trained, by name ("video.trunk").
    seed
        All randomness of a step follows from it and the step's number.
    threads, workers
        Threads of the training process; processes that read and vary studies
        ahead of it (0: it does so itself).
    precision
        "bf16" computes the networks in automatic mixed precision.
    epochs, steps
        How long; `steps` counts if it is not 0.
    batch, part
        Studies whose texts compete in one step, over all processes, and how
        many are computed at once: memory follows `part`, the result does not.
    rate, beta2, weight_decay, clip_norm, ema
        AdamW's peak rate, memory of squares and decay (of matrices), the
        longest gradient, and the moving average of the weights (0: none).
    warmup_epochs, warmup_from, rate_end
        The rate grows in a line from this share of its peak, then falls on a
        cosine to this share of it.
    rate_moves
        With every "step", or at the end of every "epoch".
    validate_every, checkpoint_every
        In steps.
    keep
        Whether the checkpoint is the one that ranked best in validation, or the last.
    """

    source: Literal["archive"] = "archive"
    encoder: Literal["phantom", "cmrclip"] = "phantom"
    start: str = "scratch"
    frozen: tuple[str, ...] = ()
    seed: int = Field(default=1, ge=0)
    threads: int = Field(default=1, ge=1)
    workers: int = Field(default=0, ge=0)
    precision: Literal["fp32", "bf16"] = "fp32"
    epochs: float = Field(default=30.0, gt=0)
    steps: int = Field(default=0, ge=0)
    batch: int = Field(default=64, ge=2)
    part: int = Field(default=16, ge=1)
    rate: float = Field(default=3e-4, gt=0)
    beta2: float = Field(default=0.98, gt=0, lt=1)
    weight_decay: float = Field(default=0.02, ge=0)
    clip_norm: float = Field(default=2.0, gt=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    warmup_epochs: float = Field(default=2.0, ge=0)
    warmup_from: float = Field(default=0.0, ge=0, le=1)
    rate_end: float = Field(default=0.02, ge=0, le=1)
    rate_moves: Literal["step", "epoch"] = "step"
    validate_every: int = Field(default=50, ge=1)
    checkpoint_every: int = Field(default=25, ge=1)
    keep: Literal["best", "last"] = "best"
    loss: Loss = field(default_factory=Loss)
    split: Split = field(default_factory=Split)
    texts: Texts = field(default_factory=Texts)
    phantom: PhantomSettings = field(default_factory=PhantomSettings)
    cmrclip: CmrClipSettings = field(default_factory=CmrClipSettings)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values; the encoder that is not trained is left out."""
        told = asdict(self)
        del told["cmrclip" if self.encoder == "phantom" else "phantom"]
        return told


def source_of(path: Path) -> str:
    """Where a configuration's studies come from: "archive" or "simulated".

    Raises
    ------
    UsageError
        The file is not there, is no TOML, or names no such source.
    """
    source = _read(path).get("source")
    if source not in SOURCES:
        raise UsageError(f"{path}: source is {source!r}; give {' or '.join(map(repr, SOURCES))}")
    return source


def read_recipe(path: Path) -> Recipe:
    """Read the configuration of a run from an archive.

    Raises
    ------
    UsageError
        The file is not there, is no TOML, or says something that cannot be.
    """
    try:
        return TypeAdapter(Recipe).validate_python(_read(path))
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in error.errors()]
        raise UsageError(f"{path}: {'; '.join(wrong[:SHOWN])}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"there is no {path}; give a configuration that exists") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, IsADirectoryError) as error:
        raise UsageError(f"{path} is not TOML ({error}); give a .toml file") from error
