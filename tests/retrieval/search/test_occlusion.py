"""What hiding parts of a clip says: exactly what the slow way says, and of the heart."""

from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.encoder import cmrclip, phantom
from retrieval.encoder.phantom import inputs
from retrieval.errors import EncoderMismatch, UnusableSeries
from retrieval.geometry.heart import crop, heart_centre, point_of
from retrieval.phantom.render import LABELS, label
from retrieval.phantom.subject import Grid as Pixels
from retrieval.phantom.subject import Subject
from retrieval.ports import VariantEncoder
from retrieval.search.occlusion import COARSE, Grid, Reencoded, cells, groups, occlude, variants
from retrieval.values.clip import Clip, ClipRecord, identify
from retrieval.values.embedding import Embeddings, EncoderId, StudyEmbedding
from retrieval.values.study import SeriesId, Technique, View
from tests import tiny_cmrclip
from tests.beating import STUDY, disc, stack

ENCODER = EncoderId("bright@000000000001")
SMALL = Grid(side_mm=120.0, cells=6, groups=4)
SEEN = np.s_[2:4, 22:28, 31:37]
"""Inside cell (2, 3) and the second group of SMALL over the clip of `still_scene`."""


class BrightEncoder:
    """A VideoEncoder whose first coordinate is the mean of one part of a clip, over 1000."""

    encoder_id = ENCODER

    def __init__(self, part=SEEN, *, embeds_clips=True):
        self.part, self.embeds_clips = part, embeds_clips

    def sees(self, record):
        return record.technique is Technique.CINE

    def encode_studies(self, studies):
        return [self._study([c for c in clips if self.sees(c.record)]) for clips in studies]

    def _study(self, clips):
        vectors = {}
        for clip in clips:
            share = float(clip.pixels[self.part].mean()) / 1000
            vectors[clip.record.id] = np.array([share, np.sqrt(1 - share**2)], np.float32)
        mean = np.mean(list(vectors.values()), axis=0)
        return StudyEmbedding(
            study=STUDY,
            encoder_id=ENCODER,
            whole=(mean / np.linalg.norm(mean)).astype(np.float32),
            clips=vectors if self.embeds_clips else {},
            inputs=tuple(vectors),
        )


def asked(*direction, encoder_id=ENCODER):
    return Embeddings(encoder_id, np.array([direction], np.float32))


def a_scene(pixels, **changes):
    phases, rows, columns = pixels.shape
    given = {
        "study": STUDY,
        "series": SeriesId("series"),
        "view": View.SHORT_AXIS,
        "technique": Technique.CINE,
        "phases": phases,
        "rows": rows,
        "columns": columns,
        "spacing_mm": (2.0, 2.0),
    }
    return identify(ClipRecord(**(given | changes)), pixels)


def still_scene(value=900, part=SEEN, **changes):
    pixels = np.full((8, 60, 60), 100, np.uint16)
    pixels[part] = value
    return a_scene(pixels, **changes)


def middle(clip):
    return point_of(clip.record, ((clip.record.rows - 1) / 2, (clip.record.columns - 1) / 2))


def hide(encoder, clips, of, direction, grid=SMALL):
    return occlude(encoder, clips, of.record.id, direction, centre=middle(of), grid=grid)


@pytest.mark.parametrize("embeds_clips", [True, False])
def test_the_part_that_carries_the_score_and_no_other_is_found(embeds_clips):
    clip = still_scene()
    encoder = Reencoded(BrightEncoder(embeds_clips=embeds_clips))
    found = hide(encoder, [clip, disc(technique=Technique.LGE)], clip, asked(1, 0))
    assert (found.whole, found.score) == (not embeds_clips, pytest.approx(0.9))
    assert found.rows == found.columns == (0, 10, 20, 30, 40, 50, 60)
    assert found.phases == (0, 2, 4, 6, 8)
    assert found.largest == (2, 3)
    assert found.places[2, 3] > 0.5
    assert np.count_nonzero(found.places) == 1
    assert found.times[1] > 0.3
    assert np.count_nonzero(found.times) == 1
    assert found.extent_mm == (120.0, 120.0)


def test_what_spoke_against_the_query_has_the_other_sign():
    clip = still_scene()
    found = hide(Reencoded(BrightEncoder()), [clip], clip, asked(-1, 0))
    assert found.score == pytest.approx(-0.9)
    assert found.places[2, 3] < -0.5
    assert found.times[1] < -0.3


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_a_clip_of_one_brightness_is_the_same_hidden_or_not(kind):
    clip = a_scene(np.full((8, 60, 60), 333, kind))
    found = hide(Reencoded(BrightEncoder()), [clip], clip, asked(1, 0))
    assert not found.places.any()
    assert not found.times.any()


