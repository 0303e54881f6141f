"""For every test: the same examples on every machine in CI, and a main module that stays."""

import os
import sys

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "explore")


@pytest.fixture(autouse=True)
def _main_stays_main():
    """Streamlit's script runner puts its page in the place of the main module; workers that are
    spawned later would run that page."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before
