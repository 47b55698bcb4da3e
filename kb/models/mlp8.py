"""mlp8: eight dense layers of 64 units, so small that what is measured is the overhead of a call.

Source: the multilayer perceptron as such (Rumelhart, Hinton & Williams 1986) with ReLU; the sizes are kb's own.
Parameters: 33,930 (8 x (64 x 64 + 64), and 64 x 10 + 10 of the classifier).
Input: `features` (batch, 64) float32. Output: logits (batch, 10).
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.weights import RELU_GAIN, WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 8

#: Of the last layer, so that the logits of different samples differ by about 1 and their order means something.
CLASSIFIER_GAIN = 2.0

#: Minus the mean logits over 1,024 samples without it, measured once: else one class would win always.
CLASSIFIER_BIAS = (-3.377, 1.694, 4.841, 0.694, -1.876, -4.826, -0.478, -3.584, -2.956, 1.533)


@dataclass(frozen=True)
class Sizes:
    """Numbers of one multilayer perceptron."""

    features: int = 64
    width: int = 64  #: of each hidden layer
    depth: int = 8  #: hidden layers
    classes: int = 10

    @property
    def hidden(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of each hidden layer, in order."""
        widths = (self.features, *(self.width,) * self.depth)
        return tuple(pairwise(widths))


class Mlp8(PairedModel):
    """Eight dense layers with ReLU and a classifier."""

    name = "mlp8"
    sizes = Sizes()

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`features` (batch, features), standard normal."""
        random = np.random.default_rng(seed)
        return {"features": random.standard_normal((batch, self.sizes.features), dtype=np.float32)}

    def weights(self) -> Weights:
        draw = WeightDraw(SEED)
        for index, (inputs, outputs) in enumerate(self.sizes.hidden):
            draw.linear(f"hidden.{index}", inputs, outputs, RELU_GAIN)
        draw.classifier("classifier", self.sizes.width, CLASSIFIER_GAIN, CLASSIFIER_BIAS)
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        from torch import Tensor, nn

        sizes = self.sizes

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.hidden = nn.ModuleList(nn.Linear(*widths) for widths in sizes.hidden)
                self.classifier = nn.Linear(sizes.width, sizes.classes)

            def forward(self, features: Tensor) -> Tensor:
                x = features
                for layer in self.hidden:
                    x = nn.functional.relu(layer(x))
                return self.classifier(x)

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras

        sizes = self.sizes
        features = keras.Input((sizes.features,), name="features")
        x = features
        for index in range(sizes.depth):
            x = keras.layers.Dense(sizes.width, activation="relu", name=f"hidden.{index}")(x)
        logits = keras.layers.Dense(sizes.classes, name="classifier")(x)
        return keras.Model({"features": features}, logits, name=self.name)
