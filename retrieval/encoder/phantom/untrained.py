"""An untrained network of a checkpoint's shape: the control beside every score of a trained one.

At physical scale the mere structure of a network lets something through, so a
probe of a trained encoder says little until that is subtracted.
"""

from pathlib import Path

import torch

from retrieval.encoder.checkpoint import Checkpoint, read_checkpoint
from retrieval.encoder.phantom.contract import InputContract
from retrieval.encoder.phantom.encoder import NAME, SHIPPED, PhantomEncoder, build
from retrieval.encoder.phantom.network import Architecture


def untrained(like: Path | None, seed: int, device: str = "cpu") -> PhantomEncoder:
    """Make an encoder with the architecture and input contract of another, and random weights.

    Parameters
    ----------
    like
        A checkpoint's folder; None is the shipped one.

    Raises
    ------
    CheckpointInvalid
        The folder is not a checkpoint of this kind.
    """
    checkpoint = read_checkpoint(SHIPPED if like is None else like, name=NAME)
    sizes = checkpoint.contract["architecture"]
    architecture = Architecture(**sizes | {"trunk": tuple(sizes["trunk"])})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(architecture, InputContract.saved(checkpoint.contract["inputs"]))
        random = Checkpoint(
            name=NAME,
            contract=checkpoint.contract,
            notes={"untrained": True, "seed": seed},
            tensors=network.state_dict(),
        )
        return PhantomEncoder(random, where=f"untrained, seed {seed}", device=device)
