"""Images show the geometry: volumes, planes that agree, scar where the truth has it."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.appearance import Appearance, sample_appearance
from retrieval.phantom.physiology import SCAR_NONE, SCAR_TRANSMURAL, sample_hearts
from retrieval.phantom.planes import Planes, long_axes, sample_operators, short_axis
from retrieval.phantom.render import LABELS, label, render
from retrieval.phantom.rhythm import end_systole
from retrieval.values.study import Technique, View

N = 6
LONG = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def anatomy_of(seed: int = 1, n: int = N, **changes: float) -> Anatomy:
    drawn = sample_hearts(n, seeded(seed), mix="training")
    filled = {k: torch.full_like(getattr(drawn, k), v) for k, v in changes.items()}
    return Anatomy(replace(drawn, **filled))


def ideal_stack(
    anatomy: Anatomy, *, slices: int, gap_mm: float, size: int, pixel_mm: float
) -> Planes:
    operator = sample_operators(len(anatomy), seeded(), strength=0)
    return short_axis(
        anatomy,
        operator,
        seeded(),
        slices=slices,
        gap_mm=gap_mm,
        pixel_mm=pixel_mm,
        size=(size, size),
    )


def ideal_long(anatomy: Anatomy, *, size: int = 112, pixel_mm: float = 1.6) -> Planes:
    operator = sample_operators(len(anatomy), seeded(), strength=0)
    return long_axes(anatomy, operator, seeded(), views=LONG, pixel_mm=pixel_mm, size=(size, size))


def plain(n: int, technique: Technique) -> Appearance:
    return sample_appearance(n, seeded(), technique=technique, strength=0)


def ed_es(anatomy: Anatomy) -> Tensor:
    systole = end_systole(anatomy.hearts)
    return torch.stack([torch.zeros_like(systole), systole], 1)


def test_volumes_counted_in_label_maps_are_the_truths() -> None:
    anatomy = anatomy_of(n=4)
    planes = ideal_stack(anatomy, slices=80, gap_mm=3.0, size=112, pixel_mm=1.6)
    maps = label(anatomy, planes, ed_es(anatomy))
    volume = maps.sum(dim=(1, 4, 5)) * 1.6 * 1.6 * 3.0 / 1000
    for i, truth in enumerate(anatomy.truths()):
        counted = dict(zip(LABELS, volume[i].unbind(-1), strict=True))
        assert float(counted["lv blood"][0]) == pytest.approx(truth.lvedv_ml, rel=0.02)
        assert float(counted["lv blood"][1]) == pytest.approx(truth.lvesv_ml, rel=0.04)
        assert float(counted["rv blood"][0]) == pytest.approx(truth.rvedv_ml, rel=0.05)
        assert 1.05 * float(counted["lv muscle"][0]) == pytest.approx(truth.lv_mass_g, rel=0.04)
        assert float(counted["left atrium"][1]) == pytest.approx(truth.la_volume_ml, rel=0.05)
        assert float(counted["right atrium"][1]) == pytest.approx(truth.ra_volume_ml, rel=0.07)


def test_short_and_long_axes_cut_one_heart() -> None:
    """Where a short-axis and a long-axis plane meet they show the same tissue."""
    anatomy = anatomy_of()
    phases = ed_es(anatomy)
    stack = ideal_stack(anatomy, slices=8, gap_mm=9.0, size=128, pixel_mm=1.4)
    long = ideal_long(anatomy, size=128, pixel_mm=1.4)
    across, along = label(anatomy, stack, phases), label(anatomy, long, phases).flatten(4)
    points = long.points()
    compared, covered = 0, 0.0
    for i in range(N):
        for k in range(stack.count):
            for view in range(long.count):
                rest = points[i, :, view].T - stack.origin_mm[i, k]
                column, row, off = (
                    rest @ axis[i, k] for axis in (stack.row, stack.column, stack.normal)
                )
                meets = (off.abs() < 0.35).nonzero()[:, 0]
                if len(meets) == 0:
                    continue
                place = torch.stack([column, row], -1)[meets] / (1.4 * 127) * 2 - 1
                seen = torch.nn.functional.grid_sample(
                    across[i, k], place.expand(2, 1, -1, 2), align_corners=True
                )[:, :, 0]
                expected = along[i, view][..., meets]
                assert float((seen - expected).abs().mean()) < 0.02
                compared += meets.numel()
                covered += float(expected.sum())
    assert compared > 5000
    assert covered > 2000


@pytest.mark.parametrize("subslices", [1, 2])
def test_blood_is_bright_and_muscle_dark_where_the_labels_say(subslices: int) -> None:
    anatomy = anatomy_of(scar_kind=SCAR_NONE)
    planes = ideal_stack(anatomy, slices=3, gap_mm=14.0, size=96, pixel_mm=2.0)
    phases = ed_es(anatomy)
    look = plain(N, Technique.CINE)
    images = render(
        anatomy,
        planes,
        phases,
        technique=Technique.CINE,
        appearance=look,
        generator=seeded(),
        subslices=subslices,
    )
    maps = label(anatomy, planes, phases)
    assert images.shape == (N, 3, 2, 96, 96)
    assert images.dtype == torch.float32
    for name, usual in (("lv blood", 0.85), ("lv muscle", 0.30), ("rv blood", 0.82)):
        inside = maps[:, 1, :, LABELS.index(name)] > 0.98
        assert float(images[:, 1][inside].median()) == pytest.approx(usual, abs=0.05)


def test_scar_is_bright_only_where_the_truth_says() -> None:
    scarred = {
        "scar_kind": SCAR_TRANSMURAL,
        "transmurality": 0.9,
        "scar_angle": 1.35,
        "scar_depth": 0.4,
        "scar_width": 0.7,
        "scar_reach": 0.35,
        "thinning": 0.0,
        "akinesia": 0.0,
        "trabeculation": 0.0,
    }
    with_scar, without = anatomy_of(**scarred), anatomy_of(**{**scarred, "scar_kind": SCAR_NONE})
    planes = ideal_stack(with_scar, slices=7, gap_mm=9.0, size=96, pixel_mm=1.6)
    planes = replace(planes, thickness_mm=torch.full((N,), 0.2))
    phases = torch.full((N, 1), 0.7)
    look = plain(N, Technique.LGE)
    bright, dark = (
        render(a, planes, phases, technique=Technique.LGE, appearance=look, generator=seeded())
        for a in (with_scar, without)
    )
    maps = label(with_scar, planes, phases)
    scar, muscle = maps[:, :, :, LABELS.index("scar")], maps[:, :, :, LABELS.index("lv muscle")]
    assert float(scar.sum()) > 100
    assert float(bright[scar > 0.95].median()) > 0.85
    assert float(bright[(muscle > 0.97) & (scar < 0.01)].median()) < 0.2
    changed = (bright - dark).abs() > 0.1
    near = torch.nn.functional.max_pool2d(scar.flatten(0, 2), 5, 1, 2).view_as(scar) > 0.02
    assert (near | ~changed).all()
    assert changed[scar > 0.95].all()
    assert label(without, planes, phases)[:, :, :, LABELS.index("scar")].sum() == 0


def test_the_right_ventricle_is_on_the_left_of_short_axis_images() -> None:
    anatomy = anatomy_of()
    planes = ideal_stack(anatomy, slices=3, gap_mm=10.0, size=96, pixel_mm=2.0)
    maps = label(anatomy, planes, ed_es(anatomy)[:, :1])[:, 1, 0]
    columns = torch.arange(96.0)

    def middle(name: str) -> Tensor:
        weight = maps[:, LABELS.index(name)].sum(1)
        return (weight * columns).sum(1) / weight.sum(1)

    assert (middle("rv blood") < middle("lv blood") - 8).all()


def test_the_four_chamber_view_shows_four_chambers_apex_up() -> None:
    anatomy = anatomy_of()
    maps = label(anatomy, ideal_long(anatomy), ed_es(anatomy)[:, :1])[:, 0, 0]
    area = maps.sum((2, 3)) * 1.6 * 1.6
    for name in ("lv blood", "rv blood", "left atrium", "right atrium"):
        assert (area[:, LABELS.index(name)] > 150).all()
    rows = torch.arange(112.0)[None, :, None]

    def height(name: str) -> Tensor:
        weight = maps[:, LABELS.index(name)]
        return (weight * rows).sum((1, 2)) / weight.sum((1, 2))

    assert (height("lv blood") < height("left atrium")).all()
    assert (height("rv blood") < height("right atrium")).all()


def test_the_two_chamber_view_shows_no_right_ventricle_to_speak_of() -> None:
    anatomy = anatomy_of()
    maps = label(anatomy, ideal_long(anatomy), ed_es(anatomy)[:, :1])[:, 1, 0].sum((2, 3))
    left, right = maps[:, LABELS.index("lv blood")], maps[:, LABELS.index("rv blood")]
    assert (right < 0.25 * left).all()
    assert (maps[:, LABELS.index("left atrium")] > 50).all()


def test_same_generator_state_same_images_and_batches_do_not_matter() -> None:
    anatomy = anatomy_of(n=4)
    operator = sample_operators(4, seeded(3))
    planes = short_axis(
        anatomy, operator, seeded(4), slices=2, gap_mm=20.0, pixel_mm=2.0, size=(64, 80)
    )
    look = replace(
        sample_appearance(4, seeded(5), technique=Technique.CINE),
        noise=torch.zeros(4),
        gain_spread=torch.zeros(4),
    )
    phases = ed_es(anatomy)
    noisy = replace(look, noise=torch.full((4,), 0.03))

    def image(appearance: Appearance, part: slice) -> Tensor:
        some = Anatomy(anatomy.hearts.select(part))
        return render(
            some,
            planes.select(part),
            phases[part],
            technique=Technique.CINE,
            appearance=appearance.select(part),
            generator=seeded(6),
        )

    everything = slice(None)
    assert torch.equal(image(noisy, everything), image(noisy, everything))
    together = image(look, everything)
    for i in range(4):
        alone = image(look, slice(i, i + 1))
        assert torch.allclose(together[i : i + 1], alone, atol=1e-5)


def test_a_restless_patient_moves_the_picture_but_not_the_nominal_geometry() -> None:
    anatomy = anatomy_of(n=2)
    still = sample_operators(2, seeded(), strength=0)
    restless = replace(still, restless_mm=torch.full((2,), 4.0))
    a, b = (
        short_axis(anatomy, o, seeded(), slices=4, gap_mm=9.0, pixel_mm=2.0, size=(64, 64))
        for o in (still, restless)
    )
    assert torch.equal(a.origin_mm, b.origin_mm)
    assert not torch.equal(a.points(), b.points())


def test_coarser_planes_cover_the_same_field() -> None:
    anatomy = anatomy_of(n=2)
    planes = ideal_stack(anatomy, slices=2, gap_mm=20.0, size=96, pixel_mm=2.0)
    fine = planes.points().unflatten(3, (96, 96))
    coarse = planes.coarser(4).points().unflatten(3, (24, 24))
    blocks = fine.unflatten(4, (24, 4)).unflatten(3, (24, 4)).mean((4, 6))
    assert torch.allclose(blocks, coarse, atol=1e-3)


def test_other_techniques_are_refused() -> None:
    with pytest.raises(KeyError):
        sample_appearance(1, seeded(), technique=Technique.FLOW)
