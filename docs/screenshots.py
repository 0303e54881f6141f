# ruff: noqa: INP001 - a script, in no package
"""Take the pictures of the pages that stand in docs/: `python docs/screenshots.py`.

They show simulated hearts only: the home is that of `make demo`, which must
have run before. Needs Chromium.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, ViewportSize, sync_playwright

DOCS = Path(__file__).parent
SIZE: ViewportSize = {"width": 1440, "height": 900}
NOTHING = "left ventricular thrombus"
"""What no simulated heart is drawn with."""

QUERY = "dilated left ventricle with reduced ejection fraction, no scar, patients over 40"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
CLOCK = "window.cineseekClock = () => 0;"
"""All hearts at end diastole, so that the same archive gives the same pictures."""


def main() -> None:
    """Serve the demo's home, visit its pages and keep what they look like."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=DOCS.parent / ".demo" / "home")
    parser.add_argument("--out", type=Path, default=DOCS)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not installed; on Debian: apt-get install chromium")
    if not options.home.is_dir():
        sys.exit(f"{options.home} is not there; run: make demo")
    server, url = serve(options.home)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            context = browser.new_context(viewport=SIZE)
            context.add_init_script(CLOCK)
            take(context.new_page(), url, options.out)
            browser.close()
    finally:
        server.terminate()
        server.wait()


def serve(home: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the pages on a free port; returns the process and the URL it answers at."""
    server = subprocess.Popen(
        [sys.executable, "-c", "from webui.server import main; main()", "--port", "0"],
        env={**os.environ, "CINESEEK_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        cwd=DOCS.parent,
    )
    line = server.stdout.readline() if server.stdout else ""
    if not line.startswith("ready "):
        sys.exit("the pages did not start; what they said stands above")
    return server, line.removeprefix("ready ").strip()


def take(page: Page, url: str, out: Path) -> None:
    """Visit each page, wait until its hearts are drawn, and keep a picture."""
    page.set_default_timeout(120_000)

    def keep(name: str, ready: str, **params: str) -> None:
        page.goto(f"{url}/?{urlencode(params)}")
        page.wait_for_selector(ready)
        page.wait_for_function(ALL_DRAWN)
        page.screenshot(path=out / f"{name}.png")

    keep("first", ".examples canvas[data-phase]")
    keep("search", "a.card canvas[data-phase]", q=QUERY)
    study = page.locator("a.card").first.get_attribute("data-study")
    keep("filters", "a.card canvas[data-phase]", q=QUERY, sex="F", age="50-", technique="LGE")
    keep("study", ".short canvas[data-phase]", q=QUERY, study=str(study))
    page.get_by_role("button", name="Why", exact=True).click()
    page.wait_for_selector(".why canvas[data-phase]")
    page.wait_for_function(ALL_DRAWN)
    page.screenshot(path=out / "why.png")
    keep("nomatch", ".cs-nomatch", q=NOTHING, sex="F", technique="LGE")


ALL_DRAWN = """() => {
  const inside = root => [...root.querySelectorAll('*')]
    .flatMap(e => [e, ...(e.shadowRoot ? inside(e.shadowRoot) : [])]);
  const seen = c => { const b = c.getBoundingClientRect();
    return b.width > 1 && b.top < innerHeight && b.bottom > 0; };
  const all = inside(document).filter(e => e.matches('canvas') && seen(e));
  return all.length > 0 && all.every(c => c.dataset.phase !== undefined);
}"""


if __name__ == "__main__":
    main()
