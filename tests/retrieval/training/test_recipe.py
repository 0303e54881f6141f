"""A configuration is read strictly, and every recipe that ships can be."""

from pathlib import Path

import pytest

from retrieval.errors import UsageError
from retrieval.training import recipe
from retrieval.training.archive import rate_share
from retrieval.training.door import default_folder
from retrieval.training.recipe import Recipe, read_recipe, source_of

SHIPPED = sorted((Path(recipe.__file__).parent / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_recipes_are_sound(path):
    assert source_of(path) == "archive"
    assert read_recipe(path).batch >= 2


def test_the_simulated_run_that_ships_goes_through_the_same_door():
    assert source_of(Path(recipe.__file__).parent / "phantom.toml") == "simulated"


def test_better_recipes_neither_zoom_nor_mirror():
    for path in SHIPPED:
        told = read_recipe(path)
        if path.stem != "cmrclip":
            assert told.encoder == "phantom"
            assert told.loss.targets == "findings"
            assert told.texts.sentences > 0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bach = 3", "bach"),
        ("[phantom.architecture]\nwdth = 3", "phantom.architecture.wdth"),
        ("batch = 'many'", "batch"),
        ("batch = 1", "batch"),
        ("[loss]\nkind = 'triplet'", "loss.kind"),
        ("[split]\nvalidation = 1.0", "split.validation"),
        ("encoder = 'other'", "encoder"),
    ],
)
def test_mistakes_are_named(tmp_path, text, names):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=names):
        read_recipe(path)


@pytest.mark.parametrize("text", ["", "source = 'dreams'"])
def test_the_source_must_be_said(tmp_path, text):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match="source"):
        source_of(path)


def test_what_is_no_configuration_is_refused(tmp_path):
    (tmp_path / "broken.toml").write_text("a =")
    for path, reason in (("none.toml", "exists"), ("broken.toml", "TOML"), (".", "TOML")):
        with pytest.raises(UsageError, match=reason):
            read_recipe(tmp_path / path)


def test_one_configuration_has_one_folder(tmp_path):
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text('source = "archive"')
    two.write_text('source = "archive"\nseed = 2')
    assert default_folder(one, tmp_path) == default_folder(one, tmp_path)
    assert default_folder(one, tmp_path).parent == tmp_path / "training" / "runs"
    assert default_folder(one, tmp_path) != default_folder(two, tmp_path)


def test_the_published_rate_follows_its_schedule():
    """LinearLR from a third over 10 epochs, then CosineAnnealingLR over 90, by epoch."""
    published = read_recipe(next(p for p in SHIPPED if p.stem == "cmrclip"))
    shares = [rate_share(step, 7, 700, published) for step in range(700)]
    assert shares[0] == pytest.approx(1 / 3)
    assert shares[:7] == [shares[0]] * 7
    assert shares[35] == pytest.approx(1 / 3 + 2 / 3 * 5 / 10)
    assert shares[70] == pytest.approx(1)
    assert shares[70 + 45 * 7] == pytest.approx(0.5)
    assert 0 < shares[-1] < 0.001


def test_a_rate_by_step_rises_to_its_peak_and_falls_to_its_end():
    told = Recipe(warmup_epochs=2, rate_end=0.1)
    shares = [rate_share(step, 5, 50, told) for step in range(51)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9] == shares[10] == pytest.approx(1)
    assert shares == sorted(shares[:10]) + sorted(shares[10:], reverse=True)
    assert shares[50] == pytest.approx(0.1)
