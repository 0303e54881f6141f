"""The two towers of the phantom encoder. Small enough for one CPU core.

Video: one convolutional trunk sees each clip (end-diastole and end-systole as
two channels) and also segments it coarsely; the areas it finds in cm2 and its
features make one token per clip; a transformer reads the tokens of a study.
Text: a transformer over the token states of a frozen sentence encoder, because
that encoder's pooled vector can hardly tell the left ventricle from the right
(cosine 0.98 between "left ventricle is dilated" and its mirror image).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval.encoder.phantom.inputs import TECHNIQUES, VIEWS

REGIONS = ("LV cavity ED", "LV wall ED", "RV ED", "LV cavity ES", "LV wall ES", "RV ES", "scar")
"""Channels of the segmentation; a still shows the same heart in both triples."""

SEGMENTATION_STRIDE = 2
"""Segmentation cells are this many input pixels wide."""

MEASUREMENTS = (
    "lvedv_ml",
    "lvesv_ml",
    "lvef_pct",
    "lv_mass_g",
    "wall_max_mm",
    "rvedv_ml",
    "rvesv_ml",
    "rvef_pct",
)
"""Fields of HeartTruth that an auxiliary head predicts, standardised by the training set."""

POSITION_UNIT_MM = 40.0
GAP_UNIT_MM = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Sizes of both towers."""

    trunk: tuple[int, int, int, int] = (16, 32, 96, 160)
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


class Trunk(nn.Module):
    """Clip images to features and a coarse segmentation."""

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        a, b, c, d = channels
        # Two by two pixels become channels first: as sharp as a strided
        # convolution of the image, and several times as fast on a CPU.
        self.fold = nn.PixelUnshuffle(2)
        self.stem = _block(8, a, 3, 1)
        self.down1, self.keep1 = _block(a, b, 3, 2), _block(b, b, 3, 1)
        self.down2, self.keep2 = _block(b, c, 3, 2), _block(c, c, 3, 1)
        self.down3, self.keep3 = _block(c, d, 3, 2), _block(d, d, 3, 1)
        self.lateral = nn.ModuleList([nn.Conv2d(n, b, 1) for n in (c, d)])
        self.segment = nn.Sequential(
            _block(b, b, 1, 1), nn.Conv2d(b, 4 * len(REGIONS), 3, padding=1), nn.PixelShuffle(2)
        )
        self.features = b + c + 2 * d

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 2, S, S) in [0, ceiling] -> features (N, F), region logits (N, R, S/2, S/2)."""
        folded = self.fold(images * 2 - 1).contiguous(memory_format=torch.channels_last)
        f1 = self.down1(self.stem(folded))
        f1 = f1 + self.keep1(f1)
        f2 = self.down2(f1)
        f2 = f2 + self.keep2(f2)
        f3 = self.down3(f2)
        f3 = f3 + self.keep3(f3)
        merged = functional.interpolate(self.lateral[1](f3), scale_factor=2.0)
        merged = functional.interpolate(merged + self.lateral[0](f2), scale_factor=2.0)
        regions = self.segment(f1 + merged)
        pooled = [f1.mean((2, 3)), f2.mean((2, 3)), f3.mean((2, 3)), f3.amax((2, 3))]
        return torch.cat(pooled, dim=1), regions


class VideoTower(nn.Module):
    """Clips of a study to one vector."""

    def __init__(self, architecture: Architecture, cell_mm: float, techniques: int) -> None:
        super().__init__()
        width = architecture.width
        self.cell_cm2 = (cell_mm / 10) ** 2
        self.trunk = Trunk(architecture.trunk)
        self.technique = nn.Embedding(techniques, width)
        self.view = nn.Embedding(len(VIEWS), width)
        self.place = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, width))
        self.clip = nn.Sequential(
            nn.Linear(self.trunk.features + 3 * len(REGIONS), width),
            nn.ReLU(),
            nn.Linear(width, width),
        )
        self.summary = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width,
            architecture.heads,
            2 * width,
            architecture.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.study = nn.TransformerEncoder(layer, architecture.depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(2 * width)
        self.project = nn.Linear(2 * width, architecture.dimension)
        self.measure = nn.Linear(2 * width, len(MEASUREMENTS))

    def tokens(
        self, images: Tensor, technique: Tensor, view: Tensor, position_mm: Tensor, gap_mm: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One token per clip.

        Parameters
        ----------
        images
            (N, 2, S, S); the other arguments are (N,), see `StudyInput`.

        Returns
        -------
        tuple
            Tokens (N, width) and region logits (N, R, S/2, S/2).
        """
        features, regions = self.trunk(images)
        inside = torch.sigmoid(regions.float())
        areas = inside.sum((2, 3)) * self.cell_cm2
        sizes = torch.cat([areas / 20, torch.log1p(areas), inside.amax((2, 3))], dim=1)
        where = position_mm / POSITION_UNIT_MM
        place = torch.stack(
            [where, where**2, gap_mm / GAP_UNIT_MM, (gap_mm > 0).to(where.dtype)], dim=1
        )
        token = self.clip(torch.cat([features, sizes.to(features.dtype)], dim=1))
        return token + self.technique(technique) + self.view(view) + self.place(place), regions

    def forward(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Read the tokens of B studies.

        Parameters
        ----------
        tokens
            (B, K, width).
        present
            (B, K) bool; at least one True per study.

        Returns
        -------
        tuple
            Unit vectors (B, D) and standardised measurements (B, M).
        """
        batch = tokens.shape[0]
        read = torch.cat([self.summary.expand(batch, -1, -1).to(tokens.dtype), tokens], dim=1)
        ignored = torch.cat([torch.zeros_like(present[:, :1]), ~present], dim=1)
        states = self.study(read, src_key_padding_mask=ignored)
        weight = present.to(states.dtype).unsqueeze(-1)
        mean = (states[:, 1:] * weight).sum(1) / weight.sum(1)
        both = self.norm(torch.cat([states[:, 0], mean], dim=1))
        return functional.normalize(self.project(both).float(), dim=-1), self.measure(both).float()


class TextTower(nn.Module):
    """Token states of the frozen sentence encoder to one vector per text."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width = architecture.text_width
        self.enter = nn.Sequential(
            nn.LayerNorm(architecture.text_states), nn.Linear(architecture.text_states, width)
        )
        layer = nn.TransformerEncoderLayer(
            width,
            architecture.heads,
            2 * width,
            architecture.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.read = nn.TransformerEncoder(
            layer, architecture.text_depth, enable_nested_tensor=False
        )
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
