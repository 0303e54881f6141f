"""Serve the pages over the archive in memory: `fake_pages.py PORT STUDIES`."""

import sys

import fake_archive

from webui import backend, server

if __name__ == "__main__":
    port, studies = map(int, sys.argv[1:3])
    backend.use(fake_archive.backend_of(studies))
    server.serve(server.listen("127.0.0.1", port), "127.0.0.1")
