"""The pages in a real browser: hearts move, keys work, nothing leaves the machine."""

from urllib.parse import parse_qs, urlsplit

import fake_archive
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from retrieval.clips.preview import TILE_PX

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

CARD_ZOOM = 1.12
QUERY = "?q=large+heart"
PATIENCE_MS = 90_000

CLOCK = "window.testTime = 0; window.cineseekClock = () => window.testTime;"
"""The page's only reading of the time, driven by the test."""

OWN_NOISE = "Canvas2D: Multiple readback operations"
"""Said of the test's own reading of pixels."""

GREYS = """canvas => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const grey = Array.from(data.filter((_, i) => i % 4 === 0));
  return {width: canvas.width, height: canvas.height, grey};
}"""
FRAMES = (
    "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
)


class Visit:
    """One tab, with all it asked for and complained of."""

    def __init__(self, context, base):
        self.base = base
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.requests, self.complaints = [], []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on(
            "console",
            lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))

    def open(self, address):
        self.page.goto(self.base + "/" + address)
        return self

    def cards(self):
        self.page.wait_for_selector("a.card canvas[data-phase]")
        return self.page.locator("a.card")

    def at(self, milliseconds):
        """Put the clock there and let the page draw."""
        self.page.evaluate(f"window.testTime = {milliseconds}")
        self.page.evaluate(FRAMES)

    def picture(self, clip):
        got = self.page.locator(f'canvas[data-clip="{clip}"]').first.evaluate(GREYS)
        return np.array(got["grey"], float).reshape(got["height"], got["width"])

    def params(self):
        return parse_qs(urlsplit(self.page.url).query)

    def wait_params(self, **wanted):
        self.page.wait_for_function(
            "wanted => { const p = new URLSearchParams(location.search);"
            " return Object.entries(wanted).every(([k, v]) => p.get(k) === v)"
            " && [...p.keys()].every(k => k in wanted); }",
            arg=wanted,
        )


@pytest.fixture
def visit(chromium, pages):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(CLOCK)
    made = Visit(context, pages)
    yield made
    context.close()
    assert not [text for text in made.complaints if not text.startswith(OWN_NOISE)]
    strangers = [u for u in made.requests if not u.startswith((pages, "data:", "blob:"))]
    assert not strangers
    assert not [u for u in made.requests if urlsplit(u).path.startswith(("/media", "/app/static"))]


def expected(tile, shape):
    """A frame as the card shows it: the middle of the tile, bilinear."""
    side = TILE_PX / CARD_ZOOM
    edge = (TILE_PX - side) / 2
    box = (edge, edge, edge + side, edge + side)
    image = Image.fromarray(tile).resize((shape[1], shape[0]), Image.Resampling.BILINEAR, box=box)
    return np.asarray(image, float)