def test_a_still_has_no_phases_to_hide():
    clip = a_scene(still_scene().pixels[2:3])
    found = hide(Reencoded(BrightEncoder(np.s_[:, 22:28, 31:37])), [clip], clip, asked(1, 0))
    assert (found.phases, found.times.shape) == ((), (0,))
    assert np.count_nonzero(found.places) == 1


SHAPES = st.tuples(st.integers(1, 7), st.integers(4, 40), st.integers(4, 40))


@settings(deadline=None, max_examples=40)
@given(
    shape=SHAPES,
    seed=st.integers(0, 99),
    off=st.tuples(st.floats(-90, 90), st.floats(-90, 90)),
    spacing=st.tuples(st.floats(0.7, 4), st.floats(0.7, 4)),
    count=st.integers(1, 7),
    kind=st.sampled_from([np.uint16, np.int32, np.float32]),
)
def test_each_variant_hides_its_part_and_leaves_everything_else(
    shape, seed, off, spacing, count, kind
):
    drawn = np.random.default_rng(seed).integers(0, 4000, shape).astype(kind)
    clip = a_scene(drawn, spacing_mm=spacing)
    grid = Grid(side_mm=60.0, cells=count, groups=count)
    centre = middle(clip) + np.array([*off, 0.0])
    rows, columns = cells(clip, centre, grid)
    phases = groups(clip, grid)
    for edges, pixels in ((rows, shape[1]), (columns, shape[2])):
        assert 0 <= edges[0] < edges[-1] <= pixels
        assert list(edges) == sorted(set(edges))
    first, *hidden = variants(clip, rows, columns, phases)
    assert np.array_equal(first, drawn)
    assert len(hidden) == (len(rows) - 1) * (len(columns) - 1) + max(0, len(phases) - 1)
    touched = np.zeros(shape[1:], int)
    low, high = drawn.min(), drawn.max()
    for n, pixels in enumerate(hidden):
        assert pixels.dtype == kind
        assert low <= pixels.min() <= pixels.max() <= high
        changed = pixels != drawn
        if n < (len(rows) - 1) * (len(columns) - 1):
            i, j = divmod(n, len(columns) - 1)
            box = np.s_[:, rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
            touched[box[1:]] += 1
        else:
            g = n - (len(rows) - 1) * (len(columns) - 1)
            box = np.s_[phases[g] : phases[g + 1]]
        changed[box] = False
        assert not changed.any()
    covered = touched[rows[0] : rows[-1], columns[0] : columns[-1]]
    assert (covered == 1).all()
    assert touched.sum() == covered.size
    if phases:
        assert (phases[0], phases[-1]) == (0, shape[0])
    assert np.array_equal(clip.pixels, drawn)


def test_words_of_another_encoder_are_refused():
    clip = still_scene()
    with pytest.raises(EncoderMismatch):
        hide(Reencoded(BrightEncoder()), [clip], clip, asked(1, 0, encoder_id="other@000000000001"))


def test_a_clip_that_is_not_looked_at_has_no_map():
    clip = still_scene(technique=Technique.FLOW)
    with pytest.raises(UnusableSeries, match="does not look at clip"):
        hide(Reencoded(BrightEncoder()), [still_scene(), clip], clip, asked(1, 0))


# --- the shipped encoder -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return phantom.load()


@pytest.fixture(scope="module")
def beating():
    """Five slices that say where the heart is, and clips that do not decide it."""
    return [
        *stack(5),
        disc(View.FOUR_CHAMBER),
        disc(technique=Technique.LGE),
        disc(technique=Technique.T1_MAP, unit="ms", gain=1.5),
        disc(technique=Technique.FLOW),
    ]


def words(encoder, text="dilated left ventricle"):
    return encoder.encode_texts([text])


@pytest.mark.parametrize("which", [5, 6, 7], ids=["4CH cine", "LGE", "T1 map"])
def test_the_fast_way_says_what_the_slow_way_says(shipped, beating, which):
    assert isinstance(shipped, VariantEncoder)
    grid = Grid(side_mm=200.0, cells=3, groups=3)
    of, asks = beating[which], words(shipped)
    fast, slow = (hide(one, beating, of, asks, grid) for one in (shipped, Reencoded(shipped)))
    assert not fast.whole
    assert fast.score == pytest.approx(slow.score, abs=1e-6)
    np.testing.assert_allclose(fast.places, slow.places, atol=2e-6)
    np.testing.assert_allclose(fast.times, slow.times, atol=2e-6)
    assert np.abs(fast.places).max() > 1e-3


def test_hiding_a_slice_that_says_where_the_heart_is_does_not_move_the_eye(
    shipped, beating, monkeypatch
):
    """The slow way, told where the heart is and when it is smallest, says the same."""
    grid = Grid(side_mm=160.0, cells=3, groups=3)
    of, asks = beating[2], words(shipped)
    fast = hide(shipped, beating, of, asks, grid)
    held = inputs.orient(inputs.choose(beating, shipped.contract))
    monkeypatch.setattr(inputs, "orient", lambda places: held)
    slow = hide(Reencoded(shipped), beating, of, asks, grid)
    np.testing.assert_allclose(fast.places, slow.places, atol=2e-6)
    np.testing.assert_allclose(fast.times, slow.times, atol=2e-6)
    assert np.abs(fast.times).max() > 1e-3


def test_the_shipped_encoder_refuses_what_it_does_not_look_at(shipped, beating):
    with pytest.raises(UnusableSeries, match="does not look at clip"):
        hide(shipped, beating, beating[-1], words(shipped))


def test_some_phases_cut_out_are_those_of_all_cut_out(beating):
    clip = beating[2]
    centre = heart_centre(beating)
    for one in (clip, Clip(clip.record, (500 - clip.pixels).astype(np.int32))):
        every = crop(one, centre, size=200, spacing_mm=2.0)  # wider than the field of view
        some = crop(one, centre, size=200, spacing_mm=2.0, phases=(3, 0))
        np.testing.assert_array_equal(some, every[[3, 0]])


def test_an_encoder_of_whole_studies_is_asked_the_slow_way(tmp_path, beating):
    encoder = cmrclip.load(tiny_cmrclip.publish(tmp_path))
    assert not isinstance(encoder, VariantEncoder)
    grid = Grid(side_mm=200.0, cells=2, groups=2)
    found = hide(Reencoded(encoder), beating, beating[2], words(encoder), grid)
    (said,) = encoder.encode_studies([beating])
    assert found.whole
    assert found.score == pytest.approx(float(said.whole @ words(encoder).vectors[0]), abs=1e-5)
    assert found.places.shape == (2, 2)
    assert np.abs(found.places).max() > 0
    assert COARSE.cells**2 + COARSE.groups < 50


HEART = ("lv blood", "lv muscle", "rv blood", "left atrium", "right atrium")


def dilated_hearts(count):
    """Simulated hearts whose left ventricle is far too large: a stack, and what is heart in it."""
    far_too_large = (s for s in map(Subject, range(200)) if s.truth.lvedv_ml / s.truth.bsa_m2 > 140)
    return [simulated(subject) for subject in islice(far_too_large, count)]


def simulated(subject):
    """Five cine slices, and the pixels (5, rows, columns) that the heart covers at some phase."""
    planes = subject._stack(Pixels(pixel_mm=1.8, size=(144, 144), thickness_mm=8.0), 5, 14.0)
    shares = [i / 8 for i in range(8)]
    cut = subject._image(planes, subject._looks[Technique.CINE], Technique.CINE, shares)
    drawn = label(subject._anatomy, planes, torch.tensor([shares]))[0]
    covered = drawn[:, :, [LABELS.index(part) for part in HEART]].sum(2).amax(1) > 0.5
    clips = [
        a_scene(
            np.round(cut.images[k] * 1000).astype(np.uint16),
            spacing_mm=(1.8, 1.8),
            slice_index=k,
            slice_count=5,
            position_mm=tuple(cut.position_mm[k]),
            row_direction=tuple(cut.row[k]),
            column_direction=tuple(cut.column[k]),
        )
        for k in range(5)
    ]
    return clips, covered.numpy()


def test_what_matters_of_a_dilated_ventricle_lies_on_the_heart(shipped):
    """The cells that the heart touches, a quarter at most, hold three fifths of the map's mass."""
    hearts = dilated_hearts(3)
    assert len(hearts) == 3
    for clips, covered in hearts:
        of, centre = clips[2], heart_centre(clips)
        found = occlude(shipped, clips, of.record.id, words(shipped), centre=centre)
        on = np.array(
            [
                [covered[2, a:b, c:d].mean() > 0.05 for c, d in pairwise(found.columns)]
                for a, b in pairwise(found.rows)
            ]
        )
        mass = np.abs(found.places)
        share = mass[on].sum() / mass.sum()
        assert on.mean() < 0.3
        assert share > 0.6
        assert share > 2 * on.mean()
