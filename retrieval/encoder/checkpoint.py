"""Checkpoints: one folder with safetensors weights and a JSON description. No pickle.

`weights.safetensors` holds tensors and nothing else; `config.json` holds what
is needed to rebuild the network and what is worth knowing about it;
`split.json`, where an archive was trained on, whose studies they were.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from retrieval.errors import CheckpointInvalid
from retrieval.values.clip import PREPROCESSING
from retrieval.values.embedding import EncoderId
from retrieval.values.study import PatientId

WEIGHTS = "weights.safetensors"
CONFIG = "config.json"
SPLIT = "split.json"
"""Who was trained on and who was asked about, where an archive's patients were."""

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """A trained encoder on disk.

    Attributes
    ----------
    name
        Kind of encoder, the part of its id before the @.
    contract
        All that decides what the weights compute: architecture, input
        contract, digests of frozen parts. Part of the id.
    notes
        What is worth knowing and changes nothing: training configuration,
        scores, library versions.
    tensors
        Weights by name.
    """

    name: str
    contract: Mapping[str, Any]
    notes: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    @property
    def encoder_id(self) -> EncoderId:
        """name@digest over weights, contract and the version of our road from DICOM to clips."""
        digest = hashlib.sha256(PREPROCESSING.encode() + b"\0")
        digest.update(_canonical(self.contract) + b"\0")
        digest.update(self._weights())
        return EncoderId(f"{self.name}@{digest.hexdigest()[:12]}")

    def save(self, folder: Path) -> None:
        """Write both files; the folder is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        description = {
            "format": FORMAT,
            "name": self.name,
            "contract": dict(self.contract),
            "notes": dict(self.notes),
        }
        (folder / WEIGHTS).write_bytes(self._weights())
        (folder / CONFIG).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")

    def _weights(self) -> bytes:
        ordered = {name: self.tensors[name].contiguous() for name in sorted(self.tensors)}
        return save_tensors(ordered)


def read_checkpoint(folder: Path, *, name: str) -> Checkpoint:
    """Read a checkpoint of one kind.

    Raises
    ------
    CheckpointInvalid
        A file is missing or damaged, or it is another kind of checkpoint.
    """
    try:
        description = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        tensors = load_tensors((folder / WEIGHTS).read_bytes())
    except FileNotFoundError as error:
        reason = f"it has no {Path(str(error.filename)).name}"
        raise CheckpointInvalid(str(folder), reason) from error
    except (json.JSONDecodeError, UnicodeDecodeError, SafetensorError) as error:
        raise CheckpointInvalid(str(folder), f"it is damaged ({error})") from error
    if description.get("format") != FORMAT or description.get("name") != name:
        found = f"{description.get('name')} in format {description.get('format')}"
        raise CheckpointInvalid(str(folder), f"it holds {found}; {name} in {FORMAT} was needed")
    return Checkpoint(
        name=name,
        contract=description["contract"],
        notes=description["notes"],
        tensors=tensors,
    )


def trained_patients(folder: Path) -> frozenset[PatientId]:
    """Patients that a checkpoint learned from; none where it brings no split.

    Raises
    ------
    CheckpointInvalid
        The split cannot be read.
    """
    try:
        told = json.loads((folder / SPLIT).read_text(encoding="utf-8"))
        return frozenset(PatientId(patient) for patient, _ in told["training"])
    except FileNotFoundError:
        return frozenset()
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointInvalid(str(folder), f"its {SPLIT} is damaged ({error!r})") from error


def fill(module: torch.nn.Module, checkpoint: Checkpoint, *, where: str) -> None:
    """Put a checkpoint's weights into a network, every one of them, in its own precision.

    Raises
    ------
    CheckpointInvalid
        Names or shapes differ.
    """
    wanted = module.state_dict()
    missing = sorted(set(wanted) ^ set(checkpoint.tensors))
    if missing:
        raise CheckpointInvalid(where, f"weights and network disagree on {', '.join(missing[:5])}")
    for name, tensor in checkpoint.tensors.items():
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, not {tuple(wanted[name].shape)}"
            raise CheckpointInvalid(where, f"{name} has shape {shapes}")
    module.load_state_dict({k: v.to(wanted[k].dtype) for k, v in checkpoint.tensors.items()})


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
