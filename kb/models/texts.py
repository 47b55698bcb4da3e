"""Seeded texts for networks that never read any: random words behind a first token, each of its own length."""

import numpy as np
from numpy.typing import NDArray

VOCABULARY = 30522  #: of BERT, uncased
FIRST_TOKEN = 101  #: [CLS] of that vocabulary; a classifier reads the output at its place
PADDING = 0


def random_texts(
    batch: int, length: int, seed: int, vocabulary: int = VOCABULARY
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and mask (1 for a token, 0 for padding), both (batch, length).

    Each text fills at least half of its row, the rest is padding.
    """
    random = np.random.default_rng(seed)
    token_ids = random.integers(FIRST_TOKEN + 1, vocabulary, (batch, length), dtype=np.int64)
    token_ids[:, 0] = FIRST_TOKEN
    ends = random.integers(length // 2, length, (batch, 1), endpoint=True)
    mask = (np.arange(length) < ends).astype(np.int64)
    return np.where(mask == 1, token_ids, PADDING), mask