def test_a_card_plays_its_clip_at_its_own_heart_rate(visit):
    visit.open(QUERY).cards()
    first = fake_archive.FakeSearcher(fake_archive.reading().catalog)
    hit = first.search(fake_archive.Query(text="large"), access=None).hits[0]
    clip = hit.evidence.clip
    visit.at(0)
    start = visit.picture(clip.id)
    visit.at(clip.rr_ms / 2)
    half = visit.picture(clip.id)
    visit.at(clip.rr_ms)
    assert np.array_equal(visit.picture(clip.id), start)

    tiles = fake_archive.pictures(clip, 35)
    frame = expected(tiles[clip.phases // 2], half.shape)
    inside = np.s_[
        half.shape[0] // 4 : -half.shape[0] // 4, half.shape[1] // 4 : -half.shape[1] // 4
    ]
    assert np.abs(start - half)[inside].mean() > 8
    assert np.abs(half - frame)[inside].mean() < 4
    assert np.abs(start - expected(tiles[0], start.shape))[inside].mean() < 4
    assert np.abs(half - expected(tiles[0], start.shape))[inside].mean() > 8


def test_the_search_page_is_laid_out_at_both_desktop_sizes(visit):
    visit.open(QUERY).cards()
    for width, height, columns in ((1440, 900, 4), (1366, 768, 4), (1100, 800, 3), (900, 800, 2)):
        visit.page.set_viewport_size({"width": width, "height": height})
        visit.page.evaluate(FRAMES)
        boxes = [card.bounding_box() for card in visit.page.locator("a.card").all()]
        assert len({box["x"] for box in boxes}) == columns
        assert len({round(box["height"]) for box in boxes}) == 1
        assert max(box["x"] + box["width"] for box in boxes) <= width
        side = visit.page.locator(".st-key-side").bounding_box()
        assert side["width"] == 232
        query = visit.page.locator(".box").bounding_box()
        assert query["height"] == 40
        clip = visit.page.locator("a.card .media > .clip").first.bounding_box()
        assert clip["width"] == pytest.approx(clip["height"], abs=1)
    assert visit.page.locator("header.cs-top").bounding_box()["height"] == 44
    assert visit.page.locator("footer.cs-bottom").bounding_box()["height"] == 32


def test_what_is_off_screen_does_not_play(visit):
    visit.page.set_viewport_size({"width": 1440, "height": 560})
    cards = visit.open(QUERY).cards()
    last = cards.last.locator("canvas").first
    visit.at(100)
    assert last.get_attribute("data-phase") is None
    cards.last.scroll_into_view_if_needed()
    visit.page.wait_for_function("c => c.dataset.phase !== undefined", arg=last.element_handle())


def test_words_filters_and_back_and_reload_show_the_same(visit):
    visit.open("")
    box = visit.page.get_by_role("textbox", name="Query")
    box.wait_for()
    visit.page.wait_for_selector("input:focus")
    visit.page.keyboard.type("large heart")
    visit.page.keyboard.press("Enter")
    visit.wait_params(q="large heart")
    assert visit.cards().count() == 12

    visit.page.get_by_label("Female").check()
    visit.wait_params(q="large heart", sex="F")
    visit.page.get_by_text("12 of 12 eligible").wait_for()

    box.fill("normal heart")
    box.press("Enter")
    visit.wait_params(q="normal heart", sex="F")

    visit.page.go_back()
    visit.wait_params(q="large heart", sex="F")
    expect(box).to_have_value("large heart")
    visit.page.go_back()
    visit.wait_params(q="large heart")
    visit.page.get_by_text("12 of 24 eligible").wait_for()
    assert not visit.page.get_by_label("Female").is_checked()
    visit.page.go_forward()
    visit.wait_params(q="large heart", sex="F")
    visit.page.reload()
    visit.page.get_by_text("12 of 12 eligible").wait_for()
    assert visit.page.get_by_label("Female").is_checked()


def test_an_age_range_is_set_with_the_keyboard(visit):
    visit.open(QUERY).cards()
    handle = visit.page.get_by_label("Age, years, from")
    handle.focus()
    handle.press("ArrowRight")
    visit.wait_params(q="large heart", age="32-")
    visit.page.get_by_text("12 of 23 eligible").wait_for()


def test_the_keyboard_moves_opens_and_comes_back_to_the_same_card(visit):
    cards = visit.open(QUERY).cards()
    visit.page.evaluate("document.activeElement.blur()")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        visit.page.keyboard.press(key)
    chosen = cards.nth(5)
    assert chosen.evaluate("card => card.matches(':focus')")
    study = chosen.get_attribute("data-study")
    visit.page.keyboard.press("Enter")
    visit.wait_params(q="large heart", study=study)
    visit.page.wait_for_selector(".controls")
    visit.page.keyboard.press("Escape")
    visit.wait_params(q="large heart")
    visit.page.wait_for_selector(f'a.card[data-study="{study}"]:focus')
    visit.page.keyboard.press("l")
    visit.wait_params(like=study)
    visit.page.get_by_text("12 of 23 eligible").wait_for()
    visit.page.keyboard.press("/")
    visit.page.wait_for_selector(".box input:focus")


def focused(visit):
    return visit.page.locator(".results :focus")


def test_repeat_scans_unfold_and_open_by_keyboard_alone(visit):
    cards = visit.open("?q=repeat").cards()
    visit.page.evaluate("document.activeElement.blur()")
    height = cards.first.bounding_box()["height"]
    unfold = visit.page.get_by_role("button", name="1 further study of this patient")
    assert unfold.count() == 1
    visit.page.keyboard.press("ArrowRight")
    visit.page.keyboard.press("u")
    assert unfold.get_attribute("aria-expanded") == "true"
    under = visit.page.get_by_role("group", name="1 further study of this patient").locator("a")
    assert under.is_visible()
    assert cards.first.bounding_box()["height"] == cards.nth(1).bounding_box()["height"] == height
    visit.page.keyboard.press("Tab")
    expect(unfold).to_be_focused()
    visit.page.keyboard.press("Tab")
    expect(under).to_be_focused()
    visit.page.keyboard.press("Escape")
    expect(cards.first).to_be_focused()
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")  # the button folds what it unfolded
    assert unfold.get_attribute("aria-expanded") == "false"
    assert not under.is_visible()
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    second = fake_archive.FakeSearcher(fake_archive.reading().catalog).search(
        fake_archive.Query(text="large"), access=None
    )
    visit.wait_params(q="repeat", study=second.hits[1].study.id)


def test_a_card_without_repeat_scans_is_one_tab_stop(visit):
    visit.open("?q=repeat").cards()
    visit.page.evaluate("document.activeElement.blur()")
    for key in ("ArrowRight", "ArrowRight", "u"):
        visit.page.keyboard.press(key)
    assert focused(visit).get_attribute("class") == "card"
    stops = visit.page.locator(".grid [tabindex='0']")
    assert stops.count() == 1


def test_what_the_tool_is_for_is_never_cut_off(visit):
    visit.open("?q=repeat").cards()
    for width in (1440, 900, 700):
        visit.page.set_viewport_size({"width": width, "height": 800})
        purpose = visit.page.get_by_text("For reference and teaching. Not for diagnosis.")
        box = purpose.bounding_box()
        assert box["x"] + box["width"] <= width


def test_what_a_card_says_of_its_likelihood_fits_at_every_width(visit):
    cards = visit.open("?q=repeat").cards()
    for width, bar in ((1440, 32), (1366, 14), (1290, 0), (1100, 14), (1010, 0), (900, 32)):
        visit.page.set_viewport_size({"width": width, "height": 800})
        visit.page.evaluate(FRAMES)
        lines = visit.page.locator("a.card .line").evaluate_all(
            "all => all.map(line => line.scrollWidth - line.clientWidth)"
        )
        assert max(lines) == 0
        bars = visit.page.locator("a.card .belief .bar").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().width)"
        )
        assert set(bars) == {bar}
    assert cards.first.locator(".score").inner_text() == "images + report"


