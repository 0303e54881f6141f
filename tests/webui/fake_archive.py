"""A small archive in memory for the pages' tests: hearts are ellipses that shrink and grow.

Nothing here is a heart anyone should search for; it only has the shape of an
archive. Facets, filters and order are worked out the slow way.
"""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from retrieval.clips.preview import TILE_PX, columns
from retrieval.errors import ClipNotFound, StudyNotFound, UnusableSeries
from retrieval.geometry.heart import point_of
from retrieval.ports import Counts
from retrieval.search.why import Map, ViewScore, Why
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.embedding import EncoderId
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.finding import Finding, FindingName, Polarity
from retrieval.values.machine_finding import MachineFinding, Method
from retrieval.values.occlusion import Occlusion
from retrieval.values.query import Evidence, Further, Hit, Query, Ranking, Said, Verdict
from retrieval.values.reliability import Badge, Belief
from retrieval.values.report import Report
from retrieval.values.study import (
    Patient,
    PatientId,
    Scanner,
    Series,
    SeriesId,
    Sex,
    State,
    Study,
    StudyId,
    Technique,
    View,
)
from webui.address import Address
from webui.backend import Backend

ENCODER = EncoderId("fake@0123456789ab")
GENERATION = "g1"


def address_of(study):
    return Address(study=study)


