"""The items that the practice of data loading loads, in NumPy alone: a cheap kind, and one that costs milliseconds.

Worker processes that begin afresh import this module to unpickle the items, so nothing heavy is imported here. The
classes need no base from torch: `DataLoader` asks for a length and an item.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]  #: (height, width, channels), between 0 and 1

SEED = 24
#: From a byte to [0, 1]. A product, not a quotient, so that every framework rounds it alike.
SCALE = np.float32(1 / 255)
#: The augmentation shifts an image by at most this many pixels.
SHIFT = 8
#: Pixels on either side that the blur takes in.
REACH = 8


@dataclass(frozen=True)
class Sizes:
    """Numbers of one kind of items."""

    count: int
    edge: int  #: of an image, pixels
    batch: int


#: An epoch of both kinds takes seconds, and is long enough that the middle of it is most of it with four workers.
CHEAP = Sizes(count=8192, edge=32, batch=64)
COSTLY = Sizes(count=768, edge=160, batch=16)


class CheapItems:
    """Rows of an array of bytes, scaled: what remains to be measured is the overhead per item."""

    def __init__(self, sizes: Sizes = CHEAP) -> None:
        self.sizes = sizes
        self.images = _images(sizes)

    def __len__(self) -> int:
        return self.sizes.count

    def __getitem__(self, index: int) -> tuple[Image, np.int64]:
        """An image, and its number in the place of a label."""
        return self.images[index].astype(np.float32) * SCALE, np.int64(index)


class CostlyItems:
    """The same with an augmentation."""

    def __init__(self, sizes: Sizes = COSTLY) -> None:
        self.sizes = sizes
        self.images = _images(sizes)

    def __len__(self) -> int:
        return self.sizes.count

    def __getitem__(self, index: int) -> tuple[Image, np.int64]:
        """An augmented image, and its number in the place of a label."""
        return augment(self.images[index], int(index)), np.int64(index)


Items = CheapItems | CostlyItems


@dataclass(frozen=True)
class Draw:
    """What the augmentation does to one image. From its number, not from a generator: all frameworks must agree."""

    down: Any  #: pixels of the crop's corner, from 0 to twice `SHIFT`
    right: Any
    flip: Any
    width: Any  #: standard deviation of the blur, pixels
    contrast: Any
    gamma: Any

    @classmethod
    def of(cls, number: Any) -> "Draw":
        """Of an int, or of an integer tensor: then every field is one. Fractions are in double precision."""
        steps = 2 * SHIFT + 1
        return cls(
            down=number * 7 % steps,
            right=number * 11 % steps,
            flip=number % 2 == 1,
            width=1.0 + number % 5 / 4,
            contrast=0.75 + number % 3 / 4,
            gamma=0.8 + number % 7 / 15,
        )


def augment(image: NDArray[np.uint8], index: int) -> Image:
    """Shift, flip, blur, change of contrast and of gamma; the shape stays."""
    draw, (height, width, _) = Draw.of(index), image.shape
    x = np.pad(image.astype(np.float32) * SCALE, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
    x = x[draw.down : draw.down + height, draw.right : draw.right + width]
    if draw.flip:
        x = x[:, ::-1]
    x = _blur(x, taps(draw.width))
    mean = x.mean(dtype=np.float32)
    x = np.clip((x - mean) * np.float32(draw.contrast) + mean, 0, 1)
    return np.asarray(x ** np.float32(draw.gamma), np.float32)


def taps(width: float) -> NDArray[np.float32]:
    """Weights of a Gaussian of that standard deviation over ``2 * REACH + 1`` pixels; their sum is 1."""
    weights = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / width) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


def _blur(x: Image, weights: NDArray[np.float32]) -> Image:
    """Down the columns, then along the rows."""
    height, width, _ = x.shape
    tall = np.pad(x, ((REACH, REACH), (0, 0), (0, 0)), mode="reflect")
    down = np.zeros_like(x)
    for k, weight in enumerate(weights):
        down += weight * tall[k : k + height]
    wide: Image = np.pad(down, ((0, 0), (REACH, REACH), (0, 0)), mode="reflect")
    along = np.zeros_like(x)
    for k, weight in enumerate(weights):
        along += weight * wide[:, k : k + width]
    return along


def _images(sizes: Sizes) -> NDArray[np.uint8]:
    shape = (sizes.count, sizes.edge, sizes.edge, 3)
    return np.random.default_rng(SEED).integers(0, 256, shape, dtype=np.uint8)
