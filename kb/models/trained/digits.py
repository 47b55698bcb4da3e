"""Handwritten digits under noise: real images that come with scikit-learn, made hard enough to get some wrong.

Source: the test set of Alpaydin & Kaynak 1998 ("Optical Recognition of Handwritten Digits", doi:10.24432/C50P49), 1,797
images of 8 x 8 pixels, as `sklearn.datasets.load_digits` has them. Each appears several times, each time under another
noise; all copies of one image are in one split.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from kb.models.errors import ModelError
from kb.models.interface import Array
from kb.models.trained.exact import bell
from kb.models.trained.interface import Labels, Split

SEED = 10
EDGE = 8  #: pixels
CLASSES = 10
LEVELS = 16  #: brightest pixel

#: Images per class and split, and noisy copies of each: 3,600 test samples, as many of each class (the rarest has 174
#: images). The copies of one image are no independent samples: n is 3,600, but what is seen lies nearer to 900.
IMAGES = {Split.TRAIN: 84, Split.TEST: 90}
COPIES = {Split.TRAIN: 12, Split.TEST: 4}

#: Mean and deviation of the pixels, from 0 to 1.
MEAN, DEVIATION = 0.3, 0.375

#: Standard deviation of the noise, where the images have 1: hard enough that small networks get 8 to 20 % wrong.
NOISE = 1.0


@cache
def digits(split: Split) -> tuple[Array, Labels]:
    """Images (samples, 1, 8, 8) float32 and labels (samples,), not writable.

    Raises:
        ModelError: scikit-learn is not installed.
    """
    chosen, labels = chosen_images(split)
    images = np.repeat(chosen, COPIES[split], axis=0)
    random = np.random.default_rng([SEED, list(Split).index(split)])
    noisy = (images - MEAN) / DEVIATION + NOISE * bell(random, images.shape)
    samples, repeated = noisy[:, None].astype(np.float32), np.repeat(labels, COPIES[split])
    samples.setflags(write=False)
    repeated.setflags(write=False)
    return samples, repeated


def chosen_images(split: Split) -> tuple[NDArray[np.float64], Labels]:
    """The clean images of a split, (images, 8, 8) from 0 to 1, and their labels."""
    images, labels = _all_images()
    random = np.random.default_rng(SEED)
    rows: list[NDArray[np.int64]] = []
    for label in range(CLASSES):
        shuffled = random.permutation(np.flatnonzero(labels == label))
        start = 0 if split is Split.TRAIN else IMAGES[Split.TRAIN]
        rows.append(shuffled[start : start + IMAGES[split]])
    order = np.concatenate(rows)
    return images[order], labels[order]


def _all_images() -> tuple[NDArray[np.float64], Labels]:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ModelError(
            f"the digits come with scikit-learn, which cannot be imported ({error}): pip install 'framework-kb[data]'"
        ) from error
    found = load_digits()
    return found.images / LEVELS, found.target.astype(np.int64)
