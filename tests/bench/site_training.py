"""What `cineseek train` makes of 200 simulated studies, and what a kill costs: nothing.

    python -m tests.bench.site_training WORK [--studies 200] [--steps 120] [--start phantom]

WORK keeps the archive, so a second call is quick. Prints a table.
"""

import argparse
import json
import signal
import subprocess
import time
from pathlib import Path

import torch

from tests.bench.site_homes import RECIPES, ROOT, command, environment, run, simulated

SHOWN = ("text to study recall@1", "text to study recall@5", "text to study recall@10",
         "text to study median rank", "study to text recall@1", "study to text recall@5",
         "study to text recall@10", "study to text median rank", "mean auc", "score")  # fmt: skip


def metrics(folder: Path) -> list[dict]:
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def losses(folder: Path) -> list[float]:
    return [line["loss"] for line in metrics(folder) if "loss" in line]


def killed_and_resumed(home: Path, config: Path, folder: Path, after: int) -> int:
    """Run until `after` steps are logged, SIGKILL, run again; the step the kill came at."""
    words = command("cineseek", "train", config, "--run", folder, "--quiet")
    process = subprocess.Popen(words, env=environment(home), cwd=ROOT)
    lines = folder / "metrics.jsonl"
    while not (lines.exists() and lines.read_text().count('"loss"') >= after):
        if process.poll() is not None:
            raise RuntimeError(f"the run ended with {process.returncode} before it was killed")
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    died = len(losses(folder))
    run(home, "cineseek", "train", config, "--run", folder, "--quiet")
    return died


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--start", default="phantom")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    home = simulated(given.work, given.studies)
    text = (RECIPES / "adapt.toml").read_text(encoding="utf-8")
    text = text.replace("epochs = 12", f"steps = {given.steps}\nthreads = {given.threads}")
    if given.start != "phantom":
        text = text.replace('start = "phantom"', f'start = "{given.start}"')
    folder = given.work / f"run-{given.start}-{given.steps}"
    config = folder.with_suffix(".toml")
    config.write_text(text, encoding="utf-8")

    began = time.perf_counter()
    run(home, "cineseek", "train", config, "--run", folder, "--quiet")
    seconds = time.perf_counter() - began
    again = folder.with_name(f"{folder.name}-killed")
    died = killed_and_resumed(home, config, again, after=given.steps // 2)

    validations = [line for line in metrics(folder) if "validation" in line]
    before, last = validations[0]["validation"], validations[-1]["validation"]
    best = max((line["validation"] for line in validations), key=lambda v: v["score"])
    split = json.loads((folder / "split.json").read_text(encoding="utf-8"))
    asked = len(split["validation"])
    print(f"{len(split['training'])} studies to train on, {asked} to ask about; "
          f"{given.steps} steps in {seconds:.0f} s")  # fmt: skip
    print(f"{'':28}  before   best   last  chance")
    for name in SHOWN:
        k = name.partition("@")[2]
        chance = f"{min(1, int(k) / asked):.3f}" if k else ""
        print(f"{name:28}  {before[name]:6.3f} {best[name]:6.3f} {last[name]:6.3f}  {chance}")
    same = losses(again) == losses(folder)
    one, two = (torch.load(f / "state.pt", weights_only=True)["network"] for f in (folder, again))
    equal = all(torch.equal(one[name], two[name]) for name in one)
    print(f"killed after {died} steps and resumed: loss curve equal {same}, weights equal {equal}")


if __name__ == "__main__":
    main()
