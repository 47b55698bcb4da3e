"""mlp8: eight dense layers of 64 units, so small that what is measured is the overhead of a call.

Source: the multilayer perceptron as such (Rumelhart, Hinton & Williams 1986) with ReLU; the sizes are kb's own.
Parameters: 33,930 (8 x (64 x 64 + 64), and 64 x 10 + 10 of the classifier).
Input: `features` (batch, 64) float32. Output: logits (batch, 10).
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from typing import TYPE_CHECKING

import numpy as np

from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.weights import RELU_GAIN, WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 8
DEPTH = 8
WIDTH = 64
CLASSES = 10

#: Of the last layer, so that the logits of different samples differ by about 1 and their order means something.
CLASSIFIER_GAIN = 2.0

#: Minus the mean logits over 1,024 samples without it, measured once: else one class would win always.
CLASSIFIER_BIAS = (-3.377, 1.694, 4.841, 0.694, -1.876, -4.826, -0.478, -3.584, -2.956, 1.533)


class Mlp8(PairedModel):
    """Eight dense layers with ReLU and a classifier."""

    name = "mlp8"

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`features` (batch, 64), standard normal."""
        random = np.random.default_rng(seed)
        return {"features": random.standard_normal((batch, WIDTH), dtype=np.float32)}

    def weights(self) -> Weights:
        draw = WeightDraw(SEED)
        for index in range(DEPTH):
            draw.linear(f"hidden.{index}", WIDTH, WIDTH, RELU_GAIN)
        draw.classifier("classifier", WIDTH, CLASSIFIER_GAIN, CLASSIFIER_BIAS)
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        from torch import Tensor, nn

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.hidden = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH))
                self.classifier = nn.Linear(WIDTH, CLASSES)

            def forward(self, features: Tensor) -> Tensor:
                x = features
                for layer in self.hidden:
                    x = nn.functional.relu(layer(x))
                return self.classifier(x)

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras

        features = keras.Input((WIDTH,), name="features")
        x = features
        for index in range(DEPTH):
            x = keras.layers.Dense(WIDTH, activation="relu", name=f"hidden.{index}")(x)
        return keras.Model({"features": features}, keras.layers.Dense(CLASSES, name="classifier")(x), name=self.name)
