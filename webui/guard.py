"""What the server refuses to answer."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

CLOSED = ("/media", "/app/static", "/_stcore/upload_file")
"""Streamlit's routes that ask for no login: nothing of the archive may ever lie there."""


class ClosedRoutes:
    """Answers 403 for every route in `CLOSED`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless its path is closed."""
        path = scope.get("path", "")
        if any(path == closed or path.startswith(closed + "/") for closed in CLOSED):
            refusal = PlainTextResponse("closed: no part of CineSeek is served here\n", 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)
