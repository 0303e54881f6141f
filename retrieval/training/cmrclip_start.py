"""A CMR-CLIP that has learnt nothing yet, begun as the published one was."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from retrieval.encoder.cmrclip.frames import CROPPED
from retrieval.encoder.cmrclip.network import HEAD_WIDTH, Architecture, CmrClip, text_shape
from retrieval.encoder.cmrclip.tower import TowerShape
from retrieval.errors import CheckpointInvalid
from retrieval.training.recipe import CmrClipSettings

PATCH = 16
SPREAD = 0.02
"""Standard deviation of the first weights of a ViT (Dosovitskiy et al. 2021)."""

NEW = ("temporal_embed", ".timeattn.", ".norm3.")
"""What a still-image ViT has not: parts of names."""


def untrained(settings: CmrClipSettings, vocabulary: int) -> CmrClip:
    """Build the network; whatever weights the settings name are put into its towers.

    Raises
    ------
    CheckpointInvalid
        Such weights are not there or do not fit.
    """
    network = CmrClip(
        Architecture(
            video=TowerShape(
                dim=settings.width,
                depth=settings.depth,
                heads=settings.width // HEAD_WIDTH,
                mlp=settings.mlp,
                patch=PATCH,
                patches=(CROPPED // PATCH) ** 2,
                frames=settings.frames,
            ),
            text=text_shape(
                vocab_size=vocabulary,
                hidden_size=settings.text_width,
                num_hidden_layers=settings.text_depth,
                num_attention_heads=settings.text_width // HEAD_WIDTH,
                intermediate_size=settings.text_mlp,
            ),
            projection=settings.projection,
        )
    )
    _begin(network.video_model)
    if settings.image_weights:
        _put(network.video_model, Path(settings.image_weights), new=NEW)
    if settings.text_weights:
        _put(network.text_model, Path(settings.text_weights), new=())
    return network


def _begin(tower: nn.Module) -> None:
    """A ViT's first weights; attention over time begins as the published one's did.

    With its queries, keys and values 0 and its projection 1, time adds nothing
    at first.
    """
    for name, parameter in tower.named_parameters():
        if "timeattn.qkv" in name or name in ("temporal_embed",):
            nn.init.zeros_(parameter)
        elif name.endswith("timeattn.proj.weight"):
            nn.init.ones_(parameter)
        elif parameter.ndim > 1:
            nn.init.trunc_normal_(parameter, std=SPREAD)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def _put(module: nn.Module, path: Path, *, new: tuple[str, ...]) -> None:
    """Fill a tower from a safetensors file; all but the `new` parts must be in it."""
    given = _read(path)
    wanted = module.state_dict()
    missing = [n for n in wanted if n not in given and not any(part in n for part in new)]
    if missing:
        raise CheckpointInvalid(str(path), f"it lacks {', '.join(missing[:5])}")
    try:
        module.load_state_dict({n: t for n, t in given.items() if n in wanted}, strict=False)
    except RuntimeError as error:
        raise CheckpointInvalid(str(path), f"its shapes differ ({error})") from error


def _read(path: Path) -> Mapping[str, Tensor]:
    """Tensors by name, the prefix of a BERT with a head on it removed."""
    try:
        found = load_file(path)
    except (FileNotFoundError, SafetensorError) as error:
        raise CheckpointInvalid(str(path), f"it is no safetensors file ({error})") from error
    return {name.removeprefix("bert."): tensor.to(torch.float32) for name, tensor in found.items()}
