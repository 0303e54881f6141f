"""The overview of a study: each number in a place of its own, whatever the order of the clips."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.encoder.phantom.contract import TECHNIQUES, VIEWS
from retrieval.encoder.phantom.geometry import (
    CLIP_GEOMETRY,
    ES,
    FIRST_LESION,
    REGIONS,
    RING_REGIONS,
    SECTOR_FEATURES,
    SECTORS,
)
from retrieval.encoder.phantom.network import Architecture, VideoTower
from retrieval.encoder.phantom.overview import LEVEL_MM, OVERVIEW, levels, overview
from retrieval.encoder.phantom.seen import Clips
from retrieval.encoder.phantom.tissue import TISSUE
from retrieval.values.study import Technique, View

CINE, LGE = TECHNIQUES.index(Technique.CINE), TECHNIQUES.index(Technique.LGE)
SAX, FOUR = VIEWS.index(View.SHORT_AXIS), VIEWS.index(View.FOUR_CHAMBER)
TWO = VIEWS.index(View.TWO_CHAMBER)
LEFT_ATRIUM = REGIONS.index((ES, "left atrium"))
RING = 3 * len(REGIONS)
SMALL = Architecture(trunk=(8, 8, 8, 8), detail=8, width=16, depth=1, look=4, dimension=8)
FEATURES = VideoTower(SMALL, 4.0, len(TECHNIQUES)).trunk.features


def study(kinds, seed=0):
    """Clips of random content; `kinds` gives technique, view and position of each."""
    generator = torch.Generator().manual_seed(seed)
    count = len(kinds)
    technique, view, position = zip(*kinds, strict=True)
    return Clips(
        features=torch.rand(1, count, FEATURES, generator=generator),
        geometry=torch.rand(1, count, CLIP_GEOMETRY, generator=generator),
        tissue=torch.rand(1, count, TISSUE, generator=generator),
        present=torch.ones(1, count, dtype=torch.bool),
        technique=torch.tensor([technique]),
        view=torch.tensor([view]),
        position_mm=torch.tensor([position], dtype=torch.float32),
        gap_mm=torch.zeros(1, count),
    )


def taken(clips, order):
    order = torch.as_tensor(order)
    return Clips(**{name: getattr(clips, name)[:, order] for name in Clips.__slots__})


KINDS = st.tuples(
    st.integers(0, len(TECHNIQUES) - 1), st.integers(0, len(VIEWS) - 1), st.floats(-80, 80)
)


@settings(deadline=None, max_examples=60)
@given(kinds=st.lists(KINDS, min_size=1, max_size=8), data=st.data())
def test_order_does_not_matter_nor_what_is_absent(kinds, data):
    clips = study(kinds)
    told = clips.overview()
    assert told.shape == (1, OVERVIEW)
    assert torch.isfinite(told).all()
    shuffled = taken(clips, data.draw(st.permutations(range(len(kinds)))))
    torch.testing.assert_close(shuffled.overview(), told)
    more = study([*kinds, (CINE, SAX, 0.0)])
    more.present[0, -1] = False
    for name in ("geometry", "tissue"):
        getattr(more, name)[0, :-1] = getattr(clips, name)[0]
        getattr(more, name)[0, -1] = 9.0
    torch.testing.assert_close(more.overview(), told)


def changed(clips, name, clip, place, to=5.0):
    """Places of the overview that change when one number of one clip does."""
    values = getattr(clips, name).clone()
    values[0, clip, place] = to
    other = Clips(**{n: values if n == name else getattr(clips, n) for n in Clips.__slots__})
    return np.flatnonzero((other.overview() != clips.overview())[0].numpy())


def test_an_atrium_stands_in_a_place_for_its_view():
    clips = study([(CINE, FOUR, 0.0), (CINE, TWO, 0.0), (CINE, SAX, 0.0), (LGE, FOUR, 0.0)])
    four, two = (changed(clips, "geometry", i, LEFT_ATRIUM) for i in (0, 1))
    assert len(four) == len(two) == 1
    assert four != two
    for i in (2, 3):
        assert not changed(clips, "geometry", i, LEFT_ATRIUM).size


def test_the_mean_of_two_clips_of_one_view_is_told():
    clips = study([(CINE, FOUR, 0.0), (CINE, FOUR, 0.0)])
    (place,) = changed(clips, "geometry", 0, LEFT_ATRIUM)
    mean = clips.geometry[0, :, LEFT_ATRIUM].mean()
    torch.testing.assert_close(clips.overview()[0, place], mean)


@pytest.mark.parametrize(("where", "told_at"), [(-LEVEL_MM, 1), (0.0, 1), (LEVEL_MM, 1), (10.0, 2)])
def test_a_scarred_sector_is_told_at_its_level(where, told_at):
    clips = study([(LGE, SAX, where), (LGE, SAX, -80.0), (LGE, SAX, 0.0), (LGE, SAX, 80.0)])
    scar = RING + 3 * SECTOR_FEATURES + len(RING_REGIONS)
    assert len(changed(clips, "geometry", 0, scar)) == told_at
    cine = study([(CINE, SAX, where)])
    assert not changed(cine, "geometry", 0, scar).size


def test_lesions_and_tissue_are_told_of_every_plane_but_a_cine():
    clips = study([(LGE, FOUR, 0.0), (CINE, FOUR, 0.0)])
    assert len(changed(clips, "geometry", 0, FIRST_LESION)) == 1
    assert len(changed(clips, "tissue", 0, 2)) == 1
    assert not changed(clips, "tissue", 1, 2).size


def test_levels_share_a_slice_out():
    share = levels(torch.linspace(-60, 60, 25))
    torch.testing.assert_close(share.sum(-1), torch.ones(25))
    assert share[0].tolist() == [1, 0, 0]
    assert share[12].tolist() == [0, 1, 0]
    assert share[-1].tolist() == [0, 0, 1]


def test_nothing_present_says_nothing():
    clips = study([(CINE, SAX, 0.0)])
    none = torch.zeros_like(clips.present)
    told = overview(
        clips.geometry, clips.tissue, none, clips.technique, clips.view, clips.position_mm
    )
    assert not told.any()


@settings(deadline=None, max_examples=20)
@given(present=st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=4))
def test_packed_studies_read_the_same(present):
    torch.manual_seed(0)
    tower = VideoTower(SMALL, 4.0, len(TECHNIQUES)).eval()
    torch.nn.init.normal_(tower.overview[-1].weight)
    kinds = [(SECTORS % len(TECHNIQUES), SAX, 5.0), (CINE, FOUR, 0.0), (LGE, SAX, -9.0)] * 2
    each = [study(kinds, seed=i) for i in range(len(present))]
    clips = Clips(**{n: torch.cat([getattr(s, n) for s in each]) for n in Clips.__slots__})
    clips.present[:] = torch.tensor([[*row[:-1], row[-1] or not any(row)] for row in present])
    packed = clips.packed()
    assert packed.present.shape[1] == int(clips.present.sum(1).max())
    with torch.inference_mode():
        torch.testing.assert_close(
            tower(packed).vectors, tower(clips).vectors, atol=1e-5, rtol=1e-4
        )
