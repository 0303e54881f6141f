"""What an encoder of texts is asked, as one direction."""

from collections.abc import Sequence

import numpy as np

from retrieval.ports import TextEncoder
from retrieval.values.embedding import Embeddings, unit_rows


def asked_vector(texts: TextEncoder, asked: Sequence[Sequence[str]]) -> Embeddings:
    """One direction for several things asked: each the mean of its phrasings, all of one weight."""
    flat = [phrasing for group in asked for phrasing in group]
    rows = texts.encode_texts(flat).vectors
    ends = np.cumsum([len(group) for group in asked])[:-1]
    groups = [unit_rows(part.mean(axis=0, keepdims=True)) for part in np.split(rows, ends)]
    return Embeddings(texts.encoder_id, unit_rows(np.mean(groups, axis=0)))
