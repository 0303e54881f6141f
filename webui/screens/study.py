"""One study: all its clips in step, its report, where it comes from, and its nearest cases."""

from collections import Counter
from dataclasses import replace
from html import escape

import streamlit as st

from retrieval.search.estimates import places
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.query import Hit, Query, Ranking
from retrieval.values.study import State, Study, StudyId
from webui import reporttext, researchview, studyview, words
from webui.address import Address
from webui.backend import READER, Desk
from webui.cards import Card, card
from webui.parts import player
from webui.screens import frame, navigation
from webui.screens.navigation import PLAYER

NEAREST = 5
RIGHT_PX = 496
KEYS = (
    ("Space", "play"),
    ("← →", "phase"),
    ("↑ ↓", "slice"),
    ("L", "more like this"),
    ("Esc", "back to results"),
)


def show(desk: Desk, address: Address, study_id: StudyId) -> None:
    """Show one study."""
    catalog = desk.reading.catalog
    study = catalog.study(study_id, access=READER)
    clips = catalog.clips(study_id, access=READER)
    hit, results = _hit(desk, address, study_id)
    with st.container(key="studybar", horizontal=True, gap="small", vertical_alignment="center"):
        _bar(study, clips, hit, results, asks=address.asks)
    near = _near(desk, study)
    with st.container(key="study", horizontal=True, gap=None):
        with st.container(key="left", gap=None):
            _player(desk, address, study, clips, near, hit)
        with st.container(key="right", width=RIGHT_PX, gap=None):
            st.html(reporttext.panel(catalog.report(study_id, access=READER)))
            if desk.research:
                placed = places(catalog, study_id, desk.reading.encoder_id, access=READER)
                st.html(researchview.panel(placed))
                found = catalog.machine_findings(study_id, desk.reading.encoder_id, access=READER)
                if found:
                    st.html(researchview.findings_panel(found))
            st.html(provenance(study, clips, near))
    frame.bottom(KEYS)


def _hit(desk: Desk, address: Address, study: StudyId) -> tuple[Hit | None, int]:
    """Where the study stands among the results it was opened from, and how many there are."""
    if not address.asks:
        return None, 0
    ranking = desk.reading.searcher.search(address.query(), access=READER)
    return next((h for h in ranking.hits if h.study.id == study), None), ranking.eligible


def _bar(
    study: Study, clips: list[ClipRecord], hit: Hit | None, results: int, *, asks: bool
) -> None:
    place = f"Results, {hit.rank:,} of {results:,}" if hit else "Results" if asks else "Search"
    st.button(place, key="back", icon=":material/arrow_back:", on_click=navigation.closed)
    broken = [s for s in study.series if s.state not in (State.INDEXED, State.EXCLUDED)]
    tag = ""
    if broken:
        number = words.count(len(broken), "series", "series")
        tag = f'<span class="cs-tag warn">{number} could not be read</span>'
    st.html(
        f'<div class="cs-study"><h1>Study {words.study_name(study.id)}</h1>'
        f'<span class="cs-quiet">{escape(words.study_facts(study))}</span>'
        f'<span class="cs-tag">{escape(studyview.contents(clips))}</span>{tag}</div>'
    )
    st.button(
        "More like this",
        key="like",
        icon=":material/search:",
        on_click=lambda: navigation.like_this(study.id),
    )


def _near(desk: Desk, study: Study) -> Ranking | None:
    if study.state is not State.INDEXED:
        return None
    query = Query(like=study.id, limit=NEAREST, other_patients=True)
    return desk.reading.searcher.search(query, access=READER)


def _player(
    desk: Desk,
    address: Address,
    study: Study,
    clips: list[ClipRecord],
    near: Ranking | None,
    hit: Hit | None,
) -> None:
    cases: list[Card] = []
    if near is not None:
        cases = [card(h, (), replace(address, study=h.study.id), near) for h in near.hits]
    content = studyview.layout(study, clips, hit.evidence.clip.id if hit else None)
    content["near"] = [case.content for case in cases]
    content["nearNote"] = "whole study, by images; other patients only"
    shown: list[ClipId] = [c.id for c in clips] + [case.main for case in cases]
    player.show(
        content,
        shown,
        desk.sheets,
        key=PLAYER,
        on={
            "back": navigation.closed,
            "open": lambda: navigation.opened(PLAYER),
            "like": lambda: navigation.liked(PLAYER),
        },
    )


def provenance(study: Study, clips: list[ClipRecord], near: Ranking | None) -> str:
    """The panel that says which index answers, and what of the study was left out."""
    phases = sum(clip.phases for clip in clips)
    rows = [
        ("Index", escape(near.generation) if near else "not indexed"),
        ("Encoder", f"<code>{escape(near.encoder_id)}</code>" if near else "none"),
        ("State", escape(words.joined((study.state.value, study.reason)))),
        ("Holds", f"{words.count(len(clips), 'clip')}, {words.count(phases, 'image')}"),
        ("Study", f"<code>{escape(study.id)}</code>"),
    ]
    rows += [("Left out", escape(text)) for text in left_out(study)] or [("Left out", "no series")]
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return (
        '<section class="cs-panel"><div class="cs-head"><h2>Provenance</h2></div>'
        f'<dl class="cs-body">{body}</dl></section>'
    )


def left_out(study: Study) -> list[str]:
    """Series that gave no clip, each kind with its number and reason."""
    kinds = Counter(
        (words.technique_name(s.technique), s.reason)
        for s in study.series
        if s.state is not State.INDEXED
    )
    return [
        f"{words.count(number, 'series', 'series')}: "
        + (technique if reason in ("", technique) else f"{technique}, {reason}")
        for (technique, reason), number in kinds.items()
    ]
