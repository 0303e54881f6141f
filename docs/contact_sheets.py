# ruff: noqa: INP001 - a script, in no package
"""Draw contact sheets of the best and worst answers: `python docs/contact_sheets.py --help`.

    python docs/contact_sheets.py --home HOME --labels ACDC --out FOLDER

asks a home for each label, and draws one picture a label: the studies ranked
first (green where the label is theirs, red where not), and below them those
with the label that are ranked last. Each study shows its middle short-axis
slice, or another cine, at end-diastole and end-systole, 192 mm wide. Pictures
of patients stay out of the repository: FOLDER must not lie in it.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from retrieval import settings, wiring
from retrieval.evaluation import prompts, sources
from retrieval.evaluation.cohort import Cohort
from retrieval.evaluation.seen import embedded
from retrieval.geometry.heart import crop, end_systole, heart_centre, phase_at
from retrieval.ports import CatalogReader, ClipStore
from retrieval.search.representative import representative
from retrieval.values.query import LOCAL_OPERATOR, Filter
from retrieval.values.study import StudyId, Technique

REPOSITORY = Path(__file__).resolve().parents[1]
SIDE, SPACING_MM, EDGE, LINE = 96, 2.0, 3, 14
GREEN, RED, BLACK = (40, 170, 80), (200, 50, 50), (0, 0, 0)


@dataclass(frozen=True)
class Archive:
    """Where studies and their pictures come from."""

    catalog: CatalogReader
    clips: ClipStore


def main() -> None:
    """Read the options, rank, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--encoder", default="phantom", help="a name or a checkpoint's folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10, help="studies a row")
    given = parser.parse_args()
    out = given.out.resolve()
    if out.is_relative_to(REPOSITORY):
        sys.exit(f"{out} lies in the repository; name a folder outside of it")
    deployed = settings.load(home=given.home)
    archive = Archive(wiring.open_catalog(deployed), wiring.open_clips(deployed))
    asked = sources.ask(
        archive.catalog, deployed.key_file, queries=None, labels=given.labels, access=LOCAL_OPERATOR
    )
    if asked.cohort is None:
        sys.exit(f"{given.labels} holds no labels; give CSV, JSON Lines or an Info.cfg tree")
    encoder = wiring.open_encoder(given.encoder, deployed)
    (seen,) = embedded(
        [encoder], asked.cohort.studies, archive.catalog, archive.clips, access=LOCAL_OPERATOR
    )
    out.mkdir(parents=True, exist_ok=True)
    for column, label in enumerate(asked.cohort.labels):
        sentences = prompts.acdc().of(label).sentences
        scores = seen.scores(sentences, asked.cohort.studies, access=LOCAL_OPERATOR).mean(axis=0)
        picture = sheet(archive, asked.cohort, column, scores, given.count)
        picture.save(out / f"{label}.png")
        sys.stdout.write(f"{out / f'{label}.png'}\n")


def sheet(
    archive: Archive, cohort: Cohort, column: int, scores: np.ndarray, count: int
) -> Image.Image:
    """Two rows: the first of the ranking, and the last of those with the label, worst first."""
    order = np.argsort(-scores, kind="stable")
    place = {int(study): rank for rank, study in enumerate(order, start=1)}
    missed = [int(i) for i in order[::-1] if cohort.member[i, column]]
    rows = [[int(i) for i in order[:count]], missed[:count]]
    tiles = [
        [tile(archive, cohort, i, place[i], right=bool(cohort.member[i, column])) for i in row]
        for row in rows
    ]
    width, height = tiles[0][0].size
    page = Image.new("RGB", (width * count, height * len(tiles)), BLACK)
    for y, row in enumerate(tiles):
        for x, one in enumerate(row):
            page.paste(one, (x * width, y * height))
    return page


def tile(archive: Archive, cohort: Cohort, study: int, rank: int, *, right: bool) -> Image.Image:
    """End-diastole over end-systole, with rank and labels, framed by whether it is right."""
    images = phases(archive, cohort.studies[study])
    picture = Image.new(
        "RGB", (SIDE + 2 * EDGE, 2 * SIDE + 2 * EDGE + LINE), GREEN if right else RED
    )
    for k, image in enumerate(images):
        picture.paste(Image.fromarray(image).convert("RGB"), (EDGE, EDGE + LINE + k * SIDE))
    text = f"{rank} {cohort.classes[study]}"
    ImageDraw.Draw(picture).text((EDGE, EDGE - 1), text, fill=(255, 255, 255))
    return picture


def phases(archive: Archive, study: StudyId) -> Sequence[np.ndarray]:
    """Two (SIDE, SIDE) uint8 images of the clip that stands for a study."""
    records = archive.catalog.clips(study, access=LOCAL_OPERATOR)
    shown = representative(study, records, Filter())
    cines = [archive.clips.read(r.id) for r in records if r.technique is Technique.CINE]
    clip = archive.clips.read(shown.id)
    centre = heart_centre(cines or [clip])
    images = crop(clip, centre, size=SIDE, spacing_mm=SPACING_MM)
    later = phase_at(shown.phases, end_systole(cines, centre)) if cines else 0
    low, high = np.percentile(images, (1, 99))
    scaled = np.clip((images[[0, later]] - low) / max(high - low, 1e-6), 0, 1)
    return list((255 * scaled).astype(np.uint8))


if __name__ == "__main__":
    main()
