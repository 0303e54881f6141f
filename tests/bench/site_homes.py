"""Homes to train in: an archive of simulated hearts, and the same hearts at another site."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from retrieval import wiring
from retrieval.catalog.catalog import SqlCatalog
from retrieval.clips.store import FolderClipStore
from retrieval.language.findings import find_findings
from retrieval.language.sections import impression_of
from retrieval.ports import CatalogReader, ClipStore
from retrieval.settings import Settings
from retrieval.training import door, recipe
from retrieval.values.clip import Clip, ClipId, identify
from retrieval.values.intake import StudyEntry
from retrieval.values.query import LOCAL_OPERATOR, Filter
from retrieval.values.report import Report

DOORS = {"cineseek": "retrieval.cli", "cineseek-index": "indexer.cli"}
RECIPES = Path(recipe.__file__).parent / "recipes"
ROOT = Path(__file__).parents[2]


def environment(home: Path) -> dict[str, str]:
    """What a command needs to work on a home."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith("CINESEEK_")}
    key = home.parent / "secret" / "key"
    return mine | {"CINESEEK_HOME": str(home), "CINESEEK_KEY_FILE": str(key)}


def command(name: str, *words: object) -> list[str]:
    """One of our commands, run by this interpreter."""
    return [sys.executable, "-c", f"from {DOORS[name]} import main; main()", *map(str, words)]


def run(home: Path, name: str, *words: object) -> str:
    """Run a command to its end; what it printed."""
    done = subprocess.run(
        command(name, *words),
        env=environment(home),
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def simulated(work: Path, studies: int, seed: int = 11) -> Path:
    """A home that holds simulated studies and their reports; made once."""
    home, archive = work / "home", work / "archive"
    run(home, "cineseek-index", "phantoms", archive, "--studies", studies, "--seed", seed)
    run(home, "cineseek-index", "ingest", archive, "--reports", archive / "reports.jsonl")
    return home


def opened(home: Path) -> tuple[CatalogReader, ClipStore]:
    """A home's catalog and clips."""
    settings = Settings(home=home)
    return wiring.open_catalog(settings), wiring.open_clips(settings)


def train(home: Path, folder: Path, text: str) -> Path:
    """Train by a configuration's text; returns the checkpoint's folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    config = folder.with_suffix(".toml")
    config.write_text(text, encoding="utf-8")
    return door.train(config, folder, lambda: opened(home), cache=home / "training" / "inputs")


def elsewhere(
    home: Path, folder: Path, show: Callable[[Clip], np.ndarray], say: Callable[[str], str]
) -> Path:
    """Another site's home: the same hearts, seen by another scanner, told by other people."""
    if (folder / "catalog.db").exists():
        return folder
    folder.mkdir(parents=True)
    catalog, clips = opened(home)
    there = SqlCatalog.open(f"sqlite:///{folder / 'catalog.db'}", migrate=True)
    store = FolderClipStore(folder / "clips")
    for study in catalog.studies(
        sorted(catalog.eligible(Filter(), access=LOCAL_OPERATOR)), access=LOCAL_OPERATOR
    ):
        shown = [
            _shown(clips.read(record.id), show)
            for record in catalog.clips(study.id, access=LOCAL_OPERATOR)
        ]
        for clip in shown:
            store.write(clip)
        there.put_study(
            StudyEntry(
                study=replace(study, site="elsewhere"),
                clips=tuple(clip.record for clip in shown),
                files=(),
                source_digest=study.id,
            )
        )
        report = catalog.report(study.id, access=LOCAL_OPERATOR)
        if report is not None:
            there.put_report(told(report, say(report.text)))
    return folder


def told(report: Report, text: str) -> Report:
    """The same report in other words."""
    return replace(
        report,
        text=text,
        impression=impression_of(text),
        findings=find_findings(text),
        version=1,
        supersedes=None,
    )


def another_scanner(clip: Clip) -> np.ndarray:
    """Flatter contrast, bright where the coil lies, soft and noisy; as large as before."""
    values = clip.pixels.astype(np.float32)
    top = float(np.percentile(values, 99.5)) or 1.0
    share = np.clip(values / top, 0, None) ** 0.65
    rows, columns = share.shape[-2:]
    y, x = np.mgrid[0:rows, 0:columns]
    share = share * (1.4 - 0.8 * y / rows) * (0.85 + 0.3 * x / columns)
    share = ndimage.gaussian_filter(share, (0, 0.7, 0.7))
    rng = np.random.default_rng(int(clip.record.id[:12], 16))
    share = share + rng.normal(0, 0.05, share.shape)
    return np.clip(np.rint(share * 900), 0, 4095).astype(np.uint16)


HOUSE_STYLE = (
    ("left ventricular ejection fraction", "LVEF"),
    ("right ventricular ejection fraction", "RVEF"),
    ("ejection fraction", "EF"),
    ("left ventricular", "LV"),
    ("right ventricular", "RV"),
    ("left ventricle", "LV"),
    ("right ventricle", "RV"),
    ("left atrium", "LA"),
    ("right atrium", "RA"),
    ("late gadolinium enhancement", "LGE"),
    ("late enhancement", "LGE"),
    ("moderately", "mod."),
    ("mildly", "slightly"),
    ("severely", "markedly"),
    ("no evidence of", "without"),
    ("there is ", ""),
    ("the ", ""),
)


def another_style(text: str) -> str:
    """Telegrams in lower case, with the abbreviations of the house."""
    said = text
    for words, short in HOUSE_STYLE:
        said = said.replace(words, short).replace(words.capitalize(), short)
    return said


def _shown(clip: Clip, show: Callable[[Clip], np.ndarray]) -> Clip:
    record = replace(clip.record, id=ClipId(""), slope=1.0, intercept=0.0, monochrome1=False)
    if record.unit:  # what is measured in ms is no matter of taste
        return clip
    return identify(record, show(clip))
