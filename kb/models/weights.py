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


#: Largest of the whole numbers that stand for weights where their sum has to be exact.
WHOLE = 2**20


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

    def classifier(self, name: str, inputs: int, gain: float, bias: Sequence[float] | Float32) -> None:
        """`torch.nn.Linear` with a given bias: weight (classes, inputs), bias (classes)."""
        self.scaled(f"{name}.weight", (len(bias), inputs), gain / math.sqrt(inputs))
        self.arrays[f"{name}.bias"] = np.array(bias, np.float32)

    def conv2d(self, name: str, inputs: int, outputs: int, kernel: int) -> None:
        """`torch.nn.Conv2d` without bias, followed by a ReLU: weight (outputs, inputs, kernel, kernel)."""
        self.scaled(f"{name}.weight", (outputs, inputs, kernel, kernel), RELU_GAIN / math.sqrt(inputs * kernel**2))

    def zero_sum_conv2d(self, name: str, inputs: int, outputs: int, kernel: int, gain: float = RELU_GAIN) -> None:
        """The same with filters that sum to zero: weight (outputs, inputs, kernel, kernel).

        What all inputs have in common is a mean that ReLUs add to in every layer; after fifty of them the features of
        two images hardly differ. Such filters do not let it through. Whole numbers are drawn, so that the sums are
        exact and the bits the same everywhere.
        """
        terms = inputs * kernel**2
        drawn = self._random.integers(-WHOLE, WHOLE, (outputs, terms), dtype=np.int64, endpoint=True)
        centred = drawn * terms - drawn.sum(axis=1, keepdims=True)
        scale = math.sqrt(3) * gain / math.sqrt(terms) / (WHOLE * terms)
        self.arrays[f"{name}.weight"] = (centred * scale).astype(np.float32).reshape(outputs, inputs, kernel, kernel)

    def depthwise_conv2d(self, name: str, channels: int, kernel: int) -> None:
        """`torch.nn.Conv2d` with as many groups as channels, without bias: weight (channels, 1, kernel, kernel)."""
        self.scaled(f"{name}.weight", (channels, 1, kernel, kernel), RELU_GAIN / kernel)

    def biased_conv2d(self, name: str, inputs: int, outputs: int, kernel: int, gain: float = 1.0) -> None:
        """`torch.nn.Conv2d` with a bias: weight (outputs, inputs, kernel, kernel), bias (outputs)."""
        deviation = gain / math.sqrt(inputs * kernel**2)
        self.scaled(f"{name}.weight", (outputs, inputs, kernel, kernel), deviation)
        self.scaled(f"{name}.bias", (outputs,), deviation)

    def batch_norm(
        self,
        name: str,
        channels: int,
        scale: tuple[float, float] = SCALE_RANGE,
        shift: tuple[float, float] = SHIFT_RANGE,
    ) -> None:
        """`torch.nn.BatchNorm2d` in eval mode: weight, bias, running_mean, running_var, each (channels).

        Args:
            scale: range of the weight; a small one keeps a branch of a deep residual network from growing the sum.
            shift: range of bias and mean; what all inputs have in common grows with it.
        """
        self.uniform(f"{name}.weight", (channels,), *scale)
        self.uniform(f"{name}.bias", (channels,), *shift)
        self.uniform(f"{name}.running_mean", (channels,), *shift)
        self.uniform(f"{name}.running_var", (channels,), *VARIANCE_RANGE)

    def layer_norm(self, name: str, channels: int) -> None:
        """`torch.nn.LayerNorm`: weight, bias, each (channels)."""
        self.uniform(f"{name}.weight", (channels,), *SCALE_RANGE)
        self.uniform(f"{name}.bias", (channels,), *SHIFT_RANGE)

    def lstm(self, name: str, inputs: int, units: int, layers: int) -> None:
        """`torch.nn.LSTM`, bidirectional: per layer and direction weight_ih (4 units, inputs), weight_hh (4 units,
        units), bias_ih and bias_hh (4 units), the gates in the order i, f, g, o.
        """
        for layer in range(layers):
            width = inputs if layer == 0 else 2 * units
            for suffix in (f"l{layer}", f"l{layer}_reverse"):
                self.scaled(f"{name}.weight_ih_{suffix}", (4 * units, width), 1 / math.sqrt(width))
                self.scaled(f"{name}.weight_hh_{suffix}", (4 * units, units), 1 / math.sqrt(units))
                self.uniform(f"{name}.bias_ih_{suffix}", (4 * units,), *SHIFT_RANGE)
                self.uniform(f"{name}.bias_hh_{suffix}", (4 * units,), *SHIFT_RANGE)

    def embedding(self, name: str, rows: int, columns: int) -> None:
        """`torch.nn.Embedding`: weight (rows, columns) with unit variance."""
        self.scaled(f"{name}.weight", (rows, columns), 1.0)
