"""One study: all its clips in step, its report, where it comes from, and its nearest cases."""

from collections import Counter
from dataclasses import replace
from html import escape

import streamlit as st

from retrieval.errors import InputError
from retrieval.search.estimates import places
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.query import Hit, Query, Ranking
from retrieval.values.study import State, Study, StudyId
from webui import reporttext, researchview, studyview, whyview, words
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
    ranking = _ranking(desk, address)
    hit = _hit(ranking, study_id)
    with st.container(key="studybar", horizontal=True, gap="small", vertical_alignment="center"):
        _bar(desk, address, study, clips, ranking)
    near = _near(desk, study)
    with st.container(key="study", horizontal=True, gap=None):
        with st.container(key="left", gap=None):
            _player(desk, address, study, clips, near, hit, _why(desk, address, study, clips, hit))
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


def _ranking(desk: Desk, address: Address) -> Ranking | None:
    """The results that the study was opened from."""
    if not address.asks:
        return None
    return desk.reading.searcher.search(address.query(), access=READER)


def _hit(ranking: Ranking | None, study: StudyId) -> Hit | None:
    """The study's place among the results; None where it lies under another, or further down."""
    return next((h for h in ranking.hits if h.study.id == study), None) if ranking else None


def _bar(
    desk: Desk, address: Address, study: Study, clips: list[ClipRecord], ranking: Ranking | None
) -> None:
    hit = _hit(ranking, study.id)
    place = "Results" if address.asks else "Search"
    if hit and ranking:
        place = f"Results, {hit.rank:,} of {ranking.answers:,}"
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
    if address.why is None and _explains(study, ranking):
        st.button(
            "Why",
            key="why",
            icon=":material/lightbulb:",
            help="Which views, phases and places speak for this study",
            on_click=lambda: navigation.look_into(_best(desk, address, study, hit)),
        )
    st.button(
        "More like this",
        key="like",
        icon=":material/search:",
        on_click=lambda: navigation.like_this(study.id),
    )


def _explains(study: Study, ranking: Ranking | None) -> bool:
    """Whether images speak for the study at all."""
    asked = ranking is not None and not {"words", "example"}.isdisjoint(ranking.channels)
    return asked and study.state is State.INDEXED


def _best(desk: Desk, address: Address, study: Study, hit: Hit | None) -> ClipId:
    if hit is not None:
        return hit.evidence.clip.id
    return desk.reading.explainer.why(study.id, address.query(), access=READER).carried_by.id


def _why(
    desk: Desk, address: Address, study: Study, clips: list[ClipRecord], hit: Hit | None
) -> dict[str, object] | None:
    """The panel that says why; None where nobody asks, or the clip is not the study's."""
    clip = next((c for c in clips if c.id == address.why), None)
    if clip is None or not address.asks:
        return None
    explainer, query = desk.reading.explainer, address.query()
    found, trouble = None, ""
    with st.spinner("Hiding parts of the clip, one after another", show_time=True):
        why = explainer.why(study.id, query, access=READER)
        try:
            found = explainer.map(study.id, clip.id, query, access=READER)
        except InputError as error:
            trouble = f"No map: {error}."
    return whyview.content(why, clip, found, trouble, hit)


def _near(desk: Desk, study: Study) -> Ranking | None:
    if study.state is not State.INDEXED:
        return None
    query = Query(like=study.id, limit=NEAREST, other_patients=True, collapsed=True)
    return desk.reading.searcher.search(query, access=READER)


def _player(
    desk: Desk,
    address: Address,
    study: Study,
    clips: list[ClipRecord],
    near: Ranking | None,
    hit: Hit | None,
    why: dict[str, object] | None,
) -> None:
    cases: list[Card] = []
    if near is not None:
        cases = [card(h, (), replace(address, study=h.study.id, why=None), near) for h in near.hits]
    content = studyview.layout(study, clips, hit.evidence.clip.id if hit else None)
    content["near"] = [case.content for case in cases]
    content["nearNote"] = "whole study, by images; other patients only"
    if why is not None:
        content["why"] = why
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
            "why": lambda: navigation.why_asked(PLAYER),
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
        + (reason if reason.startswith(technique) else ", ".join(filter(None, (technique, reason))))
        for (technique, reason), number in kinds.items()
    ]
