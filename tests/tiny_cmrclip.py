"""A CMR-CLIP of the published form and next to no size, with random weights."""

import string

import torch
from safetensors.torch import save_file
from transformers import BertConfig

from retrieval.encoder.cmrclip.network import Architecture, CmrClip
from retrieval.encoder.cmrclip.tower import TowerShape

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase)]
WORDS = [*MARKS, "left", "ventric", "##le", "is", "dilated", *LETTERS]


def weights():
    """Tensors under their published names; 224 pixels, 16 frames, vectors of 32."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        video = TowerShape(dim=64, depth=2, heads=1, mlp=128, patch=16, patches=196, frames=16)
        text = BertConfig(
            vocab_size=len(WORDS),
            hidden_size=64,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=96,
            max_position_embeddings=512,
            type_vocab_size=2,
        )
        network = CmrClip(Architecture(video=video, text=text, projection=32))
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def publish(folder):
    """Write weights and vocabulary as they are published; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    save_file(weights(), folder / "model.safetensors")
    return folder
