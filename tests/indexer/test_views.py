"""What `cineseek-index status` says."""

from pathlib import Path

import numpy as np
import pytest

from indexer import views
from indexer.station import opened
from retrieval.settings import Settings
from retrieval.values.embedding import Embeddings, unit_rows
from retrieval.vectors import engines, generation
from tests.doubles import ENCODER


@pytest.mark.parametrize(("gpus", "engine"), [(None, "exact"), (0, "faiss-cpu"), (1, "faiss-gpu")])
def test_status_names_the_live_generation_and_what_searches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpus: int | None, engine: str
):
    monkeypatch.setattr(engines, "_gpus", lambda: gpus)
    home = opened(Settings(home=tmp_path / "home", key_file=tmp_path / "key"), create=True)
    told = views.status(home)
    assert (told["generation"], told["engine"]) == (None, None)
    rows = unit_rows(np.eye(4))
    name = generation.build(
        home.generations, iter([(np.arange(4), Embeddings(ENCODER, rows))]), ENCODER
    )
    generation.publish(home.generations, name)
    told = views.status(home)
    assert (told["generation"], told["engine"]) == (name, engine)
