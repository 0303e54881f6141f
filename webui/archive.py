"""The pages' backend over a real home."""

from retrieval import wiring
from retrieval.settings import Settings
from retrieval.vectors import generation, reliability
from webui.backend import Backend


def open_archive(settings: Settings) -> Backend:
    """Serve whatever is live in the settings' home, and what comes after it."""
    folder = settings.home / "generations"

    def live() -> str | None:
        name = generation.current(folder)
        return None if name is None else f"{name} {reliability.version(folder, name)}"

    return Backend(
        lambda: wiring.open_explaining(settings),
        live,
        research=settings.research,
    )
