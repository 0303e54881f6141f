"""The trunk sees either image of a clip with the same eyes."""

import torch

from retrieval.encoder.phantom.geometry import ED, ES, PARTS, REGIONS
from retrieval.encoder.phantom.inputs import TECHNIQUES
from retrieval.encoder.phantom.network import CINE, Architecture, Trunk

IN_BOTH = ("LV cavity", "LV wall", "RV")


def trunk():
    torch.manual_seed(3)
    architecture = Architecture()
    return Trunk(architecture.trunk, architecture.detail, len(TECHNIQUES)).eval()


def cine(count):
    return torch.full((count,), CINE)


def channels(image):
    return [REGIONS.index((image, part)) for part in IN_BOTH]


@torch.inference_mode()
def test_images_in_the_other_order_give_the_masks_in_the_other_order():
    images = torch.rand(3, 2, 96, 96)
    _, regions = trunk()(images, cine(len(images)))
    _, turned = trunk()(images.flip(1), cine(3))
    torch.testing.assert_close(turned[:, channels(ED)], regions[:, channels(ES)])
    torch.testing.assert_close(turned[:, channels(ES)], regions[:, channels(ED)])
    assert (regions[:, channels(ED)] - regions[:, channels(ES)]).abs().max() > 0.01


@torch.inference_mode()
def test_a_still_has_one_heart():
    image = torch.rand(2, 1, 96, 96)
    _, regions = trunk()(image.expand(-1, 2, -1, -1), cine(2))
    torch.testing.assert_close(regions[:, channels(ED)], regions[:, channels(ES)])


@torch.inference_mode()
def test_each_clip_is_seen_by_itself():
    images = torch.rand(4, 2, 96, 96)
    features, regions = trunk()(images, cine(len(images)))
    alone, its_regions = trunk()(images[2:3], cine(1))
    torch.testing.assert_close(features[2:3], alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(regions[2:3], its_regions, rtol=1e-4, atol=1e-5)
    assert features.shape == (4, trunk().features)
    assert regions.shape == (4, len(REGIONS), 48, 48)


def test_every_part_has_a_region_and_no_region_is_named_twice():
    assert {part for _, part in REGIONS} == set(PARTS)
    assert len(set(REGIONS)) == len(REGIONS)


def test_every_region_is_learnt():
    seen = trunk().train()
    _, regions = seen(torch.rand(2, 2, 96, 96), cine(2))
    for channel in range(len(REGIONS)):
        seen.zero_grad()
        regions[:, channel].sum().backward(retain_graph=True)
        part = PARTS.index(REGIONS[channel][1])
        told = seen.segment.weight.grad.abs().sum((1, 2, 3))
        assert told[part] > 0
        assert not told[torch.arange(len(PARTS)) != part].any()


@torch.inference_mode()
def test_what_a_technique_leads_to_expect_changes_the_masks():
    seen, images = trunk(), torch.rand(2, 2, 96, 96)
    technique = torch.tensor([CINE, CINE + 1])
    _, same = seen(images, technique)
    for table in seen.expect:
        table.weight[CINE + 1] += 0.5
    _, told = seen(images, technique)
    torch.testing.assert_close(told[0], same[0])
    assert not torch.allclose(told[1], same[1], atol=0.01)
