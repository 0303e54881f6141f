"""The two towers of the phantom encoder. Small enough for one CPU core.

Video: one convolutional trunk sees both images of each clip (end-diastole and
end-systole) and segments them; what the segmentation says in millimetres
(`retrieval.encoder.phantom.geometry`), how bright the tissues are (`tissue`) and
pooled features make one token per clip; a transformer reads the tokens of a
study beside one token for the volumes of its stack and its overview.
Text: a transformer over the token states of a frozen sentence encoder, because
that encoder's pooled vector can hardly tell the left ventricle from the right
(cosine 0.98 between "left ventricle is dilated" and its mirror image).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval.encoder.phantom.geometry import (
    CLIP_GEOMETRY,
    PARTS,
    REGIONS,
    SECTOR_MOTION,
    STUDY_GEOMETRY,
    clip_geometry,
    sector_motion,
    study_geometry,
)
from retrieval.encoder.phantom.inputs import TECHNIQUES, VIEWS
from retrieval.encoder.phantom.overview import OVERVIEW
from retrieval.encoder.phantom.seen import Clips, Seen
from retrieval.encoder.phantom.tissue import TISSUE, tissue_brightness
from retrieval.values.study import Technique, View

SEGMENTATION_STRIDE = 2
"""Segmentation cells are this many input pixels wide."""

TYPICAL: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "lvedv_ml": (170.0, 65.0),
        "lvesv_ml": (90.0, 65.0),
        "lvef_pct": (52.0, 16.0),
        "lv_mass_g": (130.0, 50.0),
        "wall_max_mm": (12.0, 4.5),
        "rvedv_ml": (170.0, 55.0),
        "rvesv_ml": (90.0, 45.0),
        "rvef_pct": (48.0, 12.0),
    }
)
"""Fields of HeartTruth that are estimated, and the mean and spread that standardise them."""

MEASUREMENTS = tuple(TYPICAL)

CINE = TECHNIQUES.index(Technique.CINE)
SHORT_AXIS = VIEWS.index(View.SHORT_AXIS)

LEAST_SPREAD, UNUSUAL = 0.02, 5.0
"""Numbers of an overview that vary less are noise; beyond so many spreads all are alike."""

POSITION_UNIT_MM = 40.0
GAP_UNIT_MM = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Sizes of both towers."""

    trunk: tuple[int, int, int, int] = (16, 32, 96, 160)
    detail: int = 24
    look: int = 64
    width: int = 192
    heads: int = 4
    depth: int = 3
    dropout: float = 0.0
    text_width: int = 192
    text_depth: int = 2
    text_states: int = 768
    dimension: int = 256


