"""Seeded images for networks that were never trained on any: random, but with the spectrum of natural ones."""

import math

import numpy as np
from numpy.typing import NDArray

#: Each scale is this much finer than the one before it.
STEP = 4


def patches(size: int) -> tuple[int, ...]:
    """Edges of the patches that make an image, in pixels: the whole image, then finer and finer, at last one pixel.

    As much variance at each scale is the spectrum of natural images (Field 1987, doi:10.1364/JOSAA.4.002379). Of plain
    noise, all pooled features of a network would be alike.
    """
    edges, edge = [], size
    while edge > 1:
        edges.append(edge)
        edge = edge // STEP if edge % STEP == 0 else 1
    return (*edges, 1)


def patchy_images(batch: int, channels: int, size: int, seed: int) -> NDArray[np.float32]:
    """(batch, channels, size, size) with mean 0 and variance 1: random patches of several sizes, summed."""
    random = np.random.default_rng(seed)
    image = np.zeros((batch, channels, size, size), np.float32)
    edges = patches(size)
    for edge in edges:
        coarse = random.standard_normal((batch, channels, size // edge, size // edge), dtype=np.float32)
        image += coarse.repeat(edge, axis=2).repeat(edge, axis=3)
    return image / np.float32(math.sqrt(len(edges)))
