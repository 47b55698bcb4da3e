"""One weight set per model, drawn with NumPy from a seed, in torch's names and layout, the same bits everywhere."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

#: Keeps the variance through a ReLU (He et al. 2015, "Delving Deep into Rectifiers", eq. 10).
RELU_GAIN = math.sqrt(2)

#: Ranges of what BatchNorm and LayerNorm hold. Fresh ones are the identity, and a converter that folds or drops them
#: wrongly would go unseen: so each is drawn, and far enough from mean 0 and variance 1 to show in the output.
SCALE_RANGE = (0.5, 1.5)
SHIFT_RANGE = (-0.5, 0.5)
VARIANCE_RANGE = (0.5, 2.0)


class WeightDraw:
    """Draws one weight set array by array; the order of the calls is part of the set.

    Only uniform numbers are drawn: they come from integer arithmetic and one IEEE product, so the bits, and with them
    the hash, are the same on every platform (normal ones depend on the platform's logarithm).
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.arrays: dict[str, Float32] = {}

    def uniform(self, name: str, shape: tuple[int, ...], low: float, high: float) -> None:
        """Float32 of `shape` in [low, high)."""
        self.arrays[name] = self._random.random(shape, dtype=np.float32) * np.float32(high - low) + np.float32(low)

    def scaled(self, name: str, shape: tuple[int, ...], deviation: float) -> None:
        """Float32 of `shape` with mean 0 and the given standard deviation (a uniform one ends at sqrt(3) of it)."""
        bound = math.sqrt(3) * deviation
        self.uniform(name, shape, -bound, bound)

    def linear(self, name: str, inputs: int, outputs: int, gain: float = 1.0) -> None:
        """`torch.nn.Linear`: weight (outputs, inputs), bias (outputs)."""
        self.scaled(f"{name}.weight", (outputs, inputs), gain / math.sqrt(inputs))
        self.scaled(f"{name}.bias", (outputs,), gain / math.sqrt(inputs))

    def classifier(self, name: str, inputs: int, gain: float, bias: Sequence[float]) -> None:
        """`torch.nn.Linear` with a given bias: weight (classes, inputs), bias (classes)."""
        self.scaled(f"{name}.weight", (len(bias), inputs), gain / math.sqrt(inputs))
        self.arrays[f"{name}.bias"] = np.array(bias, np.float32)

    def conv2d(self, name: str, inputs: int, outputs: int, kernel: int) -> None:
        """`torch.nn.Conv2d` without bias, followed by a ReLU: weight (outputs, inputs, kernel, kernel)."""
        self.scaled(f"{name}.weight", (outputs, inputs, kernel, kernel), RELU_GAIN / math.sqrt(inputs * kernel**2))

    def batch_norm(self, name: str, channels: int) -> None:
        """`torch.nn.BatchNorm2d` in eval mode: weight, bias, running_mean, running_var, each (channels)."""
        self.layer_norm(name, channels)
        self.uniform(f"{name}.running_mean", (channels,), *SHIFT_RANGE)
        self.uniform(f"{name}.running_var", (channels,), *VARIANCE_RANGE)

    def layer_norm(self, name: str, channels: int) -> None:
        """`torch.nn.LayerNorm`: weight, bias, each (channels)."""
        self.uniform(f"{name}.weight", (channels,), *SCALE_RANGE)
        self.uniform(f"{name}.bias", (channels,), *SHIFT_RANGE)

    def embedding(self, name: str, rows: int, columns: int) -> None:
        """`torch.nn.Embedding`: weight (rows, columns) with unit variance."""
        self.scaled(f"{name}.weight", (rows, columns), 1.0)
