"""Load CMR-CLIP as it was published: config.json with pytorch_model.bin or safetensors."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from retrieval.encoder.checkpoint import Checkpoint
from retrieval.encoder.cmrclip import arrays, frames
from retrieval.encoder.cmrclip.network import Architecture, CmrClip
from retrieval.errors import CheckpointInvalid

NAME = "cmrclip"
HUB_WEIGHTS = "makiyeah/CMRCLIP"
HUB_TOKENIZER = "emilyalsentzer/Bio_ClinicalBERT"
PICKLE, SAFE, TOKENIZER = "pytorch_model.bin", "model.safetensors", "vocab.txt"

UNUSED = ("text_model.embeddings.position_ids", "text_model.pooler.")
"""In the file and read by nothing: a buffer of an old library, a layer that pooling skips."""

WAY_OUT = (
    f"give a folder with {SAFE} or {PICKLE} of {HUB_WEIGHTS} and {TOKENIZER} of {HUB_TOKENIZER}: "
    "--encoder FOLDER"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Published:
    """The network with its weights, its tokenizer, and what names it."""

    network: CmrClip
    tokenizer: PreTrainedTokenizerBase
    checkpoint: Checkpoint


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read the published weights; a pickle is read without code, once, and kept as safetensors.

    Returns
    -------
    dict
        Tensors under their published names, unused ones dropped, a
        DataParallel "module." prefix removed.

    Raises
    ------
    CheckpointInvalid
        Neither file is there, or it is damaged or holds anything but tensors.
    """
    safe, unsafe = folder / SAFE, folder / PICKLE
    try:
        if not safe.exists() and unsafe.exists():
            save_file(_unpickled(unsafe), safe)
        return _named(load_file(safe))
    except FileNotFoundError as error:
        raise CheckpointInvalid(
            str(folder), f"it has neither {SAFE} nor {PICKLE}; {WAY_OUT}"
        ) from error
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise CheckpointInvalid(str(folder), f"its weights cannot be read ({error})") from error


def from_hub() -> tuple[Path, Path]:
    """Folders of weights and tokenizer from the Hugging Face hub (or its local cache).

    Raises
    ------
    CheckpointInvalid
        The hub cannot be reached and the cache does not hold them.
    """
    try:
        weights = snapshot_download(HUB_WEIGHTS, allow_patterns=[SAFE, PICKLE, "config.json"])
        words = snapshot_download(HUB_TOKENIZER, allow_patterns=[TOKENIZER, "*.json"])
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise CheckpointInvalid(HUB_WEIGHTS, f"the hub cannot be reached; {WAY_OUT}") from error
    return Path(weights), Path(words)


def read_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The published tokenizer: a cased vocabulary read with lower-casing, as upstream does.

    Raises
    ------
    CheckpointInvalid
        The folder has no vocab.txt.
    """
    if not (folder / TOKENIZER).exists():
        raise CheckpointInvalid(str(folder), f"it has no {TOKENIZER}; {WAY_OUT}")
    return AutoTokenizer.from_pretrained(
        str(folder), tokenizer_type="bert", do_lower_case=True, local_files_only=True
    )


def assemble(
    weights: Mapping[str, Tensor], *, where: str, architecture: Architecture | None = None
) -> tuple[CmrClip, Checkpoint]:
    """Build the network and fill it, every tensor accounted for.

    Raises
    ------
    CheckpointInvalid
        Tensors are missing, superfluous, or of another shape.
    """
    try:
        network = CmrClip(architecture or Architecture.of_weights(weights))
        network.load_state_dict(weights, strict=True)
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointInvalid(where, f"it is not a CMR-CLIP ({error})") from error
    network.eval().requires_grad_(requires_grad=False)
    contract = {
        "frames": network.video_model.shape.frames,
        "resize": [frames.RESIZED, frames.CROPPED],
        "normalise": [frames.MEAN, frames.STD],
        "arrays": [arrays.SIZE_PX, arrays.SPACING_MM, arrays.PHASES, arrays.WINDOW_PERCENTILES],
        "depth": [arrays.LGE_SLICES, frames.DEFAULT_DEPTH],
    }
    return network, Checkpoint(name=NAME, contract=contract, notes={}, tensors=dict(weights))


def _unpickled(path: Path) -> dict[str, Tensor]:
    found = torch.load(path, map_location="cpu", weights_only=True)
    inner = found.get("state_dict", found)
    return {name: tensor.contiguous() for name, tensor in inner.items()}


def _named(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    plain = {name.removeprefix("module."): tensor for name, tensor in weights.items()}
    return {name: tensor for name, tensor in plain.items() if not name.startswith(UNUSED)}