def test_space_holds_all_hearts_and_lets_them_go_on(visit):
    cards = visit.open(QUERY).cards()
    canvas = cards.first.locator("canvas").first
    visit.page.evaluate("document.activeElement.blur()")
    visit.page.keyboard.press(" ")
    visit.at(500)
    assert canvas.get_attribute("data-phase") == "0"
    visit.page.keyboard.press(" ")
    visit.at(1000)
    assert canvas.get_attribute("data-phase") != "0"


def test_reduced_motion_shows_end_diastole_until_space(chromium, pages):
    context = chromium.new_context(reduced_motion="reduce")
    context.add_init_script(CLOCK)
    visit = Visit(context, pages)
    canvas = visit.open(QUERY).cards().first.locator("canvas").first
    visit.at(500)
    assert canvas.get_attribute("data-phase") == "0"
    visit.page.evaluate("document.activeElement.blur()")
    visit.page.keyboard.press(" ")
    visit.at(1000)
    assert canvas.get_attribute("data-phase") != "0"
    context.close()


def test_all_clips_of_a_study_are_at_the_same_fraction_of_the_beat(visit):
    heart = fake_archive.heart(4)  # 25 phases short axis, 20 long axis
    visit.open(f"?study={heart.study.id}")
    visit.page.wait_for_selector(".short canvas[data-phase]")
    beat = 60_000 / heart.study.heart_rate_bpm
    for fraction in (0.0, 0.3, 0.61, 0.99):
        visit.at(7 * beat + fraction * beat)
        shown = visit.page.locator("canvas[data-phase]").evaluate_all(
            "all => all.map(c => [c.dataset.clip, Number(c.dataset.phase)])"
        )
        phases = dict(shown)
        clips = {c.id: c.phases for c in heart.clips if c.id in phases}
        assert {25, 20} <= set(clips.values())
        for clip, count in clips.items():
            assert phases[clip] == int(fraction * count + 1e-6)


