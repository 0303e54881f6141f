"""What every TextEncoder and VideoEncoder must do."""

import numpy as np
import pytest

from retrieval.encoder import cmrclip, phantom
from retrieval.errors import UnusableSeries
from retrieval.values.study import Technique, View
from tests import tiny_cmrclip
from tests.beating import STUDY, disc, stack

TEXTS = ["enlarged left ventricle", "Enlarged right ventricle.", "", "x " * 400, "Narbe (é)"]


@pytest.fixture(scope="module", params=["phantom", "cmrclip"])
def encoder(request, tmp_path_factory):
    """The shipped encoder, and the published one's form with random weights."""
    if request.param == "phantom":
        return phantom.load()
    return cmrclip.load(tiny_cmrclip.publish(tmp_path_factory.mktemp("cmrclip")))


@pytest.fixture(scope="module")
def study():
    return [
        *stack(5),
        disc(View.FOUR_CHAMBER),
        disc(View.TWO_CHAMBER),
        *stack(3, technique=Technique.LGE),
    ]


def test_texts_become_unit_vectors_of_this_encoder(encoder):
    embedded = encoder.encode_texts(TEXTS)
    assert embedded.encoder_id == encoder.encoder_id
    assert len(embedded) == len(TEXTS)
    assert len(encoder.encode_texts([])) == 0


def test_a_text_is_embedded_alike_in_any_company(encoder):
    together = encoder.encode_texts(TEXTS).vectors
    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(encoder.encode_texts([text]).vectors[0], row, atol=1e-6)


def test_different_texts_differ(encoder):
    vectors = encoder.encode_texts(["scar on LGE", "no scar on LGE"]).vectors
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)


def test_an_encoder_has_one_name_for_ever(encoder):
    name, _, digest = encoder.encoder_id.partition("@")
    assert name
    assert len(digest) == 12
    assert set(digest) <= set("0123456789abcdef")


def test_a_study_becomes_unit_vectors_beside_its_texts(encoder, study):
    (embedded,) = encoder.encode_studies([study])
    assert embedded.study == STUDY
    assert embedded.encoder_id == encoder.encoder_id
    assert set(embedded.inputs) <= {c.record.id for c in study}
    vectors = [embedded.whole, *embedded.clips.values()]
    width = encoder.encode_texts(["a"]).vectors.shape[1]
    assert all(v is None or v.shape == (width,) for v in vectors)
    assert all(v is None or abs(np.linalg.norm(v) - 1) < 1e-5 for v in vectors)
    assert set(embedded.clips) <= set(embedded.inputs)


def test_neither_the_order_of_clips_nor_other_studies_matter(encoder, study):
    (once,) = encoder.encode_studies([study])
    other = stack(4, radius_mm=20.0)
    _, again = encoder.encode_studies([other, study[::-1]])
    np.testing.assert_allclose(once.whole, again.whole, atol=1e-6)
    assert set(once.inputs) == set(again.inputs)
    assert once.clips.keys() == again.clips.keys()
    for clip, vector in once.clips.items():
        np.testing.assert_allclose(vector, again.clips[clip], atol=1e-6)


@pytest.mark.parametrize("part", [slice(0, 1), slice(2, 5), slice(5, 6), slice(7, 10), slice(4, 8)])
def test_any_part_of_a_study_is_embedded(encoder, study, part):
    (embedded,) = encoder.encode_studies([study[part]])
    assert embedded.whole is not None or embedded.clips


def test_the_pixels_decide(encoder):
    small, large = stack(5, radius_mm=18.0), stack(5, radius_mm=42.0)
    a, b = encoder.encode_studies([small, large])
    assert not np.allclose(a.whole, b.whole, atol=1e-3)


def test_what_it_cannot_see_is_left_out(encoder, study):
    hidden = [disc(technique=Technique.FLOW), disc(technique=Technique.LOCALISER)]
    assert not any(encoder.sees(c.record) for c in hidden)
    assert any(encoder.sees(c.record) for c in study)
    (plain,) = encoder.encode_studies([study])
    (more,) = encoder.encode_studies([[*hidden, *study]])
    assert more.inputs == plain.inputs
    np.testing.assert_array_equal(more.whole, plain.whole)
    with pytest.raises(UnusableSeries):
        encoder.encode_studies([hidden])


def test_embedding_leaves_the_clips_as_they_are(encoder, study):
    before = [c.pixels.copy() for c in study]
    encoder.encode_studies([study])
    assert all(np.array_equal(c.pixels, b) for c, b in zip(study, before, strict=True))
