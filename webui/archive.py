"""The pages' backend over a real home."""

from retrieval import wiring
from retrieval.settings import Settings
from retrieval.vectors import generation
from webui.backend import Backend


def open_archive(settings: Settings) -> Backend:
    """Serve whatever is live in the settings' home, now and after each publication."""
    folder = settings.home / "generations"
    return Backend(
        lambda: wiring.open_explaining(settings),
        lambda: generation.current(folder),
        research=settings.research,
    )
