"""Generations: named by content, checked before they are trusted, live in one step."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import EncoderMismatch, GenerationCorrupt
from retrieval.values.embedding import Embeddings, EncoderId, unit_rows
from retrieval.vectors import generation
from retrieval.vectors.npy import NpyWriter
from tests.doubles import ENCODER

KEYS = np.arange(100) * 7 + 3
ROWS = unit_rows(np.random.default_rng(0).normal(size=(100, 8)))


def batches(*ends: int, rows: np.ndarray = ROWS, encoder: EncoderId = ENCODER):
    start = 0
    for end in (*ends, len(rows)):
        yield KEYS[start:end], Embeddings(encoder, rows[start:end].copy())
        start = end


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "generations"


@pytest.fixture
def name(folder: Path) -> str:
    return generation.build(folder, batches(30, 60), ENCODER, encoder="phantom")


def test_what_is_built_can_be_verified_published_and_searched(folder: Path, name: str):
    generation.verify(folder, name)
    assert generation.current(folder) is None
    generation.publish(folder, name)
    assert generation.current(folder) == name
    index = generation.open_index(folder, name)
    assert (len(index), index.generation, index.encoder_id) == (100, name, ENCODER)
    (found,) = index.search(Embeddings(ENCODER, ROWS[41:42].copy()), k=1)
    assert found.keys.tolist() == [KEYS[41]]


def test_the_name_depends_on_content_alone(folder: Path, name: str, tmp_path: Path):
    assert generation.build(tmp_path / "b", batches(1, 99), ENCODER) == name
    assert generation.build(folder, batches(), ENCODER, encoder="phantom") == name
    other = ROWS.copy()
    other[50] = ROWS[51]
    assert generation.build(tmp_path / "b", batches(rows=other), ENCODER) != name
    another = EncoderId("other@2")
    assert generation.build(tmp_path / "b", batches(encoder=another), another) != name


def test_files_are_plain_arrays_and_say_what_they_are(folder: Path, name: str):
    np.testing.assert_array_equal(np.load(folder / name / "keys.npy"), KEYS)
    np.testing.assert_array_equal(np.load(folder / name / "vectors.npy"), ROWS)
    told = generation.manifest(folder, name)
    assert (told.count, told.dim, told.encoder, told.encoder_id) == (100, 8, "phantom", ENCODER)
    assert sorted(told.sha256) == ["keys.npy", "vectors.npy"]


def test_an_empty_generation_answers_nothing(folder: Path):
    name = generation.build(folder, iter([]), ENCODER)
    generation.verify(folder, name)
    index = generation.open_index(folder, name)
    assert len(index) == 0
    (found,) = index.search(Embeddings(ENCODER, ROWS[:1].copy()), k=5)
    assert len(found) == 0


@pytest.mark.parametrize("file", ["keys.npy", "vectors.npy"])
def test_one_changed_bit_is_found_before_anything_is_read(folder: Path, name: str, file: str):
    path = folder / name / file
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(bytes(data))
    for act in (generation.verify, generation.open_index):
        with pytest.raises(GenerationCorrupt, match=f"{file} is not the file that was built"):
            act(folder, name)


def test_missing_parts_are_named(folder: Path, name: str):
    (folder / name / "keys.npy").unlink()
    with pytest.raises(GenerationCorrupt, match=r"keys\.npy is missing"):
        generation.open_index(folder, name)
    (folder / name / "manifest.json").unlink()
    with pytest.raises(GenerationCorrupt, match=r"it has no manifest\.json"):
        generation.verify(folder, name)
    with pytest.raises(GenerationCorrupt, match="it has no manifest"):
        generation.publish(folder, "0123456789abcdef")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m | {"count": 99}, "99 were promised"),
        (lambda m: m | {"dim": 9}, "100 were promised"),
        (lambda m: m | {"name": "other"}, "its manifest is that of other"),
        (lambda m: m | {"format": 7}, "format 7; this version reads 1"),
        (lambda m: {"name": "x"}, r"manifest\.json cannot be understood"),
        (lambda m: m | {"spare": 1}, "cannot be understood"),
    ],
)
def test_a_manifest_that_lies_is_found(folder: Path, name: str, change, reason: str):
    path = folder / name / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(GenerationCorrupt, match=reason):
        generation.verify(folder, name)


def forge(folder: Path, name: str, file: str, array: np.ndarray) -> None:
    """Replace a file together with its checksum."""
    np.save(folder / name / file, array)
    path = folder / name / "manifest.json"
    told = json.loads(path.read_text())
    told["sha256"][file] = generation.manifests.sha256(folder / name / file)
    path.write_text(json.dumps(told))


def test_keys_out_of_order_and_vectors_of_another_length_are_found(folder: Path, name: str):
    forge(folder, name, "keys.npy", KEYS[::-1].copy())
    with pytest.raises(GenerationCorrupt, match="its keys are not in order"):
        generation.verify(folder, name)
    forge(folder, name, "keys.npy", KEYS)
    forge(folder, name, "vectors.npy", ROWS * np.float32(2))
    with pytest.raises(GenerationCorrupt, match="must have length 1"):
        generation.verify(folder, name)


def test_verify_searches_and_compares_with_the_judge(folder: Path, name: str, monkeypatch):
    class Backwards(generation.ExactIndex):
        def search(self, queries, *, k, allowed=None):
            found = super().search(queries, k=k, allowed=allowed)
            return [type(n)(keys=n.keys[::-1], scores=n.scores[::-1]) for n in found]

    monkeypatch.setattr(generation, "index_over", lambda table, engine: Backwards(table))
    with pytest.raises(GenerationCorrupt, match="a search for its own vectors went wrong"):
        generation.verify(folder, name)


def test_a_sound_generation_is_kept_and_a_damaged_one_is_built_again(folder: Path, name: str):
    before = (folder / name / "vectors.npy").stat().st_ino
    assert generation.build(folder, batches(), ENCODER, encoder="phantom") == name
    assert (folder / name / "vectors.npy").stat().st_ino == before
    (folder / name / "vectors.npy").write_bytes(b"junk")
    assert generation.build(folder, batches(), ENCODER, encoder="phantom") == name
    generation.verify(folder, name)


def test_a_checkpoint_that_moved_is_remembered_by_its_new_place(folder: Path, name: str):
    assert generation.build(folder, batches(), ENCODER, encoder="/new/place") == name
    assert generation.manifest(folder, name).encoder == "/new/place"
    generation.verify(folder, name)


def test_what_a_killed_build_left_is_swept_away(folder: Path, name: str):
    (folder / ".building-1234").mkdir()
    (folder / ".building-1234" / "vectors.npy").write_bytes(b"half")
    generation.build(folder, batches(), ENCODER, encoder="phantom")
    assert sorted(p.name for p in folder.iterdir()) == [name]


def test_a_build_that_fails_leaves_nothing_that_counts(folder: Path):
    def broken():
        yield KEYS[:10], Embeddings(ENCODER, ROWS[:10].copy())
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        generation.build(folder, broken(), ENCODER)
    assert generation.names(folder) == []


def test_publishing_replaces_the_name_in_one_step(folder: Path, name: str, monkeypatch):
    generation.publish(folder, name)
    other = generation.build(folder, batches(rows=np.roll(ROWS, 1, axis=0)), ENCODER)

    def power_failure(self, target):
        raise OSError("power failure")

    monkeypatch.setattr(Path, "replace", power_failure)
    with pytest.raises(OSError, match="power failure"):
        generation.publish(folder, other)
    assert generation.current(folder) == name
    monkeypatch.undo()
    generation.publish(folder, other)
    assert generation.current(folder) == other
    assert sorted(generation.names(folder)) == sorted([name, other])


def test_an_open_index_outlives_its_folder(folder: Path, name: str):
    index = generation.open_index(folder, name)
    shutil.rmtree(folder / name)
    (found,) = index.search(Embeddings(ENCODER, ROWS[7:8].copy()), k=1)
    assert found.keys.tolist() == [KEYS[7]]


def test_batches_of_another_encoder_or_out_of_order_are_refused(folder: Path):
    with pytest.raises(EncoderMismatch):
        generation.build(folder, batches(encoder=EncoderId("other@2")), ENCODER)
    one = Embeddings(ENCODER, ROWS[:2].copy())
    for keys in ([5, 5], [5, 4], [-2, -1], [1, 2, 3]):
        with pytest.raises(ValueError, match="keys must increase"):
            generation.build(folder, iter([(np.array(keys), one)]), ENCODER)
    again = [(KEYS[:2], one), (KEYS[:2], one)]
    with pytest.raises(ValueError, match="keys must increase"):
        generation.build(folder, iter(again), ENCODER)


def test_rows_of_another_width_are_refused(tmp_path: Path):
    with (
        pytest.raises(ValueError, match="rows have shape"),
        NpyWriter(tmp_path / "a.npy", np.float32, (4,)) as out,
    ):
        out.append(np.zeros((2, 5), dtype=np.float32))


@pytest.mark.parametrize("count", [0, 1, 9, 12_345])
def test_a_growing_file_is_a_plain_npy(tmp_path: Path, count: int):
    rows = np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    with NpyWriter(tmp_path / "a.npy", np.float32, (3,)) as out:
        for part in np.array_split(rows, 4):
            out.append(part)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), rows)
