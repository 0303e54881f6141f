"""What an encoder of texts is asked, as one direction."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from retrieval.ports import TextEncoder
from retrieval.values.embedding import Embeddings, unit_rows


class Asked(NamedTuple):
    """One thing that is asked, in words that all mean it, and how much it counts beside others."""

    phrasings: tuple[str, ...]
    weight: float = 1.0


def asked_vector(texts: TextEncoder, asked: Sequence[Asked]) -> Embeddings:
    """One direction for several things asked: each the mean of its phrasings, by its weight."""
    flat = [phrasing for one in asked for phrasing in one.phrasings]
    rows = texts.encode_texts(flat).vectors
    ends = np.cumsum([len(one.phrasings) for one in asked])[:-1]
    means = [unit_rows(part.mean(axis=0, keepdims=True)) for part in np.split(rows, ends)]
    weights = [one.weight for one in asked]
    return Embeddings(texts.encoder_id, unit_rows(np.average(means, axis=0, weights=weights)))
