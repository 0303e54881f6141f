"""Augmentation varies what scanners vary and keeps what matters."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from retrieval.encoder.phantom import inputs
from retrieval.encoder.phantom.geometry import (
    CLIP_GEOMETRY,
    REGIONS,
    SECTOR_FEATURES,
    SECTORS,
    clip_geometry,
)
from retrieval.encoder.phantom.inputs import TECHNIQUES, InputContract
from retrieval.encoder.phantom.seen import Clips
from retrieval.training.augment import (
    CINE,
    LGE,
    SHORT_AXIS,
    Batch,
    augment,
    centre_crop,
    glimpse,
    misjudged,
    partial_study,
    standardise,
)
from retrieval.values.study import Technique

CONTRACT = InputContract()
SIDE = 104


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(radius_px=15.0, studies=4, clips=6):
    axis = torch.arange(SIDE) - (SIDE - 1) / 2
    inside = (axis[:, None] ** 2 + axis[None, :] ** 2 < radius_px**2).float()
    n = studies * clips
    cells = torch.nn.functional.avg_pool2d(inside[None, None], 2)
    side = torch.arange(clips).repeat(studies)
    return Batch(
        study=torch.arange(studies).repeat_interleave(clips),
        images=(0.1 + 0.8 * inside).expand(n, 2, SIDE, SIDE).clone(),
        regions=cells.expand(n, 13, SIDE // 2, SIDE // 2).clone(),
        technique=(side > 3).long(),
        view=side % 3,
        position_mm=side * 10.0,
        gap_mm=torch.full((n,), 10.0),
        degrees=torch.rand(studies, 3),
        margins=torch.randn(studies, 3),
        measurements=torch.zeros(studies, 8),
    )


@pytest.mark.parametrize("radius", [12.0, 16.0, 24.0])
def test_size_survives_every_augmentation(radius):
    given = batch(radius)
    out = augment(given, CONTRACT, generator())
    before, after = (b.regions[:, 0].sum((1, 2)) for b in (given, out))
    np.testing.assert_allclose(after, before, rtol=0.15)
    np.testing.assert_allclose(after.mean(), before.mean(), rtol=0.02)


def test_images_and_regions_move_together():
    out = augment(batch(), CONTRACT, generator(3))
    axis = torch.arange(CONTRACT.size_px).float()
    near = torch.nn.functional.interpolate(out.regions[:, :1], scale_factor=2.0)[:, 0] > 0.02
    for image, region, here in zip(out.images[:, 0], out.regions[:, 0], near, strict=True):
        bright = (image > 0.5).float() * here
        at = [(bright.sum(d) * axis).sum() / bright.sum() for d in (1, 0)]
        cell = torch.arange(region.shape[0]) * 2 + 0.5
        label = [(region.sum(d) * cell).sum() / region.sum() for d in (1, 0)]
        np.testing.assert_allclose(at, label, atol=1.0)
    assert out.images.shape[-1] == CONTRACT.size_px
    assert out.regions.shape[-1] == CONTRACT.size_px // 2


def test_one_seed_gives_one_result_and_another_another():
    a, b, c = (augment(batch(), CONTRACT, generator(s)).images for s in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.allclose(a, c, atol=0.05)


def test_truth_is_never_touched():
    given = batch()
    out = augment(given, CONTRACT, generator())
    assert torch.equal(out.degrees, given.degrees)
    assert torch.equal(out.technique, given.technique)
    assert torch.equal(out.position_mm.abs(), given.position_mm.abs())


def test_training_and_indexing_standardise_alike():
    images = torch.rand(5, 2, 96, 96, generator=generator()) * 900 - 100
    fast = standardise(images, CONTRACT)
    slow = np.stack([inputs.standardise(i.numpy(), CONTRACT) for i in images])
    np.testing.assert_allclose(fast, slow, atol=1e-5)


def test_validation_sees_the_middle_unchanged():
    given = batch()
    out = centre_crop(given, CONTRACT)
    cut = (SIDE - CONTRACT.size_px) // 2
    inner = given.images[..., cut:-cut, cut:-cut]
    torch.testing.assert_close(out.images, standardise(inner, CONTRACT))


@pytest.mark.parametrize("seed", range(5))
def test_something_of_every_study_stays(seed):
    technique = torch.tensor([CINE] * 9 + [LGE] * 5).expand(200, -1)
    view = torch.tensor([SHORT_AXIS] * 6 + [1, 2, 3] + [SHORT_AXIS] * 5).expand(200, -1)
    stay = partial_study(technique, view, generator(seed))
    assert stay.any(dim=1).all()
    without_late = ~(stay & (technique == LGE)).any(1)
    without_cine = ~(stay & (technique == CINE)).any(1)
    assert 0.1 < without_late.float().mean() < 0.4
    assert 0.0 < without_cine.float().mean() < 0.2


def test_only_techniques_at_hand_can_stay():
    late_only = torch.full((300, 3), LGE)
    stay = partial_study(late_only, torch.zeros_like(late_only), generator(1))
    assert stay.any(dim=1).all()


def clips_of(geometry, **others):
    empty = torch.zeros(geometry.shape[:2])
    given = {
        "features": empty[..., None],
        "geometry": geometry,
        "tissue": empty[..., None],
        "present": empty == 0,
        "technique": empty.long(),
        "view": empty.long(),
        "position_mm": empty,
        "gap_mm": empty,
    }
    return Clips(**(given | others))


@pytest.mark.parametrize("seed", range(5))
def test_a_glimpse_is_a_part_of_each_study(seed):
    technique = torch.tensor([CINE] * 4 + [LGE] * 3).expand(200, -1)
    view = torch.tensor([SHORT_AXIS, SHORT_AXIS, 1, 2, SHORT_AXIS, SHORT_AXIS, 1]).expand(200, -1)
    present = torch.rand(200, 7, generator=generator(seed)) < 0.7
    present[:, 0] = True
    empty = torch.zeros(200, 7)
    clips = clips_of(empty[..., None], present=present, technique=technique, view=view)
    seen = glimpse(clips, generator(seed))
    assert not (seen & ~present).any()
    counts = seen.sum(1)
    assert counts.min() >= 1
    assert (counts == 1).float().mean() > 0.5
    assert (counts > 1).any()
    kinds = technique * 5 + view
    for study in range(200):
        assert len(set(kinds[study][seen[study]].tolist())) == 1


def read_masks(studies=40, clips=6):
    inside = torch.rand(studies * clips, len(REGIONS), 48, 48, generator=generator())
    short = torch.ones(studies * clips, dtype=torch.bool)
    geometry = clip_geometry(inside, 4.0, short).view(studies, clips, CLIP_GEOMETRY)
    return clips_of(geometry)


def test_misjudged_masks_still_agree_with_themselves():
    before, after = read_masks().geometry, misjudged(read_masks(), generator()).geometry
    regions = len(REGIONS)
    areas, logs = after[..., :regions] * 20, after[..., regions : 2 * regions]
    torch.testing.assert_close(torch.log1p(areas), logs)
    ratio = (after[..., :regions] / before[..., :regions]).log()
    assert abs(float(ratio.mean())) < 0.01
    assert 0.06 < float(ratio.std()) < 0.11
    of_studies = ratio.mean(1)
    assert 0.05 < float(of_studies.std()) < 0.09
    highest = slice(2 * regions, 3 * regions)
    assert torch.equal(after[..., highest], before[..., highest])


def test_misjudged_walls_are_off_along_rays_and_lesions_are_not():
    before, after = (
        c.geometry[..., 3 * len(REGIONS) :].unflatten(-1, (SECTORS, SECTOR_FEATURES))
        for c in (read_masks(), misjudged(read_masks(), generator()))
    )
    assert torch.equal(after[..., 4:], before[..., 4:])
    ratio = (after[..., :4] / before[..., :4]).log()
    assert 0.05 < float(ratio.std()) < 0.1
    assert abs(float(ratio.mean())) < 0.01


def test_maps_keep_their_milliseconds():
    given = batch()
    t1 = TECHNIQUES.index(Technique.T1_MAP)
    mapped = replace(given, technique=torch.full_like(given.technique, t1))
    for out in (augment(mapped, CONTRACT, generator()), centre_crop(mapped, CONTRACT)):
        middle = out.images.shape[-1] // 2
        np.testing.assert_allclose(out.images[:, 1, middle, middle], 0.9, atol=0.04)


def test_flipping_a_stack_flips_all_of_it():
    given = replace(batch(studies=60), position_mm=torch.arange(360.0) + 1)
    out = augment(given, CONTRACT, generator())
    signs = torch.sign(out.position_mm).view(60, 6)
    assert (signs == signs[:, :1]).all()
    assert 0.1 < (signs[:, 0] < 0).float().mean() < 0.5
