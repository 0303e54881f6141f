# ruff: noqa: INP001 - a script, in no package
"""Draw the few-shot curves of an evaluation: needs matplotlib, of the extra `train`.

cineseek evaluate --labels ACDC --control --json | python docs/few_shot_curves.py curves.png
"""

import json
import sys

from matplotlib.figure import Figure


def main() -> None:
    """Read the evaluation from stdin; the picture's path is the one argument."""
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/few_shot_curves.py PICTURE < EVALUATION.json")
    labels = json.load(sys.stdin)["labels"]
    if labels is None:
        sys.exit("this evaluation has no few-shot curves; evaluate with --labels")
    _, published = labels["published"]
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    methods = labels["scores"]["by_vector"]["few_shot"]
    for axes, (method, curves) in zip(
        figure.subplots(1, len(methods), sharey=True, squeeze=False)[0],
        methods.items(),
        strict=True,
    ):
        for label, curve in curves.items():
            shots = [int(n) for n in curve]
            width = 2.5 if label == "mean" else 1
            means = [curve[n]["mean"] for n in curve]
            (line,) = axes.plot(shots, means, marker=".", linewidth=width, label=label)
            if label == "mean":
                low, high = ([curve[n][k] for n in curve] for k in ("low", "high"))
                axes.fill_between(shots, low, high, alpha=0.15, color=line.get_color())
        for control in labels["controls"]:
            curve = control["by_vector"]["few_shot"][method]["mean"]
            means = [curve[n]["mean"] for n in curve]
            axes.plot(list(map(int, curve)), means, color="grey", linestyle=":")
        if method == "prototypes":
            shots = list(map(int, published["auc"]))
            axes.plot(shots, published["auc"].values(), "k--", label="published, other questions")
        axes.set_xscale("log", base=2)
        axes.set_xlabel("examples of each kind")
        axes.set_title(method)
        axes.legend(fontsize="small", loc="lower right")
    figure.supylabel("AUC on held-out patients; dotted: untrained networks")
    figure.savefig(sys.argv[1], dpi=120)


if __name__ == "__main__":
    main()
