"""The door of the web UI: `cineseek-web`."""

import argparse
import http.client
import ipaddress
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from retrieval import doors, settings
from retrieval.errors import CineSeekError, UsageError
from webui import backend
from webui.guard import ClosedRoutes

SCRIPT = Path(__file__).parent / "app.py"
DEFAULT_PORT = 8501
LAST_PORT = 65535
POLL_S = 0.05
HEALTH_TIMEOUT_S = 5.0
GRACE_S = 2
"""How long open pages may take to end when the server does."""


class HostNotLocal(UsageError):
    """The UI was asked to listen where others could reach it."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"--host {host} is not this machine, and these pages have no login: whoever reaches "
            "them sees the archive; listen on 127.0.0.1 and reach it through an SSH tunnel"
        )
        self.host = host


class PortBusy(UsageError):
    """Another program listens there already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is taken; end what listens there, or name another with --port"
        )
        self.port = port


class InvalidPort(UsageError):
    """The environment's PORT is no port."""

    def __init__(self, text: str) -> None:
        super().__init__(f"PORT={text} is no port; a whole number from 0 to {LAST_PORT} is needed")


class Server(uvicorn.Server):
    """Says when it answers, and ends quietly when told to."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End with success on SIGINT and SIGTERM, where uvicorn would raise them again."""
        before = {sig: signal.signal(sig, self._end) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self.should_exit = True


def main() -> None:
    """Serve the pages until told to stop."""
    doors.enter(_main)


def _main() -> None:
    options = _options(sys.argv[1:])
    require_local(options.host)
    found = settings.load(home=options.home)
    listener = listen(options.host, options.port)
    from webui.archive import open_archive  # torch and FAISS load once the settings hold

    backend.use(open_archive(found))
    serve(listener, options.host)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="cineseek-web", description="Search an indexed archive in the browser."
    )
    parser.add_argument("--home", type=Path, help="where the archive's index lies")
    parser.add_argument("--port", type=int, default=default_port(), help="default: PORT, or 8501")
    parser.add_argument("--host", default="127.0.0.1", help="an address of this machine alone")
    return parser.parse_args(arguments)


def default_port() -> int:
    """PORT from the environment, else `DEFAULT_PORT`."""
    text = os.environ.get("PORT", "")
    if not text:
        return DEFAULT_PORT
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise InvalidPort(text)
    return int(text)


def require_local(host: str) -> None:
    """Raise HostNotLocal unless only this machine can reach `host`."""
    if host == "localhost":
        return
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise HostNotLocal(host)


def listen(host: str, port: int) -> socket.socket:
    """Take the port now, so that a busy one is known before anything is loaded; 0 takes any."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortBusy(host, port) from error
    return listener


def serve(listener: socket.socket, host: str) -> None:
    """Serve the pages on a bound socket; return when told to stop."""
    shown = f"[{host}]" if ":" in host else host
    app = st.App(
        SCRIPT,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[shown, "localhost", "127.0.0.1"]),
            Middleware(ClosedRoutes),
        ],
    )
    server = Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_S
        )
    )
    port = listener.getsockname()[1]
    url = f"http://{shown}:{port}"
    threading.Thread(target=_announce, args=(server, host, port, url), daemon=True).start()
    server.run(sockets=[listener])


def _announce(server: uvicorn.Server, host: str, port: int, url: str) -> None:
    """Open the archive, wait until the pages answer, and say so on stdout."""
    try:
        backend.current().coverage()
    except CineSeekError as error:  # the pages say it too, and try again at every visit
        sys.stderr.write(f"{error}\n")
    while not _answers(host, port):
        if server.should_exit:
            return
        time.sleep(POLL_S)
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()


def _answers(host: str, port: int) -> bool:
    """Whether the health endpoint says that sessions can start."""
    connection = http.client.HTTPConnection(host, port, timeout=HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
