"""kill -9 at any point, start again: the same catalog in the end."""

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest


def committed(home) -> int:
    """Studies that the catalog holds at this moment."""
    if not (home.folder / "catalog.db").exists():
        return 0
    try:
        with closing(sqlite3.connect(home.folder / "catalog.db", timeout=5)) as database:
            return database.execute("SELECT count(*) FROM study").fetchone()[0]
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def killed_after(home, archive, studies: int) -> int:
    """Run until the catalog holds so many studies, kill the process group, count again."""
    words = ("run", archive, "--reports", archive / "reports.jsonl", "--quiet", "--json")
    process = subprocess.Popen(
        home.command("cineseek-index", *words),
        env=home.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None and committed(home) < studies:
        time.sleep(0.02)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return committed(home)


def finished(home, archive) -> tuple[str, dict]:
    done = home.index("run", archive, "--reports", archive / "reports.jsonl", "--json", "--quiet")
    assert done.code == 0, done.err
    return home.index("digest", "--json").json["digest"], done.json


def same_in_the_end(calm, rough, archive, stops) -> None:
    wanted, before = finished(calm, archive)
    counts = [killed_after(rough, archive, n) for n in stops]
    print("killed with so many studies committed:", counts)
    found, after = finished(rough, archive)
    assert len(set(counts)) > 1
    assert found == wanted
    assert after["studies"] == before["studies"]
    assert after["clips"] == before["clips"]
    assert after["embeddings"] == before["embeddings"]


def with_key_of(rough, calm):
    """Pseudonyms depend on the key, so both homes use one."""
    rough.key = calm.key
    return rough


def test_killed_three_times(make_home, phantoms):
    calm = make_home("calm")
    same_in_the_end(calm, with_key_of(make_home("rough"), calm), phantoms, (1, 4, 9))


@pytest.mark.long
def test_killed_ten_times_over_sixty_studies(make_home, tmp_path_factory):
    calm = make_home("calm60")
    archive = tmp_path_factory.mktemp("sixty") / "archive"
    assert calm.index("phantoms", archive, "--studies", 60, "--seed", 7, "--quiet").code == 0
    stops = (1, 3, 8, 15, 21, 30, 37, 44, 52, 59)
    same_in_the_end(calm, with_key_of(make_home("rough60"), calm), archive, stops)


def test_a_second_indexer_is_told_who_works(home, phantoms):
    import fcntl

    home.folder.mkdir(parents=True)
    with (home.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        done = home.index("run", phantoms, "--quiet")
    assert done.code == 2
    assert "4711" in done.err


def test_files_of_a_stopped_ingest_are_tidied(home, phantoms):
    one = next(p for p in sorted(phantoms.iterdir()) if p.is_dir())
    assert home.index("ingest", one, "--quiet").code == 0
    orphan = home.folder / "clips/ab" / ("ab" * 12 + ".b2nd")
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"half a clip")
    kept = len(list(home.folder.glob("clips/??/*.b2nd"))) - 1
    assert home.index("tidy", "--json").json["removed"] == 1
    assert len(list(home.folder.glob("clips/??/*.b2nd"))) == kept
    assert not orphan.exists()
