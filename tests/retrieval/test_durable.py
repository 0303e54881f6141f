"""A file is the old one or the new one, whatever happens in between."""

import os
import stat
from pathlib import Path

import pytest

from retrieval.durable import replace_file


def test_a_file_is_replaced_and_its_folder_made(tmp_path: Path):
    path = tmp_path / "deep" / "file.txt"
    for text in ("first", "second"):
        replace_file(path, lambda fresh, text=text: fresh.write_text(text))
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_what_is_written_has_the_ending_of_the_place(tmp_path: Path):
    seen = []
    replace_file(tmp_path / "clip.b2nd", lambda fresh: seen.append(fresh) or fresh.touch())
    assert seen[0].suffix == ".b2nd"
    assert seen[0].parent == tmp_path


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("old")

    def half(fresh: Path) -> None:
        fresh.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_file(path, half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_content_is_durable_before_the_name_is_and_then_the_name(tmp_path: Path, monkeypatch):
    path, done = tmp_path / "file", []
    sync, rename = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "content")
        sync(handle)

    def replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    replace_file(path, lambda fresh: fresh.write_text("new"))
    assert done == ["content", "rename", "folder"]