def test_the_study_player_steps_scrubs_and_measures(visit):
    heart = fake_archive.heart(4)
    visit.open(f"?study={heart.study.id}")
    visit.page.wait_for_selector(".short canvas[data-phase]")
    readout = visit.page.locator(".readout")
    visit.page.keyboard.press("ArrowRight")
    visit.page.evaluate(FRAMES)
    assert readout.inner_text().startswith("phase 2 of 25")
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("ArrowLeft")
    visit.page.evaluate(FRAMES)
    assert readout.inner_text().startswith("phase 25 of 25")
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("ArrowDown")
    assert readout.inner_text().startswith("slice 2 · phase 25")
    assert visit.page.get_by_role("button", name="Play").is_visible()
    visit.page.get_by_label("Phase of the beat").fill("500")
    visit.page.evaluate(FRAMES)
    assert "phase 13 of 25" in readout.inner_text()
    clip = visit.page.locator(".short .clip").first.bounding_box()
    bar = visit.page.locator(".scale").bounding_box()
    assert bar["width"] == pytest.approx(50 * clip["width"] / (200 / 1.2), abs=1)
    visit.page.locator(".near a").first.click()
    visit.page.wait_for_function(f"() => !location.search.includes('{heart.study.id}')")
    assert visit.params()["study"][0] != heart.study.id


MAP_AT = """canvas => {
  const {width, height} = canvas;
  const at = (x, y) => [...canvas.getContext('2d')
    .getImageData(Math.round(x * width), Math.round(y * height), 1, 1).data].slice(0, 3);
  return {middle: at(0.5, 0.5), first: at(0.02, 0.02), last: at(0.98, 0.98)};
}"""


def test_why_lays_a_map_over_the_playing_clip_and_stays_in_the_address(visit):
    heart = fake_archive.heart(4)
    clip = fake_archive.best(heart, fake_archive.Query().where).id
    visit.open(f"?q=large+heart&study={heart.study.id}")
    visit.page.get_by_role("button", name="Why", exact=True).click()
    visit.wait_params(q="large heart", study=heart.study.id, why=clip)
    canvas = visit.page.locator(".why .seen canvas[data-phase]")
    canvas.wait_for()
    visit.at(0)
    seen = canvas.evaluate(MAP_AT)
    red, _, blue = seen["middle"]
    assert red - blue > 60  # the fake explainer's middle cell spoke for the query
    assert seen["first"][2] - seen["first"][0] > 30  # its first cell against it
    assert max(seen["last"]) - min(seen["last"]) <= 2
    visit.at(heart.clips[0].rr_ms / 2)
    assert canvas.get_attribute("data-phase") != "0"
    assert visit.page.locator(".why .phases i").count() == 2

    visit.page.get_by_label("Map over the clip").uncheck()
    visit.page.evaluate(FRAMES)
    bare = canvas.evaluate(MAP_AT)["middle"]
    assert max(bare) - min(bare) <= 2

    visit.page.get_by_role("button", name="4CH · cine").click()
    visit.page.wait_for_function("old => !location.search.includes(old)", arg=clip)
    visit.page.locator(".why .whyviews tr.on").get_by_text("4CH · cine").wait_for()
    visit.page.get_by_role("button", name="Close why").click()
    visit.wait_params(q="large heart", study=heart.study.id)


def test_pages_turn_and_stay_in_the_address(visit):
    visit.open(QUERY).cards()
    visit.page.get_by_role("button", name="Next").click()
    visit.wait_params(q="large heart", page="2")
    visit.page.get_by_text("13 to 24 of 24 eligible").wait_for()
    visit.page.locator(".rank").first.get_by_text("13").wait_for()
    assert visit.page.locator("a.card").first.bounding_box()["y"] > 44


def test_an_example_asks_its_question(visit):
    visit.open("")
    visit.page.get_by_text("akinetic apex").click()
    visit.wait_params(q="akinetic apex")
    assert visit.cards().count() == 12
