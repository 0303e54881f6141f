"""Which parts of a clip carry its score: hide them, one after another, and score again.

A place is hidden behind a wide blur of the clip's mean over time, so that
neither an edge nor motion is left and none is made up: a black patch would
look like a defect, a bright one like blood. Phases are hidden behind the mean
over time. A clip of one brightness is the same hidden or not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from retrieval.errors import UnusableSeries
from retrieval.geometry.heart import Point, pixel_of
from retrieval.ports import Pixels, VariantEncoder, VideoEncoder
from retrieval.values.clip import Clip, ClipId
from retrieval.values.embedding import Embeddings, EncoderId, unit_rows
from retrieval.values.occlusion import Occlusion

BLUR_MM = 15.0
"""Standard deviation of the blur: wider than a wall, narrower than a chest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How finely a clip is hidden.

    Attributes
    ----------
    side_mm
        The square around the heart that is hidden cell by cell.
    cells
        Along each side of it.
    groups
        Most groups of neighbouring phases.
    """

    side_mm: float = 200.0
    cells: int = 10
    groups: int = 10


FINE = Grid()
COARSE = Grid(cells=6, groups=5)
"""For encoders that must read the study again for each part that is hidden."""


class Reencoded:
    """Any VideoEncoder, asked anew for every variant: the slow way that judges faster ones."""

    def __init__(self, encoder: VideoEncoder) -> None:
        self._encoder = encoder

    @property
    def encoder_id(self) -> EncoderId:
        """Of the encoder that is asked."""
        return self._encoder.encoder_id

    def encode_variants(
        self, clips: Sequence[Clip], of: ClipId, variants: Iterator[Pixels]
    ) -> tuple[Embeddings, bool]:
        """Embed a study once for each look of one of its clips.

        Raises
        ------
        UnusableSeries
            The encoder does not look at that clip.
        """
        rows: list[NDArray[np.float32]] = []
        whole = False
        for pixels in variants:
            changed = [Clip(c.record, pixels) if c.record.id == of else c for c in clips]
            (said,) = self._encoder.encode_studies([changed])
            whole = of not in said.clips
            row = said.whole if whole else said.clips[of]
            if row is None or of not in said.inputs:
                raise UnusableSeries(f"encoder {self.encoder_id} does not look at clip {of}")
            rows.append(row)
        return Embeddings(self.encoder_id, unit_rows(np.stack(rows))), whole


def occlude(
    encoder: VariantEncoder,
    clips: Sequence[Clip],
    of: ClipId,
    direction: Embeddings,
    *,
    centre: Point,
    grid: Grid = FINE,
) -> Occlusion:
    """Hide parts of one clip of a study, and see how its score for a query changes.

    Parameters
    ----------
    clips
        All clips of the study.
    of
        The one that is hidden piece by piece.
    direction
        (1, D), what is asked.
    centre
        (3,) mm, what the map is drawn around.

    Raises
    ------
    UnusableSeries
        The encoder does not look at that clip.
    """
    direction.require(encoder.encoder_id)
    clip = next(c for c in clips if c.record.id == of)
    rows, columns = cells(clip, centre, grid)
    phases = groups(clip, grid)
    vectors, whole = encoder.encode_variants(clips, of, variants(clip, rows, columns, phases))
    scores = vectors.vectors.astype(np.float64) @ direction.vectors[0].astype(np.float64)
    drops = scores[0] - scores[1:]
    count = (len(rows) - 1, len(columns) - 1)
    return Occlusion(
        clip=clip.record,
        whole=whole,
        score=float(scores[0]),
        rows=rows,
        columns=columns,
        places=drops[: count[0] * count[1]].reshape(count),
        phases=phases,
        times=drops[count[0] * count[1] :],
    )


def variants(
    clip: Clip, rows: Sequence[int], columns: Sequence[int], phases: Sequence[int]
) -> Iterator[Pixels]:
    """The clip's pixels as they are; with each cell hidden, row by row; with each group hidden."""
    yield clip.pixels
    mean = clip.pixels.mean(axis=0, dtype=np.float64)
    sigma = [BLUR_MM / spacing for spacing in clip.record.spacing_mm]
    blurred = _stored(ndimage.gaussian_filter(mean, sigma, mode="nearest"), clip)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            box = np.s_[top:bottom, left:right]
            yield _hidden(clip, np.s_[:, *box], blurred[box])
    for first, end in pairwise(phases):
        yield _hidden(clip, np.s_[first:end], _stored(mean, clip))


def cells(clip: Clip, centre: Point, grid: Grid) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Edges of the grid's cells in a clip's pixels, down and across, inside its field of view."""
    record = clip.record
    shape = (record.rows, record.columns)
    at = pixel_of(record, centre)
    down, across = (
        _edges(middle, grid.side_mm / mm, grid.cells, count)
        for middle, mm, count in zip(at, record.spacing_mm, shape, strict=True)
    )
    return down, across


def groups(clip: Clip, grid: Grid) -> tuple[int, ...]:
    """Edges of groups of neighbouring phases, as even as can be; none of a still."""
    count = clip.record.phases
    if count < 2:
        return ()
    edges = np.round(np.linspace(0, count, min(grid.groups, count) + 1)).astype(int)
    return tuple(edges.tolist())


def _edges(middle: float, side: float, count: int, pixels: int) -> tuple[int, ...]:
    """Edges of `count` cells around a middle, in pixels, those beyond 0 and `pixels` moved there.

    Where the middle lies outside of the picture the whole of it is one cell.
    """
    edges = np.round(middle + 0.5 + side * (np.arange(count + 1) / count - 0.5)).astype(int)
    inside = np.unique(np.clip(edges, 0, pixels))
    return tuple(inside.tolist()) if len(inside) > 1 else (0, pixels)


def _hidden(clip: Clip, part: tuple[slice, ...] | slice, behind: Pixels) -> Pixels:
    pixels = clip.pixels.copy()
    pixels[part] = behind
    return pixels


def _stored(values: NDArray[np.float64], clip: Clip) -> Pixels:
    """Values as the clip stores them: rounded, where it stores whole numbers."""
    kind = clip.pixels.dtype
    return (np.rint(values) if kind.kind in "iu" else values).astype(kind)