def name(*parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Heart:
    study: Study
    clips: tuple[ClipRecord, ...]
    report: Report | None
    radius_mm: float


def heart(i):
    sid = StudyId(name("study", i))
    bpm = 48 + 7 * (i % 9)
    rr = 60_000 / bpm
    phases = (20, 25, 30)[i % 3]
    slices = 8 + i % 5
    plan = [(View.SHORT_AXIS, Technique.CINE, slices, phases)]
    if i % 4 != 3:
        plan += [
            (v, Technique.CINE, 1, phases - 5)
            for v in (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER)
        ]
    if i % 3 != 2:
        plan += [
            (View.SHORT_AXIS, Technique.LGE, slices, 1),
            (View.FOUR_CHAMBER, Technique.LGE, 1, 1),
        ]
    series, clips = [], []
    for view, technique, count, n in plan:
        uid = SeriesId(name("series", i, view, technique))
        series.append(
            Series(
                id=uid,
                view=view,
                technique=technique,
                state=State.INDEXED,
                slices=count,
                phases=n,
                clips=count,
                spacing_mm=(1.4, 1.4),
                slice_spacing_mm=8.0 if count > 1 else None,
            )
        )
        for k in range(count):
            times = tuple(round(rr * p / n, 3) for p in range(n)) if n > 1 else ()
            clips.append(
                ClipRecord(
                    id=ClipId(name("clip", i, view, technique, k)),
                    study=sid,
                    series=uid,
                    view=view,
                    technique=technique,
                    slice_index=k,
                    slice_count=count,
                    phases=n,
                    rows=192,
                    columns=192,
                    spacing_mm=(1.4, 1.4),
                    slice_spacing_mm=8.0,
                    frame_times_ms=times,
                    rr_ms=rr if n > 1 else None,
                )
            )
    series.append(
        Series(
            id=SeriesId(name("series", i, "loc")),
            view=View.OTHER,
            technique=Technique.LOCALISER,
            state=State.EXCLUDED,
            reason="localiser",
        )
    )
    radius = 20 + (i * 7) % 16
    study = Study(
        id=sid,
        site="local",
        state=State.INDEXED,
        year=2010 + i % 12,
        acquired_on=date(2010 + i % 12, 3, 4),
        patient=Patient(
            id=PatientId(name("patient", i)),
            sex=(Sex.FEMALE, Sex.MALE)[i % 2],
            age_years=min(90, 31 + (i * 11) % 62),
            height_cm=170,
            weight_kg=72,
            bsa_m2=1.84,
        ),
        scanner=Scanner(
            vendor=("Siemens", "GE", "Philips")[i % 3], field_strength_t=(1.5, 3.0)[i % 4 == 1]
        ),
        heart_rate_bpm=float(bpm),
        series=tuple(series),
    )
    return Heart(study, tuple(clips), None if i % 6 == 5 else report(sid, radius), radius)


def report(sid, radius):
    big = radius >= 28
    first = (
        "The left ventricle is severely dilated."
        if big
        else "Normal left ventricular size and function."
    )
    second = "No pericardial effusion."
    third = "RV function possibly mildly reduced."
    impression = f"1. {first} 2. {second} 3. {third}"
    seen = f"Cine imaging shows a {'large' if big else 'normal'} cavity."
    text = f"FINDINGS:\n{seen}\n\nIMPRESSION:\n{impression}"

    def say(sentence, which, polarity):
        start = text.index(sentence)
        return Finding(name=which, polarity=polarity, start=start, end=start + len(sentence))

    findings = (
        say(first, FindingName.LV_DILATION, Polarity.PRESENT if big else Polarity.ABSENT),
        say(second, FindingName.PERICARDIAL_EFFUSION, Polarity.ABSENT),
        say(third, FindingName.RV_DYSFUNCTION, Polarity.UNCERTAIN),
    )
    return Report(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        study=sid,
        text=text,
        impression=impression,
        findings=findings,
        version=2,
        supersedes="0" * 64,
    )


@cache
def pictures(record, radius):
    """(phases, TILE_PX, TILE_PX) grey levels: a bright pool in a dark wall, smallest at 0.38."""
    y, x = np.mgrid[:TILE_PX, :TILE_PX] - (TILE_PX - 1) / 2
    mm = 1.25
    out = []
    long_axis = record.view is not View.SHORT_AXIS
    share = (
        1 if record.slice_count == 1 else 1 - 0.6 * record.slice_index / (record.slice_count - 1)
    )
    rng = np.random.default_rng(int(record.id[:8], 16))
    back = rng.normal(60, 9, (TILE_PX, TILE_PX))
    back += 70 * ((x * mm + 75) ** 2 + (y * mm + 50) ** 2 < 22**2) + 45 * (
        (x * mm - 70) ** 2 + (y * mm - 60) ** 2 < 30**2
    )
    for p in range(record.phases):
        beat = 1 - 0.28 * math.sin(math.pi * min(1, p / max(1, record.phases) / 0.76)) ** 2
        r = radius * share * beat
        d = np.hypot(x * mm, y * mm / (1.8 if long_axis else 1))
        rv = np.hypot((x * mm + r + 18) / 0.8, y * mm / 1.6)
        img = back.copy()
        img[rv < 0.62 * r + 6] = 170
        wall = 10 if beat == 1 else 10 / beat
        img[d < r + wall] = 45 if record.technique is Technique.CINE else 12
        img[d < r] = 210 if record.technique is Technique.CINE else 150
        if record.technique is Technique.LGE:
            ring = (d >= r) & (d < r + wall) & (np.arctan2(y, x) > 1.2)
            img[ring] = 240
        out.append(np.clip(img + rng.normal(0, 3, img.shape), 0, 255).astype(np.uint8))
    return np.stack(out)


@cache
def sheet_of(record, radius):
    return sheet(pictures(record, radius))


def sheet(tiles):
    n = columns(len(tiles))
    canvas = np.zeros((math.ceil(len(tiles) / n) * TILE_PX, n * TILE_PX), np.uint8)
    for p, tile in enumerate(tiles):
        canvas[
            p // n * TILE_PX : (p // n + 1) * TILE_PX, p % n * TILE_PX : (p % n + 1) * TILE_PX
        ] = tile
    out = BytesIO()
    Image.fromarray(canvas).save(out, "JPEG", quality=85)
    return out.getvalue()


class FakeClips:
    def __init__(self, hearts):
        self.records = {c.id: (c, h.radius_mm) for h in hearts for c in h.clips}
        self.reads = 0

    def tiles(self, clip):
        return pictures(*self.records[clip])

    def read_preview(self, clip):
        self.reads += 1
        if clip not in self.records:
            raise ClipNotFound(clip, Path(clip))
        return sheet_of(*self.records[clip])


class FakeCatalog:
    def __init__(self, hearts, others=()):
        self.hearts = {h.study.id: h for h in hearts}
        self.others = tuple(others)

    def _get(self, study):
        if study not in self.hearts:
            raise StudyNotFound(study)
        return self.hearts[study]

    def study(self, study, *, access):
        return self._get(study).study

    def studies(self, ids, *, access):
        return [self._get(s).study for s in ids]

    def clips(self, study, *, access):
        return sorted(
            self._get(study).clips,
            key=lambda c: (
                c.technique != Technique.CINE,
                c.technique,
                c.view,
                c.series,
                c.slice_index,
            ),
        )

    def clips_named(self, ids, *, access):
        every = {c.id: c for h in self.hearts.values() for c in h.clips}
        return [every[i] for i in ids]

    def report(self, study, *, access):
        return self._get(study).report

    def impressions(self, ids, *, access):
        return {s: self._get(s).report.impression for s in ids if self._get(s).report}

    def assertions(self, names, where, *, access):
        """What the reports say last; hearts without a report say nothing."""
        return self._said(
            where, names, lambda r: r.findings, lambda f: f.name, lambda f: f.polarity
        )

    def measurements(self, quantities, where, *, access):
        return self._said(
            where, quantities, lambda r: r.measurements, lambda m: m.quantity, lambda m: m
        )

    def _said(self, where, names, statements, name_of, value_of):
        found = {}
        for study in self.eligible(where, access=None):
            report = self.hearts[study].report
            for one in statements(report) if report else ():
                if name_of(one) in names:
                    sentence = report.text[one.start : one.end]
                    found.setdefault(study, {})[name_of(one)] = (value_of(one), sentence)
        return found

    def estimates(self, encoder_id, *, access):
        """Of every heart but each sixth: all quantities grow with the cavity, some less surely."""
        assert encoder_id == ENCODER
        return {
            study: tuple(
                Estimate(quantity=q, value=10.0 * h.radius_mm + i, spread=4.0 + 9 * i)
                for i, q in enumerate(Quantity)
            )
            for n, (study, h) in enumerate(self.hearts.items())
            if n % 6 != 5
        }

    def machine_findings(self, study, encoder_id, *, access):
        """Of every third heart two: one with an interval, and one from a single example."""
        assert encoder_id == ENCODER
        if list(self.hearts).index(study) % 3 != 1:
            return []
        made = {"made_at": datetime(2026, 3, 4, tzinfo=UTC), "made_by": "cineseek 0"}
        return [
            MachineFinding(
                name="amyloid", question="amyloid", method=Method.PROTOTYPES,
                asked=("like x",), score=0.6, percentile=91.2, low=None, high=None,
                studies=23, **made,
            ),
            MachineFinding(
                name="size", question="dilated left ventricle", method=Method.PROMPTS,
                asked=("dilated left ventricle", "big ventricle"), score=0.31, percentile=40.0,
                low=25.0, high=62.5, studies=24, **made,
            ),
        ]  # fmt: skip

    def eligible(self, where, *, access):
        return frozenset(s for s, h in self.hearts.items() if passes(h, where))

    def facets(self, where, *, access):
        def tally(facet, free, values):
            counted = Counter()
            for h in self.hearts.values():
                if passes(h, replace(where, **free)):
                    counted.update(
                        {f"{v:g}" if isinstance(v, float) else str(v) for v in values(h)}
                    )
            return Counts(facet=facet, counts=dict(counted))

        nothing = frozenset()
        return [
            tally("views", {"views": nothing}, lambda h: {c.view.value for c in h.clips}),
            tally(
                "techniques",
                {"techniques": nothing},
                lambda h: {c.technique.value for c in h.clips},
            ),
            tally("sexes", {"sexes": nothing}, lambda h: [h.study.patient.sex.value]),
            tally(
                "field_strengths_t",
                {"field_strengths_t": nothing},
                lambda h: [h.study.scanner.field_strength_t],
            ),
            tally("vendors", {"vendors": nothing}, lambda h: [h.study.scanner.vendor]),
            tally(
                "age_years",
                {"age_from": None, "age_to": None},
                lambda h: [h.study.patient.age_years],
            ),
            tally("years", {"year_from": None, "year_to": None}, lambda h: [h.study.year]),
        ]

    def ledger(self, *, access):
        return [h.study for h in self.hearts.values()] + list(self.others)


def passes(h, where):
    s = h.study
    clips = [
        c
        for c in h.clips
        if (not where.views or c.view in where.views)
        and (not where.techniques or c.technique in where.techniques)
    ]
    return bool(
        clips
        and (not where.sexes or s.patient.sex in where.sexes)
        and (where.age_from is None or s.patient.age_years >= where.age_from)
        and (where.age_to is None or s.patient.age_years <= where.age_to)
        and (not where.field_strengths_t or s.scanner.field_strength_t in where.field_strengths_t)
        and (not where.vendors or s.scanner.vendor in where.vendors)
        and (where.year_from is None or s.year >= where.year_from)
        and (where.year_to is None or s.year <= where.year_to)
    )


class FakeSearcher:
    """Ranks by the radius of the cavity: large first, or small first when the words say normal.

    When the words say repeat, the second hit lies under the first one, and all
    hits are very likely by images and agreed with by their reports.
    """

    def __init__(self, catalog):
        self.catalog = catalog
        self.queries = []

    def wider(self, ranking, *, access):
        """Of words that were understood, two; of others none."""
        return [("LV dilation", 9), ("chamber dilation", 12)] if ranking.chips else []

    def search(self, query: Query, *, access):
        self.queries.append(query)
        hearts = [
            h
            for h in self.catalog.hearts.values()
            if passes(h, query.where) and h.study.id != query.like
        ]
        if query.like:
            target = self.catalog._get(query.like).radius_mm
            score = lambda h: 1 - abs(h.radius_mm - target) / 40  # noqa: E731
        else:
            sign = -1 if "normal" in query.text else 1
            score = lambda h: 0.2 + sign * (h.radius_mm - 28) / 100  # noqa: E731
        ordered = sorted(hearts, key=lambda h: (-score(h), h.study.id))
        hits = tuple(
            Hit(
                rank=r,
                score=round(score(h), 6),
                study=h.study,
                impression=h.report.impression if h.report else None,
                evidence=Evidence(clip=best(h, query.where), score=round(score(h) - 0.01, 6)),
            )
            for r, h in enumerate(ordered[: query.limit], 1)
        )
        folded = 0
        if "repeat" in query.text:
            first, under, *rest = hits
            folded = 1
            one = Further(rank=under.rank, score=under.score, study=under.study, copy=False)
            told = Said(chip="finding:lv_dilation", verdict=Verdict.AGREES, sentence="Large LV.")
            belief = Belief(term="lv_dilation", probability=0.999, badge=Badge.GOOD)
            hits = tuple(
                replace(hit, said=(told,), beliefs=(belief,))
                for hit in (replace(first, others=(one,)), *rest)
            )
        return Ranking(
            query=query,
            folded=folded,
            eligible=len(hearts),
            hits=hits,
            answers=len(hearts),
            encoder_id=ENCODER,
            generation=GENERATION,
            channels=("example" if query.like else "words",),
        )


def best(h, where):
    allowed = [
        c
        for c in h.clips
        if (not where.views or c.view in where.views)
        and (not where.techniques or c.technique in where.techniques)
    ]
    stack = [c for c in allowed if c.view is View.SHORT_AXIS and c.technique is Technique.CINE]
    return stack[len(stack) // 2] if stack else allowed[0]


class FakeExplainer:
    """Finds the middle cell of any clip, and its first phases, to be all that matters."""

    def __init__(self, catalog):
        self.catalog = catalog
        self.maps = []

    def why(self, study, query, *, access):
        heart = self.catalog._get(study)
        views = {}
        for clip in heart.clips:
            views.setdefault((clip.view, clip.technique), []).append(clip)
        ranked = [
            ViewScore(view=v, technique=t, clip=cs[len(cs) // 2], score=0.3 - n / 20, clips=len(cs))
            for n, ((v, t), cs) in enumerate(views.items())
        ]
        return Why(
            study=heart.study,
            carried_by=best(heart, query.where),
            score=0.3,
            whole=0.25,
            views=tuple(ranked),
        )

    def map(self, study, clip, query, *, access):
        self.maps.append(clip)
        (record,) = self.catalog.clips_named([clip], access=access)
        if record.technique is Technique.LGE:
            raise UnusableSeries("this encoder does not look at late enhancement")
        middle = (record.rows - 1) / 2
        places = np.zeros((5, 5))
        places[2, 2], places[0, 0] = 0.1, -0.05
        return Map(
            occlusion=Occlusion(
                clip=record,
                whole=False,
                score=0.3,
                rows=tuple(round(middle + 0.5 + 28 * (i - 2.5)) for i in range(6)),
                columns=tuple(round(middle + 0.5 + 28 * (i - 2.5)) for i in range(6)),
                places=places,
                phases=(0, 4, record.phases),
                times=np.array([0.08, -0.02]),
            ),
            centre=point_of(record, (middle, middle)),
        )


@dataclass(frozen=True)
class FakeReading:
    catalog: FakeCatalog
    clips: FakeClips
    searcher: FakeSearcher
    generation: str = GENERATION
    encoder_id: EncoderId = ENCODER
    explainer: FakeExplainer | None = None


def reading(studies=24):
    hearts = [heart(i) for i in range(studies)]
    others = [
        Study(
            id=StudyId(name("other", i)),
            patient=Patient(id=PatientId(name("p", i))),
            site="local",
            state=state,
            reason=why,
        )
        for i, (state, why) in enumerate(
            [
                (State.EXCLUDED, "no cardiac MR series"),
                (State.EXCLUDED, "no cardiac MR series"),
                (State.FAILED, "no decoder for JPEG XL"),
            ]
        )
    ]
    catalog = FakeCatalog(hearts, others if studies else ())
    searcher = FakeSearcher(catalog)
    explainer = FakeExplainer(catalog)
    return FakeReading(catalog, FakeClips(hearts), searcher, explainer=explainer)


def backend_of(studies=24, *, research=False):
    fake = reading(studies)
    return Backend(lambda: fake, lambda: fake.generation, research=research)
