"""The door: where it listens, what it refuses, how it ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from conftest import HERE, ROOT, start, stop

from webui import server


def get(url, path, host=None):
    place = urlsplit(url)
    with closing(http.client.HTTPConnection(place.hostname, place.port, timeout=10)) as connection:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, answer.read()


def door(*arguments, **env):
    return subprocess.run(
        [sys.executable, "-c", "from webui.server import main; main()", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_pages_answer(pages):
    assert get(pages, "/_stcore/health") == (200, b"ok")
    status, body = get(pages, "/?q=scar")
    assert status == 200
    assert b"<html" in body


@pytest.mark.parametrize(
    "path",
    ["/media", "/media/0123.jpg", "/app/static/x.png", "/_stcore/upload_file/a/b"],
)
def test_streamlit_s_open_routes_are_closed(pages, path):
    assert get(pages, path)[0] == 403


def test_a_name_that_merely_begins_like_a_closed_route_is_not_refused(pages):
    assert get(pages, "/mediaeval")[0] != 403


def test_pages_asked_for_under_another_name_are_refused(pages):
    """A foreign site whose name is made to point here must not read the archive."""
    assert get(pages, "/", host="example.org")[0] == 400
    assert get(pages, "/_stcore/health", host="example.org:80")[0] == 400


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_when_told_to(ending):
    process, _ = start(HERE / "fake_pages.py", 0, 1)
    process.send_signal(ending)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in said


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.org"])
def test_it_does_not_listen_where_others_could_reach_it(host, tmp_path):
    done = door("--host", host, "--home", tmp_path, "--port", 0)
    assert done.returncode == 2
    assert "no login" in done.stderr
    assert "SSH tunnel" in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_this_machine_s_own_addresses_are_fine(host):
    server.require_local(host)


def test_a_busy_port_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = door("--home", tmp_path, PORT=str(port))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: port {port} on 127.0.0.1 is taken")


@pytest.mark.parametrize("text", ["http", "70000", "-1"])
def test_an_impossible_port_in_the_environment_is_refused(text, tmp_path):
    done = door("--home", tmp_path, PORT=text)
    assert done.returncode == 2
    assert f"PORT={text}" in done.stderr


def test_an_empty_home_is_served_with_what_to_do_next(tmp_path):
    code = "from webui.server import main; main()"
    process, url = start("-c", code, "--home", tmp_path / "home", "--port", 0)
    try:
        assert get(url, "/_stcore/health")[0] == 200
    finally:
        stop(process)
    assert process.returncode == 0
    assert not (tmp_path / "home").exists()
