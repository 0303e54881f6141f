"""Few-shot curves as a picture: each method's AUC by number of examples, published ones beside."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.durable import replace_file
from retrieval.errors import UsageError
from retrieval.evaluation.fewshot import EPISODES, SHOTS, Curve
from retrieval.evaluation.published import FEW_SHOT_FINDINGS
from retrieval.evaluation.reading import Reading

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDINGS = (".png", ".pdf", ".svg")


def check(path: Path) -> None:
    """Refuse at once what could not be drawn at the end.

    Raises
    ------
    UsageError
        The drawing library is not installed, or the file is of no kind it writes.
    """
    if find_spec("matplotlib") is None:
        raise UsageError("a plot needs matplotlib; install cineseek[train]")
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path} is no picture's name; it must end in {', '.join(ENDINGS)}")


def draw(reading: Reading, encoder_id: str, path: Path) -> None:
    """Draw one panel a method: every label, their mean with the band of 95 % of the episodes.

    Untrained networks are dotted. Published figures are a mean over other
    questions on other patients, by prototypes, and stand where those do.

    Raises
    ------
    UsageError
        There are no curves: no label lies on both sides of the hold-out.
    """
    # The one part that needs a plotting library: imported when it is used.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    methods = reading.scores.by_vector.few_shot
    if not methods:
        raise UsageError(
            "there are no few-shot curves to draw: each of a label's two sides needs studies "
            "both to learn from and held out; give more labelled studies"
        )
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(methods), sharey=True, squeeze=False)[0]
    for axes, (method, curves) in zip(panels, methods.items(), strict=True):
        _panel(axes, curves)
        for number, control in enumerate(reading.controls):
            its = control.by_vector.few_shot[method]["mean"]
            label = "mean, untrained" if number == 0 else None
            means = [its[n].mean for n in SHOTS]
            axes.plot(SHOTS, means, color="grey", linestyle=":", label=label)
        if method == "prototypes":
            told = FEW_SHOT_FINDINGS.auc
            label = "published, other questions"
            shots, means = [int(n) for n in told], list(told.values())
            axes.plot(shots, means, "--", color="crimson", marker="s", markersize=4, label=label)
        axes.set_title(method)
        axes.legend(fontsize="small", loc="best")
    figure.suptitle(f"Few-shot AUC, mean of {EPISODES} episodes · {encoder_id}", fontsize="medium")
    figure.supylabel("AUC on held-out patients", fontsize="medium")
    replace_file(path, lambda temporary: figure.savefig(temporary, dpi=120))


def _panel(axes: "Axes", curves: Mapping[str, Curve]) -> None:
    """One method's curves; chance as a thin line."""
    for label, curve in curves.items():
        means = [curve[n].mean for n in SHOTS]
        if label == "mean":
            axes.plot(SHOTS, means, "k", marker=".", linewidth=2.5, label="mean, 95 % band")
            low, high = [curve[n].low for n in SHOTS], [curve[n].high for n in SHOTS]
            axes.fill_between(SHOTS, low, high, alpha=0.12, color="black", linewidth=0)
        else:
            axes.plot(SHOTS, means, marker=".", linewidth=1, label=label)
    axes.axhline(0.5, color="black", linewidth=0.5)
    axes.set_xscale("log", base=2)
    axes.set_xticks(SHOTS, [str(n) for n in SHOTS])
    axes.set_xlabel("examples of each kind")
    axes.grid(alpha=0.3)