def _block(channels_in: int, channels_out: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


def _perceptron(wide: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(wide, width), nn.ReLU(), nn.Linear(width, width))


def _transformer(architecture: Architecture, width: int, depth: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        width,
        architecture.heads,
        2 * width,
        architecture.dropout,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
    return nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)


class Trunk(nn.Module):
    """Clip images to features and a segmentation.

    One network segments either image of a clip, each time with the other one
    beside it: what it learns of a heart at end-diastole holds at end-systole,
    and it cannot guess the one from where it usually ends up after the other.
    It is told the technique: blood is bright in a cine and may be black elsewhere.
    """

    def __init__(self, channels: tuple[int, int, int, int], detail: int, techniques: int) -> None:
        super().__init__()
        a, b, c, d = channels
        # Two by two pixels become channels first: as sharp as a strided
        # convolution of the image, and several times as fast on a CPU.
        self.fold = nn.PixelUnshuffle(2)
        self.stem = _block(8, a, 3, 1)
        self.down1, self.keep1 = _block(a, b, 3, 2), _block(b, b, 3, 1)
        self.down2, self.keep2 = _block(b, c, 3, 2), _block(c, c, 3, 1)
        self.down3, self.keep3 = _block(c, d, 3, 2), _block(d, d, 3, 1)
        tables = [nn.Embedding(techniques, n) for n in channels]
        for table in tables:
            nn.init.zeros_(table.weight)
        self.expect = nn.ModuleList(tables)
        self.lateral = nn.ModuleList([nn.Conv2d(n, detail, 1) for n in channels])
        self.sharpen = nn.ModuleList([_block(detail, detail, 3, 1) for _ in range(3)])
        self.segment = nn.Conv2d(detail, len(PARTS), 1)
        self.features = b + c + 2 * d

    def forward(self, images: Tensor, technique: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, F), and region logits (N, R, S/2, S/2).

        Parameters
        ----------
        images
            (N, 2, S, S) in [0, ceiling].
        technique
            (N,) int64.
        """
        count = len(images)
        expected = [table(technique.repeat(2))[:, :, None, None] for table in self.expect]
        either = torch.cat([images, images.flip(1)]) * 2 - 1
        folded = self.fold(either).contiguous(memory_format=torch.channels_last)
        f0 = self.stem(folded) + expected[0]
        f1 = self.down1(f0) + expected[1]
        f1 = f1 + self.keep1(f1)
        f2 = self.down2(f1) + expected[2]
        f2 = f2 + self.keep2(f2)
        f3 = self.down3(f2) + expected[3]
        f3 = f3 + self.keep3(f3)
        merged = self.lateral[3](f3)
        for level, finer in ((2, f2), (1, f1), (0, f0)):
            wider = functional.interpolate(merged, scale_factor=2.0)
            merged = self.sharpen[level](wider + self.lateral[level](finer))
        parts = self.segment(merged).unflatten(0, (2, count))
        regions = torch.stack([parts[image, :, PARTS.index(part)] for image, part in REGIONS], 1)
        f1, f2, f3 = f1[:count], f2[:count], f3[:count]
        pooled = [f1.mean((2, 3)), f2.mean((2, 3)), f3.mean((2, 3)), f3.amax((2, 3))]
        return torch.cat(pooled, dim=1), regions


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read of B studies.

    Attributes
    ----------
    vectors
        (B, D) of length 1.
    measured, spread
        (B, M) standardised estimates, and one standard deviation of each.
    """

    vectors: Tensor
    measured: Tensor
    spread: Tensor


class VideoTower(nn.Module):
    """Clips of a study to one vector."""

    usual: Tensor
    varies: Tensor

    def __init__(self, architecture: Architecture, cell_mm: float, techniques: int) -> None:
        super().__init__()
        width = architecture.width
        self.cell_mm = cell_mm
        self.trunk = Trunk(architecture.trunk, architecture.detail, techniques)
        self.technique = nn.Embedding(techniques, width)
        self.view = nn.Embedding(len(VIEWS), width)
        self.place = _perceptron(4, width)
        self.look = nn.Sequential(nn.Linear(self.trunk.features, architecture.look), nn.ReLU())
        self.clip = _perceptron(CLIP_GEOMETRY + SECTOR_MOTION + TISSUE + architecture.look, width)
        self.volumes = _perceptron(STUDY_GEOMETRY, width)
        self.overview = _perceptron(OVERVIEW, width)
        for last in self.overview[-1].parameters():
            nn.init.zeros_(last)  # a network that was trained without it reads as before
        self.register_buffer("usual", torch.zeros(OVERVIEW))
        self.register_buffer("varies", torch.ones(OVERVIEW))
        self.summary = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.study = _transformer(architecture, width, architecture.depth)
        self.norm = nn.LayerNorm(3 * width)
        self.project = nn.Linear(3 * width, architecture.dimension)
        self.measure = nn.Linear(3 * width, 2 * len(MEASUREMENTS))

    def see(self, images: Tensor, technique: Tensor, view: Tensor) -> Seen:
        """Look at clips.

        Parameters
        ----------
        images
            (N, 2, S, S) in [0, ceiling].
        technique, view
            (N,) int64.
        """
        features, regions = self.trunk(images, technique)
        # Only the truth of the simulator shapes the segmentation, so that it stays one:
        # what reads it may not bend it to its own ends.
        inside = torch.sigmoid(regions.detach().float())
        short_axis, cine = view == SHORT_AXIS, technique == CINE
        return Seen(
            features=features.float(),
            geometry=clip_geometry(inside, self.cell_mm, short_axis),
            tissue=tissue_brightness(inside, images, self.cell_mm, short_axis, cine),
            regions=regions,
        )

    def arrange(
        self,
        seen: Seen,
        study: Tensor,
        technique: Tensor,
        view: Tensor,
        position_mm: Tensor,
        gap_mm: Tensor,
    ) -> Clips:
        """Bring N clips in order, each as far as its study's others.

        Parameters
        ----------
        study
            (N,) which of the B studies a clip belongs to, 0 to B - 1, never
            decreasing; every study has one or more. The others are (N,) too.
        """
        sizes = torch.bincount(study)
        slot = torch.arange(len(study), device=study.device) - (sizes.cumsum(0) - sizes)[study]
        shape = (len(sizes), int(sizes.max()))

        def placed(values: Tensor) -> Tensor:
            return values.new_zeros(*shape, *values.shape[1:]).index_put((study, slot), values)

        return Clips(
            features=placed(seen.features),
            geometry=placed(seen.geometry),
            tissue=placed(seen.tissue),
            present=placed(torch.ones_like(study, dtype=torch.bool)),
            technique=placed(technique),
            view=placed(view),
            position_mm=placed(position_mm),
            gap_mm=placed(gap_mm),
        )

    @property
    def standardised(self) -> bool:
        """Whether it has learned what is usual in an overview."""
        return not bool((self.varies == 1).all())

    def standardise(self, clips: Clips) -> None:
        """Learn from many studies what is usual in an overview, and how much it varies."""
        seen = clips.overview()
        self.usual.copy_(seen.mean(0))
        self.varies.copy_(seen.std(0).clamp(min=LEAST_SPREAD))

    def forward(self, clips: Clips, looks: Tensor | None = None) -> Reading:
        """Read studies.

        Parameters
        ----------
        looks
            (B,) bool, the studies whose pooled features may be looked at, not
            their geometry alone; None for all.
        """
        batch = len(clips.present)
        look = self.look(clips.features)
        if looks is not None:
            look = look * looks.to(look.dtype)[:, None, None]
        where = clips.position_mm / POSITION_UNIT_MM
        gap = clips.gap_mm / GAP_UNIT_MM
        place = torch.stack([where, where**2, gap, (gap > 0).to(where.dtype)], dim=-1)
        motion = sector_motion(clips.geometry)
        tokens = self.clip(torch.cat([clips.geometry, motion, clips.tissue, look], dim=-1))
        tokens = tokens + self.technique(clips.technique) + self.view(clips.view)
        tokens = tokens + self.place(place)
        stack = clips.present & (clips.technique == CINE) & (clips.view == SHORT_AXIS)
        sizes = self.volumes(study_geometry(clips.geometry, clips.position_mm, clips.gap_mm, stack))
        unusual = (clips.overview() - self.usual) / self.varies
        sizes = sizes + self.overview(unusual.clamp(-UNUSUAL, UNUSUAL))
        read = torch.cat([self.summary.expand(batch, -1, -1), sizes[:, None], tokens], dim=1)
        always = torch.zeros(batch, 2, dtype=torch.bool, device=clips.present.device)
        ignored = torch.cat([always, ~clips.present], dim=1)
        states = self.study(read, src_key_padding_mask=ignored)
        weight = clips.present.to(states.dtype).unsqueeze(-1)
        mean = (states[:, 2:] * weight).sum(1) / weight.sum(1)
        both = self.norm(torch.cat([states[:, 0], mean, sizes], dim=1))
        measured, logs = self.measure(both).float().chunk(2, dim=1)
        return Reading(
            vectors=functional.normalize(self.project(both).float(), dim=-1),
            measured=measured,
            spread=logs.clamp(-4, 3).exp(),
        )


class TextTower(nn.Module):
    """Token states of the frozen sentence encoder to one vector per text."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width = architecture.text_width
        self.enter = nn.Sequential(
            nn.LayerNorm(architecture.text_states), nn.Linear(architecture.text_states, width)
        )
        self.read = _transformer(architecture, width, architecture.text_depth)
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, architecture.dimension)

    def forward(self, states: Tensor, present: Tensor) -> Tensor:
        """(B, T, text_states) and (B, T) bool -> unit vectors (B, D)."""
        read = self.read(self.enter(states), src_key_padding_mask=~present)
        weight = present.to(read.dtype).unsqueeze(-1)
        mean = (read * weight).sum(1) / weight.sum(1)
        return functional.normalize(self.project(self.norm(mean)).float(), dim=-1)


class DualEncoder(nn.Module):
    """Both towers and the two numbers that turn a cosine into a probability."""

    def __init__(
        self, architecture: Architecture, cell_mm: float, *, techniques: int = len(TECHNIQUES)
    ) -> None:
        super().__init__()
        self.video = VideoTower(architecture, cell_mm, techniques)
        self.text = TextTower(architecture)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.bias = nn.Parameter(torch.tensor(-2.0))

    def logits(self, videos: Tensor, texts: Tensor) -> Tensor:
        """(B, D) and (J, D) unit vectors -> (B, J) log-odds that text j is true of study b."""
        return self.log_scale.exp().clamp(max=60) * (videos @ texts.T) + self.bias
