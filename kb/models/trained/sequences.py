"""The order of three markers in a noisy sequence: a task that no single step can answer.

Each sequence has one marker of each of three kinds at random steps, among steps that are empty or hold a distractor;
the class is the order in which the markers come. A variant of the temporal order problem of Hochreiter & Schmidhuber
1997, section 5.6, with noise on every feature so that some sequences cannot be told.
"""

from functools import cache
from itertools import permutations

import numpy as np

from kb.models.interface import Array
from kb.models.trained.exact import bell
from kb.models.trained.interface import Labels, Split

SEED = 20
MARKERS = 3
DISTRACTORS = 3
FEATURES = MARKERS + DISTRACTORS  #: one per kind of symbol
ORDERS = tuple(permutations(range(MARKERS)))
CLASSES = len(ORDERS)
LENGTH = 20  #: steps

#: Sequences per class: 3,600 test samples.
SAMPLES = {Split.TRAIN: 1500, Split.TEST: 600}

#: How many of the steps without a marker hold a distractor.
FILLED = 0.5

#: Standard deviation of the noise, where a symbol is 1: hard enough that small networks get 8 to 20 % wrong.
NOISE = 0.3


@cache
def sequences(split: Split, length: int = LENGTH) -> tuple[Array, Labels]:
    """Features (samples, length, 6) float32 and labels (samples,), not writable; the class is an index of `ORDERS`."""
    random = np.random.default_rng([SEED, list(Split).index(split)])
    labels = np.repeat(np.arange(CLASSES, dtype=np.int64), SAMPLES[split])
    samples = len(labels)
    symbols = random.integers(MARKERS, FEATURES, (samples, length))
    present = random.random((samples, length)) < FILLED
    steps = np.sort(random.permuted(np.tile(np.arange(length), (samples, 1)), axis=1)[:, :MARKERS], axis=1)
    rows = np.arange(samples)[:, None]
    symbols[rows, steps] = np.array(ORDERS)[labels]
    present[rows, steps] = True
    clean = (symbols[:, :, None] == np.arange(FEATURES)) & present[:, :, None]
    features = (clean + NOISE * bell(random, clean.shape)).astype(np.float32)
    features.setflags(write=False)
    labels.setflags(write=False)
    return features, labels
