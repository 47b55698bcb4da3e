"""Random images with the spectrum of natural ones."""

import numpy as np
import pytest

from kb.models.images import patches, patchy_images


@pytest.mark.parametrize(
    ("size", "edges"),
    [(64, (64, 16, 4, 1)), (96, (96, 24, 6, 1)), (224, (224, 56, 14, 1)), (8, (8, 2, 1)), (1, (1,))],
)
def test_patches_are_finer_and_finer_and_divide_the_image(size: int, edges: tuple[int, ...]) -> None:
    assert patches(size) == edges
    assert all(size % edge == 0 for edge in edges)


def test_an_image_has_mean_0_and_variance_1() -> None:
    images = patchy_images(400, 3, 32, 0)
    assert images.shape == (400, 3, 32, 32)
    assert images.dtype == np.float32
    assert abs(images.mean()) < 0.05
    assert images.std() == pytest.approx(1.0, abs=0.05)


def test_near_pixels_are_alike_and_far_ones_less() -> None:
    images = patchy_images(400, 1, 64, 0)[:, 0]
    near = np.mean(images[:, 0, 0] * images[:, 0, 1])
    far = np.mean(images[:, 0, 0] * images[:, 63, 63])
    assert near > 2 * far > 0.3


def test_the_seed_decides() -> None:
    np.testing.assert_array_equal(patchy_images(2, 1, 16, 5), patchy_images(2, 1, 16, 5))
    assert not np.array_equal(patchy_images(2, 1, 16, 5), patchy_images(2, 1, 16, 6))
