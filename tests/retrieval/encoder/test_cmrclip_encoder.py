"""CMR-CLIP from our clips, loaded from files as they are published."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from retrieval.encoder.cmrclip import arrays, frames, load, published
from retrieval.errors import CheckpointInvalid, UnusableSeries
from retrieval.settings import Settings
from retrieval.values.clip import ClipRecord, identify
from retrieval.values.study import SeriesId, StudyId, Technique, View
from retrieval.wiring import open_encoder
from tests import tiny_cmrclip


@pytest.fixture(scope="module")
def weights():
    return tiny_cmrclip.weights()


@pytest.fixture
def folder(tmp_path):
    return tiny_cmrclip.publish(tmp_path)


def clip(view, technique, *, phases=1, index=0, count=1, seed=0, **changes):
    record = ClipRecord(
        study=StudyId("s"),
        series=SeriesId(f"{view}{technique}"),
        view=view,
        technique=technique,
        phases=phases,
        rows=60,
        columns=64,
        spacing_mm=(4.0, 4.0),
        slice_index=index,
        slice_count=count,
    )
    pixels = np.random.default_rng(seed).integers(0, 900, (phases, 60, 64)).astype(np.int16)
    return identify(replace(record, **changes), pixels)


def study(lge_slices=11, phases=25):
    sax = [clip(View.SHORT_AXIS, Technique.CINE, phases=phases, index=i, count=9) for i in range(9)]
    lge = [
        clip(View.SHORT_AXIS, Technique.LGE, index=i, count=lge_slices, seed=i)
        for i in range(lge_slices)
    ]
    long = [
        clip(v, t, phases=phases if t is Technique.CINE else 1)
        for v in arrays.LONG_AXES
        for t in (Technique.CINE, Technique.LGE)
    ]
    return [*sax, *lge, *long]


def test_a_full_study_has_the_published_frames():
    views, used = arrays.study_arrays(study())
    assert set(views) == {*frames.CINE_VIEWS, frames.LGE_STACK, *frames.LGE_PLANES}
    assert all(a.shape[:2] == (224, 224) and a.dtype == np.uint8 for a in views.values())
    assert len(frames.study_frames(views)) == 60 + 4 * 11
    assert len(used) == 1 + 1 + 11 + 3


@pytest.mark.parametrize(("given", "kept"), [(4, 4), (12, 12), (15, 15), (22, 15)])
def test_lge_stacks_are_thinned_to_fifteen(given, kept):
    views, _ = arrays.study_arrays(study(lge_slices=given))
    assert views["lge_sa"].shape[2] == kept


def test_thirty_phases_stay_as_they_are_and_others_are_resampled_cyclically():
    ramp = np.arange(15, dtype=np.float32)[:, None, None] * np.ones((1, 2, 2), np.float32)
    resampled = arrays._in_time(ramp, 30)
    assert np.allclose(resampled[::2, 0, 0], np.arange(15))
    assert resampled[29, 0, 0] == pytest.approx(7.0)
    same = np.random.default_rng(0).random((30, 2, 2)).astype(np.float32)
    assert arrays._in_time(same, 30) is same


def test_a_study_is_embedded_from_the_views_it_has(folder):
    encoder = load(folder)
    whole = encoder.encode_studies([study()])[0]
    assert whole.whole.shape == (32,)
    assert np.linalg.norm(whole.whole) == pytest.approx(1, abs=1e-5)
    some = [c for c in study() if c.record.view is View.SHORT_AXIS]
    partial = encoder.encode_studies([some])[0]
    assert set(partial.inputs) <= {c.record.id for c in some}
    assert not np.allclose(partial.whole, whole.whole, atol=1e-4)


def test_order_of_clips_and_company_in_a_batch_change_nothing(folder):
    encoder = load(folder)
    one, other = study(), study(lge_slices=5)
    alone = encoder.encode_studies([one])[0]
    together = encoder.encode_studies([other, one[::-1]])[1]
    assert np.array_equal(alone.whole, together.whole)
    assert set(alone.inputs) == set(together.inputs)


def test_clips_it_cannot_use_are_left_out_and_a_study_of_nothing_else_is_refused(folder):
    encoder = load(folder)
    scout = clip(View.OTHER, Technique.T1_MAP)
    assert not encoder.sees(scout.record)
    with_scout = encoder.encode_studies([[*study(), scout]])[0]
    assert scout.record.id not in with_scout.inputs
    with pytest.raises(UnusableSeries, match="none of 1 clips"):
        encoder.encode_studies([[scout]])


def test_texts_are_read_in_lower_case_and_by_themselves(folder):
    encoder = load(folder)
    texts = ["Left ventricle is dilated", "left ventricle is dilated", "is"]
    rows = encoder.encode_texts(texts).vectors
    assert np.array_equal(rows[0], rows[1])
    assert not np.allclose(rows[0], rows[2], atol=1e-3)
    assert np.array_equal(encoder.encode_texts(texts[2:]).vectors[0], rows[2])
    assert encoder.encode_texts([]).vectors.shape == (0, 32)


def test_a_text_beyond_512_tokens_keeps_its_end_mark(folder):
    encoder = load(folder)
    words = encoder._tokenizer("left " * 900, truncation=True, max_length=512)["input_ids"]
    assert len(words) == 512
    assert words[-1] == tiny_cmrclip.WORDS.index("[SEP]")
    assert len(encoder.encode_texts(["left " * 900])) == 1


def test_texts_read_together_are_as_those_read_alone(folder):
    texts = ["is", "dilated", "left is dilated", "is", "left ventricle", "ventricle is"]
    together = load(folder).encode_texts(texts).vectors
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(load(folder).encode_texts([text]).vectors[0], row, atol=1e-6)


def test_a_text_is_read_once(folder, monkeypatch):
    encoder = load(folder)
    read = []
    inner = encoder._network.text_embeddings
    monkeypatch.setattr(
        encoder._network,
        "text_embeddings",
        lambda ids, mask: read.extend(ids.tolist()) or inner(ids, mask),
    )
    first = encoder.encode_texts(["is", "left", "is"]).vectors
    again = encoder.encode_texts(["left", "is"]).vectors
    assert len(read) == 2
    assert np.array_equal(first[[1, 0]], again)


def test_bf16_stays_within_a_hundredth_and_keeps_the_name(folder):
    exact, coarse = load(folder), load(folder, precision="bf16")
    a, b = (encoder.encode_studies([study()])[0].whole for encoder in (exact, coarse))
    assert not np.array_equal(a, b)
    assert 1 - a @ b < 1e-2
    assert exact.encoder_id == coarse.encoder_id
    words = ["left ventricle is dilated"]
    assert np.array_equal(exact.encode_texts(words).vectors, coarse.encode_texts(words).vectors)


def test_the_setting_decides_the_precision(folder, tmp_path):
    (folder / "config.json").write_text("{}")
    vectors = [
        open_encoder(
            str(folder), Settings(home=tmp_path / "home", device="cpu", precision=precision)
        )
        .encode_studies([study()])[0]
        .whole
        for precision in ("fp32", "bf16")
    ]
    assert np.array_equal(vectors[0], load(folder).encode_studies([study()])[0].whole)
    assert not np.array_equal(*vectors)


@pytest.mark.gpu
def test_bf16_on_a_gpu_agrees_with_float32_on_it_and_on_the_processor(folder):
    here = load(folder).encode_studies([study()])[0].whole
    there = load(folder, "cuda").encode_studies([study()])[0].whole
    coarse = load(folder, "cuda", "bf16").encode_studies([study()])[0].whole
    assert np.abs(here - there).max() < 1e-3
    assert 1 - there @ coarse < 1e-2


def test_a_published_pickle_is_read_once_and_kept_as_safetensors(folder, weights):
    old = {f"module.{k}": v for k, v in weights.items()}
    old["module.text_model.embeddings.position_ids"] = torch.arange(512)[None]
    encoder_id = load(folder).encoder_id
    (folder / "model.safetensors").unlink()
    torch.save({"state_dict": old}, folder / "pytorch_model.bin")
    assert load(folder).encoder_id == encoder_id
    assert (folder / "model.safetensors").exists()
    (folder / "pytorch_model.bin").unlink()
    assert load(folder).encoder_id == encoder_id


def test_a_pickle_that_runs_code_is_refused(folder):
    class Evil:
        def __reduce__(self):
            return (print, ("gotcha",))

    (folder / "model.safetensors").unlink()
    with (folder / "pytorch_model.bin").open("wb") as file:
        pickle.dump({"x": Evil()}, file, protocol=2)
    with pytest.raises(CheckpointInvalid, match="cannot be read"):
        load(folder)


def test_the_id_follows_the_weights(folder, weights):
    before = load(folder).encoder_id
    changed = {**weights, "vid_proj.1.bias": weights["vid_proj.1.bias"] + 1}
    save_file(changed, folder / "model.safetensors")
    assert load(folder).encoder_id != before
    assert before.startswith("cmrclip@")


@pytest.mark.parametrize("missing", ["vocab.txt", "model.safetensors"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(CheckpointInvalid, match=missing.replace(".", r"\.")):
        load(folder)


def test_missing_tensors_are_refused(folder, weights):
    save_file({k: v for k, v in weights.items() if "norm2" not in k}, folder / "model.safetensors")
    with pytest.raises(CheckpointInvalid, match="not a CMR-CLIP"):
        load(folder)


def test_without_the_hub_the_way_out_is_told(monkeypatch):
    def unreachable(*_args, **_kwargs):
        raise OSError("no route")

    monkeypatch.setattr(published, "snapshot_download", unreachable)
    with pytest.raises(CheckpointInvalid, match="--encoder FOLDER"):
        load()
