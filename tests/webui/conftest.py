"""What the pages' tests share: the archive in memory, a server over it, and a browser."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))  # fake_archive is shared with the server's own process

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def start(*command, **env):
    """Start a server and wait for its ready line; returns the process and its URL."""
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )
    line = process.stdout.readline()
    found = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+)\n", line)
    if not found:
        process.kill()
        raise AssertionError(f"no ready line but {line!r}: {process.communicate()[1]}")
    return process, found[1]


def stop(process):
    process.terminate()
    process.communicate(timeout=20)


@pytest.fixture(scope="session")
def pages():
    """URL of the pages over 24 studies."""
    process, url = start(HERE / "fake_pages.py", 0, 24)
    yield url
    stop(process)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
