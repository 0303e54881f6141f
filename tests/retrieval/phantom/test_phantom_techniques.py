"""Each technique shows what it is there for, and flaws do what they say."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.appearance import Appearance, sample_appearance
from retrieval.phantom.contrasts import MAPS, USUAL
from retrieval.phantom.first_pass import sample_first_pass
from retrieval.phantom.flaws import Flaws, sample_flaws, sampled, shading
from retrieval.phantom.physiology import SCAR_DIFFUSE, SCAR_NONE, SCAR_TRANSMURAL, sample_hearts
from retrieval.phantom.planes import Planes, sample_operators, short_axis
from retrieval.phantom.random_draws import Draws
from retrieval.phantom.render import LABELS, label, render
from retrieval.values.study import Technique

N = 3
LATE = 0.7


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def anatomy_of(**changes: float) -> Anatomy:
    drawn = sample_hearts(N, seeded(), mix="training")
    still = {"trabeculation": 0.0, "akinesia": 0.0, "thinning": 0.0, "defect_size": 0.0}
    filled = {k: torch.full_like(getattr(drawn, k), v) for k, v in (still | changes).items()}
    return Anatomy(replace(drawn, **filled))


def thin_stack(anatomy: Anatomy) -> Planes:
    planes = short_axis(
        anatomy,
        sample_operators(N, seeded(), strength=0),
        seeded(),
        slices=3,
        gap_mm=14.0,
        pixel_mm=1.6,
        size=(80, 80),
    )
    return replace(planes, thickness_mm=torch.full((N,), 0.2))


def plain(technique: Technique) -> Appearance:
    return sample_appearance(N, seeded(), technique=technique, strength=0)


def shown(anatomy: Anatomy, look: Appearance, technique: Technique, times: Tensor) -> Tensor:
    return render(
        anatomy,
        thin_stack(anatomy),
        times,
        technique=technique,
        appearance=look,
        generator=seeded(),
        subslices=1,
    )


def parts(anatomy: Anatomy, lesion: str, moment: float) -> tuple[Tensor, Tensor]:
    """(n, K, H, W) masks of a lesion and of muscle far from it."""
    maps = label(anatomy, thin_stack(anatomy), torch.full((N, 1), moment))[:, :, 0]
    sick, muscle = maps[:, :, LABELS.index(lesion)], maps[:, :, LABELS.index("lv muscle")]
    near = torch.nn.functional.max_pool2d(sick, 5, 1, 2)
    return sick > 0.97, (muscle > 0.97) & (near < 0.01)


INFARCT = {
    "scar_kind": SCAR_TRANSMURAL,
    "transmurality": 0.9,
    "scar_angle": 1.35,
    "scar_depth": 0.4,
    "scar_width": 0.7,
    "scar_reach": 0.35,
}
DEFECT = {
    "scar_kind": SCAR_NONE,
    "defect_size": 0.8,
    "defect_angle": 1.35,
    "defect_width": 0.7,
    "defect_depth": 0.4,
    "defect_reach": 0.35,
}


def test_agent_reaches_the_right_heart_then_the_left_then_muscle() -> None:
    passing = sample_first_pass(Draws(50, seeded()), 1.0)
    times = torch.linspace(0, 1, 200).expand(50, -1)
    right, left = passing.right(times), passing.left(times)
    muscle = passing.muscle_at(times, defect=False)
    assert (right.argmax(1) < left.argmax(1)).all()
    assert (left.argmax(1) < muscle.argmax(1)).all()
    assert (right[:, 0] < 0.02 * right.amax(1)).all()
    peaks = passing.peaks()
    assert torch.allclose(peaks[:, 0], left.argmax(1) / 199, atol=0.015)
    assert torch.allclose(peaks[:, 1], muscle.argmax(1) / 199, atol=0.015)
    assert torch.allclose(muscle.amax(1), passing.muscle, rtol=0.01)


def test_a_defect_takes_up_less_and_never_more() -> None:
    passing = sample_first_pass(Draws(50, seeded()), 1.0)
    times = torch.linspace(0, 1, 60).expand(50, -1)
    healthy, deprived = (passing.muscle_at(times, defect=d) for d in (False, True))
    assert (deprived <= healthy + 1e-6).all()
    expected = (1 - passing.deprived)[:, None] * healthy
    assert torch.allclose(deprived, expected, atol=1e-4)


def test_a_perfusion_defect_is_dark_when_muscle_is_brightest() -> None:
    anatomy, look = anatomy_of(**DEFECT), plain(Technique.PERFUSION)
    assert look.first_pass is not None
    peak = look.first_pass.peaks()[:, 1:]
    images = shown(anatomy, look, Technique.PERFUSION, torch.cat([torch.zeros(N, 1), peak], 1))
    sick, well = parts(anatomy, "defect", float(look.first_pass.trigger[0]))
    assert int(sick.sum()) > 100
    before, after = images.unbind(2)
    assert float(after[sick].median()) < 0.65 * float(after[well].median())
    assert float(before[sick].median()) == pytest.approx(float(before[well].median()), abs=0.01)
    assert float(after[well].median()) > 2 * float(before[well].median())


def test_frames_of_a_first_pass_show_one_moment_of_the_beat() -> None:
    anatomy, look = anatomy_of(), plain(Technique.PERFUSION)
    times = torch.tensor([[0.0, 0.4, 0.8]]).expand(N, -1)
    together = shown(anatomy, look, Technique.PERFUSION, times)
    for p in range(3):
        alone = shown(anatomy, look, Technique.PERFUSION, times[:, p : p + 1])
        assert torch.allclose(together[:, :, p : p + 1], alone, atol=1e-5)


def test_oedema_is_bright_on_t2_weighted_images_and_long_on_maps() -> None:
    fresh, old = anatomy_of(**INFARCT, acute=1.0), anatomy_of(**INFARCT, acute=0.0)
    times = torch.full((N, 1), LATE)
    sick, well = parts(fresh, "oedema", LATE)
    assert int(sick.sum()) > 100
    for technique, factor in (
        (Technique.T2_WEIGHTED, 1.5),
        (Technique.T2_MAP, 1.15),
        (Technique.T1_MAP, 1.08),
    ):
        bright, dull = (shown(a, plain(technique), technique, times) for a in (fresh, old))
        assert float(bright[:, :, 0][sick].median()) > factor * float(
            bright[:, :, 0][well].median()
        )
        if technique is not Technique.T1_MAP:  # a scar is long there without oedema
            assert float(dull[:, :, 0][sick].median()) == pytest.approx(
                float(dull[:, :, 0][well].median()), rel=0.03
            )


@pytest.mark.parametrize(("technique", "field"), [(Technique.T1_MAP, "native_t1_ms"),
                                                  (Technique.T2_MAP, "native_t2_ms")])  # fmt: skip
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_maps_hold_the_relaxation_times_of_the_heart(
    technique: Technique, field: str, strength: float
) -> None:
    anatomy = anatomy_of(scar_kind=SCAR_DIFFUSE, acute=0.0)
    raised = 1.2 * getattr(anatomy.hearts, field)
    anatomy = Anatomy(replace(anatomy.hearts, **{field: raised}))
    look = sample_appearance(N, seeded(), technique=technique, strength=strength)
    values = shown(anatomy, look, technique, torch.full((N, 1), LATE))[:, :, 0]
    _, well = parts(anatomy, "oedema", LATE)
    for i in range(N):
        factor = float(look.muscle[i]) / USUAL[technique]["muscle"][0]
        expected = float(raised[i]) * factor
        assert float(values[i][well[i]].median()) == pytest.approx(expected, rel=0.03)
        off = float((values[i][well[i]] / expected - 1).abs().median())
        assert off < 0.02 + float(look.noise[i])


def test_high_field_lengthens_t1_and_shortens_t2() -> None:
    for technique, ratio in ((Technique.T1_MAP, 1.2), (Technique.T2_MAP, 0.9)):
        muscle = sample_appearance(400, seeded(), technique=technique).muscle
        usual, reach, _ = USUAL[technique]["muscle"]
        low = ((muscle - usual).abs() <= reach * 1.01).float().mean()
        high = ((muscle / ratio - usual).abs() <= reach * 1.01).float().mean()
        assert float(low) == pytest.approx(0.6, abs=0.1)
        assert float(high) == pytest.approx(0.4, abs=0.1)


@pytest.mark.parametrize("technique", list(USUAL))
def test_draws_are_positive_and_lesions_stand_out(technique: Technique) -> None:
    look = sample_appearance(500, seeded(), technique=technique)
    for name in USUAL[technique]:
        assert (getattr(look, name) > 0).all()
    if technique is Technique.LGE:
        assert (look.scar > look.muscle + 0.3).all()
    if technique is Technique.T2_WEIGHTED or technique in MAPS:
        assert (look.oedema > 1.05 * look.muscle).all()


def test_a_few_studies_are_bright_and_dark_in_another_order() -> None:
    look = sample_appearance(2000, seeded(), technique=Technique.CINE)
    assert 0.01 < float((look.lung > look.blood).float().mean()) < 0.08
    assert (look.blood > look.muscle + 0.19).all()
    assert (look.blood > 1.59 * look.muscle).all()
    late = sample_appearance(2000, seeded(), technique=Technique.LGE)
    assert 0.01 < float((late.muscle > late.blood).float().mean()) < 0.08
    plain_look = sample_appearance(50, seeded(), technique=Technique.CINE, strength=0)
    assert torch.equal(plain_look.muscle, torch.full((50,), 0.30))


def test_selecting_studies_selects_their_flaws_and_passage() -> None:
    look = sample_appearance(5, seeded(), technique=Technique.PERFUSION)
    some = look.select(slice(2, 4))
    assert some.first_pass is not None
    assert look.first_pass is not None
    assert torch.equal(some.first_pass.wash_in, look.first_pass.wash_in[2:4])
    assert torch.equal(some.flaws.band_slope, look.flaws.band_slope[2:4])


def flawless(n: int) -> Flaws:
    return sample_flaws(Draws(n, seeded()), Technique.CINE, 0.0)


def picture(n: int = 2, size: int = 64) -> Tensor:
    return torch.rand(n, 1, 1, size, size, generator=seeded())


def test_no_flaws_leave_every_picture_as_it_is() -> None:
    none = flawless(2)
    assert not none.resampled(torch.full((2,), 1.0)).any()
    assert shading(none, thin_stack(anatomy_of()).select(slice(0, 2))) is None
    given = picture()
    assert torch.allclose(sampled(given, none, torch.full((2,), 1.0)), given, atol=1e-5)


def test_coarse_sampling_removes_high_frequencies_only() -> None:
    coarse = replace(flawless(2), acquired_mm=torch.full((2, 2), 3.0), taper=torch.full((2,), 0.05))
    given = picture()
    spectrum = torch.fft.fft2(sampled(given, coarse, torch.full((2,), 1.5))).abs()
    frequency = torch.fft.fftfreq(64).abs()
    beyond = (frequency[:, None] > 0.27) | (frequency[None, :] > 0.27)
    below = (frequency[:, None] < 0.23) & (frequency[None, :] < 0.23)
    assert float(spectrum[..., beyond].max()) < 1e-3
    assert torch.allclose(
        spectrum[..., below], torch.fft.fft2(given).abs()[..., below], rtol=1e-3, atol=1e-3
    )


def test_ghosts_lie_where_they_are_said_to() -> None:
    ghostly = replace(flawless(1), ghost=torch.tensor([0.4]), ghost_shift=torch.tensor([0.25]))
    given = picture(1)
    found = sampled(given, ghostly, torch.ones(1))
    expected = given + 0.2 * (given.roll(16, -2) + given.roll(-16, -2))
    assert torch.allclose(found, expected, atol=1e-4)


def test_wrap_around_adds_to_one_edge() -> None:
    wrapped = replace(flawless(1), wrap=torch.tensor([0.5]))
    given = picture(1)
    added = sampled(given, wrapped, torch.ones(1)) - given
    assert torch.allclose(added[..., 0, :], 0.5 * given[..., -16, :], atol=1e-4)
    assert float(added[..., 16:, :].abs().max()) < 1e-4


def test_bands_and_losses_darken_and_never_brighten() -> None:
    planes = thin_stack(anatomy_of())
    flaws = sample_flaws(Draws(N, seeded(4)), Technique.CINE, 1.0)
    here = planes.points()[:, :, 1, 40 * 80 + 40]
    bad = replace(
        flaws,
        band=torch.tensor([0.8, 0.0, 0.0]),
        loss=torch.tensor([0.0, 0.9, 0.0]),
        loss_mm=here,
    )
    left = shading(bad, planes)
    assert left is not None
    assert 0.19 < float(left[0].min()) < 0.3
    assert float(left[0].max()) > 0.98
    assert float(left[1].flatten().min()) == pytest.approx(0.1, abs=0.02)
    assert torch.equal(left[2], torch.ones_like(left[2]))


def test_signal_lost_makes_maps_noisy_and_images_dark() -> None:
    anatomy, times = anatomy_of(), torch.full((N, 1), LATE)
    centre = thin_stack(anatomy).points()[:, :, 1, 40 * 80 + 40]
    for technique in (Technique.CINE, Technique.T1_MAP):
        look = replace(plain(technique), noise=torch.full((N,), 0.02))
        lossy = replace(
            look.flaws,
            loss=torch.ones(N),
            loss_mm=centre,
            loss_radius_mm=torch.full((N,), 15.0),
        )
        good, bad = (
            shown(anatomy, replace(look, flaws=f), technique, times)[:, 1, 0, 36:44, 36:44]
            for f in (look.flaws, lossy)
        )
        if technique is Technique.CINE:
            assert float(bad.mean()) < 0.3 * float(good.mean())
        else:
            assert float(bad.median()) == pytest.approx(float(good.median()), rel=0.1)
            assert float((bad - good).abs().mean()) > 0.05 * float(good.mean())
