"""What changes while an encoder is trained, and how it is kept."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from retrieval.durable import replace_file
from retrieval.encoder.checkpoint import SPLIT
from retrieval.errors import UsageError
from retrieval.training.card import Facts, write_card
from retrieval.training.contrast import Objective
from retrieval.training.draws import Draw, Part, targets
from retrieval.training.folder import RunFolder, session
from retrieval.training.gradients import cached_backward
from retrieval.training.learner import Learner
from retrieval.training.ranking import SCORE, Ranking
from retrieval.training.recipe import Recipe

STATE, CHECKPOINT = "state.pt", "checkpoint"
SEED_STRIDE = 1_000_003
"""Seeds of one step's dropout lie this far from another's."""


class Run:
    """Everything that changes while training, and how to keep it."""

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        learner: Learner,
        accelerator: Accelerator,
        facts: Facts,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.step = 0
        self.scores: dict[str, float] = {}
        self.best: dict[str, float] = {}
        self._learner = learner
        self._accelerator = accelerator
        self._facts = facts
        self.network = learner.network.to(accelerator.device)
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(not self._rests(name))
        self.average = copy.deepcopy(self.network).eval() if recipe.ema else None
        self.objective = Objective(recipe.loss.kind, recipe.loss.temperature).to(accelerator.device)
        self.optimiser = _optimiser(self.network, self.objective, recipe)

    @property
    def rate(self) -> float:
        """The learning rate as it is."""
        return self.optimiser.param_groups[0]["lr"]

    @property
    def result(self) -> nn.Module:
        """What is validated and kept: the averaged weights where there are any."""
        return self.network if self.average is None else self.average

    def part_patients(self) -> None:
        """Write down who is on which side, or see that it is still so.

        Raises
        ------
        UsageError
            The archive's pairs are not those this run began with.
        """
        if self._accelerator.is_main_process:
            self._facts.write_split(self.folder.path / SPLIT)
        self._accelerator.wait_for_everyone()

    def resume(self) -> None:
        """Go on from the last state of the folder, if there is one."""
        path = self.folder.path / STATE
        if path.exists():
            state = torch.load(path, map_location=self._accelerator.device, weights_only=True)
            self.network.load_state_dict(state["network"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            self.objective.load_state_dict(state["objective"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.scores, self.best = state["step"], state["scores"], state["best"]
        if self._accelerator.is_main_process:
            self.folder.rewind(self.step if path.exists() else -1)

    def share_of(self, draws: Sequence[Draw]) -> Sequence[Draw]:
        """The part of a batch that this process computes."""
        each = len(draws) // self._accelerator.num_processes
        first = each * self._accelerator.process_index
        return draws[first : first + each]

    def set_rate(self, share: float) -> None:
        """Set the learning rate to a share of its peak."""
        for group in self.optimiser.param_groups:
            group["lr"] = share * self.recipe.rate

    def update(self, parts: Sequence[Part], draws: Sequence[Draw]) -> float:
        """One step over a whole batch, of which this process computes `parts`; its loss.

        Raises
        ------
        UsageError
            The loss is no number.
        """
        wanted = targets(draws, self.recipe).to(self._accelerator.device)
        for name, module in self.network.named_modules():
            module.training = not self._rests(name)  # what rests keeps its running statistics
        self.optimiser.zero_grad(set_to_none=True)
        loss = cached_backward(
            self._encode,
            parts,
            lambda videos, texts: self.objective(videos, texts, wanted),
            network=self.network,
            seed=(self.recipe.seed * SEED_STRIDE + self.step) * SEED_STRIDE,
            everyone=self._accelerator,
        )
        if not loss.isfinite():
            raise UsageError(
                f"the loss is {float(loss)} in step {self.step + 1}; lower rate, and begin again"
            )
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        self._follow()
        return float(loss)

    def log(self, record: dict[str, Any]) -> None:
        """Append one line to the metrics."""
        if self._accelerator.is_main_process:
            self.folder.log(self.step, record)

    def validate(self, ranking: Ranking) -> None:
        """Score the result; keep it as the checkpoint if it is the best so far."""
        self.scores = ranking.scores(self.result)
        self.log({"validation": self.scores})
        if not self._accelerator.is_main_process:
            return
        self.folder.draw()
        if not self.best or self.scores[SCORE] > self.best[SCORE]:
            self.best = {"step": self.step, **self.scores}
            if self.recipe.keep == "best":
                self.save_checkpoint()

    def save_state(self) -> None:
        """Keep all that the next step depends on; a kill leaves the last good state."""
        if not self._accelerator.is_main_process:
            return
        state = {
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "objective": self.objective.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "scores": self.scores,
            "best": self.best,
        }
        replace_file(self.folder.path / STATE, lambda fresh: torch.save(state, fresh))

    def save_checkpoint(self) -> None:
        """Write the result as an encoder, with its card."""
        folder = self.folder.path / CHECKPOINT
        notes = {
            "training": self.recipe.as_json(),
            "steps": self.step,
            "scores": self.scores,
            "data": self._facts.counts(),
            "session": session(),
        }
        encoder = self._learner.save(self.result, folder, notes)
        self._facts.write_split(folder / SPLIT)
        write_card(folder, self._facts, self._learner.contract(), notes, encoder)

    def finish(self) -> Path:
        """See that the checkpoint is there."""
        folder = self.folder.path / CHECKPOINT
        if self._accelerator.is_main_process and self.recipe.keep == "last":
            self.save_checkpoint()
        self._accelerator.wait_for_everyone()
        return folder

    def _rests(self, name: str) -> bool:
        """Whether a part of the network, by its name, is not trained."""
        return any(f"{name}.".startswith(f"{part}.") for part in self.recipe.frozen)

    def _encode(self, part: Part) -> tuple[Tensor, Tensor]:
        with self._accelerator.autocast():
            return self._learner.encode(self.network, part.studies, part.texts)

    def _follow(self) -> None:
        """Move the averaged weights towards the current ones."""
        if self.average is None:
            return
        # Early on the average must not cling to the start.
        keep = min(self.recipe.ema, (self.step + 1) / (self.step + 10))
        current = self.network.state_dict()
        with torch.no_grad():
            for name, mean in self.average.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(current[name], 1 - keep)
                else:
                    mean.copy_(current[name])


def _optimiser(network: nn.Module, objective: Objective, recipe: Recipe) -> torch.optim.AdamW:
    learnt = [p for p in network.parameters() if p.requires_grad]
    scalars = [p for p in objective.parameters() if p.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [p for p in learnt if p.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [p for p in learnt if p.ndim <= 1] + scalars, "weight_decay": 0.0},
        ],
        lr=recipe.rate,
        betas=(0.9, recipe.beta2),
        fused=True,
    )
