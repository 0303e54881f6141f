"""Which device encoders run on."""

import torch


def pick_device(device: str) -> str:
    """Resolve "auto": the first GPU that torch sees, else the CPU. Other names stay as they are."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
