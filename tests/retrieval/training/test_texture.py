"""What is painted onto simulated clips stays where it belongs, and masks stay true."""

import numpy as np
import pytest
import torch

from retrieval.encoder.phantom.geometry import ED, ES, REGIONS
from retrieval.training.texture import CLOSED_CM2, CORE, NEAR_CELLS, closed, textured

SIDE, CELLS, CELL_MM = 96, 48, 4.0
CAVITY = REGIONS.index((ED, "LV cavity"))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def discs(side, scale):
    axis = (torch.arange(side) - (side - 1) / 2) * scale
    return torch.hypot(axis[:, None], axis[None, :])


def hearts(count, inner_mm=24.0, wall_mm=10.0):
    """Bright cavities in dark rings on grey, and their masks."""
    at_pixels, at_cells = discs(SIDE, CELL_MM / 2), discs(CELLS, CELL_MM)
    image = torch.full((SIDE, SIDE), 0.4)
    image[at_pixels < inner_mm + wall_mm] = 0.1
    image[at_pixels < inner_mm] = 0.9
    regions = torch.zeros(count, len(REGIONS), CELLS, CELLS)
    for phase in (ED, ES):
        inside = (at_cells < inner_mm).float()
        regions[:, REGIONS.index((phase, "LV cavity"))] = inside
        ring = (at_cells < inner_mm + wall_mm).float() - inside
        regions[:, REGIONS.index((phase, "LV wall"))] = ring
    return image.expand(count, 2, SIDE, SIDE).clone(), regions


def painted(count, *, of_map=True, seed=0, **sizes):
    images, regions = hearts(count, **sizes)
    flags = torch.full((count,), of_map)
    return images, textured(images, regions, CELL_MM, flags, generator(seed)), regions


def test_muscle_is_laid_along_the_wall_of_a_large_cavity():
    before, after, _ = painted(40, inner_mm=30.0)
    from_middle = discs(SIDE, CELL_MM / 2)
    rim = (from_middle < 28) & (from_middle > 20)
    core = from_middle < 8
    darkened = (before - after > 0.3).float()
    assert 0.03 < darkened[:, :, rim].mean() < 0.5
    assert darkened[:, :, core].mean() < 0.02
    covered = darkened[:, :, from_middle < 30].mean(2)
    assert (covered > 0.1).any()
    assert (covered < 0.01).any()


def test_small_cavities_are_left_alone():
    before, after, _ = painted(40, inner_mm=10.0)
    torch.testing.assert_close(after, before)


def test_blood_is_uneven_and_muscle_is_not():
    images, regions = hearts(40)
    lone = [textured(images[i:][:1], regions[i:][:1], CELL_MM, torch.tensor([False]), generator(i))
            for i in range(40)]  # fmt: skip
    before, after = images, torch.cat(lone)
    from_middle = discs(SIDE, CELL_MM / 2)
    wall = (from_middle > 30) & (from_middle < 33)
    torch.testing.assert_close(after[:, :, wall], before[:, :, wall], atol=0.02, rtol=0)
    assert after[:, :, from_middle < 8].std() > 0.03


def test_surroundings_come_from_elsewhere_and_the_heart_stays():
    images, regions = hearts(60)
    images = images * torch.linspace(0.5, 1.5, 60)[:, None, None, None]
    after = textured(images, regions, CELL_MM, torch.zeros(60, dtype=torch.bool), generator(2))
    from_middle = discs(SIDE, CELL_MM / 2)
    far = from_middle > 34 + (NEAR_CELLS + 3) * CELL_MM
    changed = (after - images).abs()[:, :, far].mean((1, 2)) > 1e-3
    assert 0.2 < changed.float().mean() < 0.6
    wall = (from_middle > 30) & (from_middle < 33)
    torch.testing.assert_close(after[:, :, wall], images[:, :, wall], atol=0.03, rtol=0)


def test_maps_keep_their_values():
    before, after, _ = painted(60)
    from_middle = discs(SIDE, CELL_MM / 2)
    for same in (from_middle > 40, from_middle < 6):
        torch.testing.assert_close(after[:, :, same], before[:, :, same], atol=0.02, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_masks_are_not_touched_and_a_seed_decides(seed):
    _, first, regions = painted(8, seed=seed)
    _, second, _ = painted(8, seed=seed)
    assert torch.equal(first, second)
    assert torch.equal(regions, hearts(8)[1])
    assert np.isfinite(first.numpy()).all()
    assert not torch.equal(first, painted(8, seed=seed + 1)[1])


def test_a_clip_without_a_heart_is_no_trouble():
    images = torch.rand(4, 2, SIDE, SIDE, generator=generator())
    nothing = torch.zeros(4, len(REGIONS), CELLS, CELLS)
    maps = torch.ones(4, dtype=torch.bool)
    torch.testing.assert_close(textured(images, nothing, CELL_MM, maps, generator()), images)


def closing(inner_mm, *, cine=True, count=64):
    images, regions = hearts(count, inner_mm=inner_mm)
    told = torch.full((count,), cine)
    return images, regions, *closed(images, regions, CELL_MM, told, generator())


def test_closed_cavities_are_dark_and_wall_and_only_some_are():
    images, regions, shown, drawn = closing(14.0)
    for image in (ED, ES):
        cavity, wall = (REGIONS.index((image, part)) for part in ("LV cavity", "LV wall"))
        gone = drawn[:, cavity].amax((1, 2)) == 0
        assert 0.05 < gone.float().mean() < 0.6
        inside = discs(SIDE, CELL_MM / 2) < 12
        assert shown[gone, image][:, inside].max() <= 0.1 + CORE * 0.8 + 0.05
        assert torch.equal(shown[~gone, image], images[~gone, image])
        torch.testing.assert_close(
            drawn[:, wall] + drawn[:, cavity], regions[:, wall] + regions[:, cavity]
        )
    beyond = discs(SIDE, CELL_MM / 2) > 34
    assert torch.equal(shown[..., beyond], images[..., beyond])


def test_large_cavities_and_dark_blood_stay():
    large = 10 * (CLOSED_CM2 / np.pi) ** 0.5 + 2
    for made in (closing(large), closing(14.0, cine=False)):
        images, regions, shown, drawn = made
        assert torch.equal(shown, images)
        assert torch.equal(drawn, regions)
