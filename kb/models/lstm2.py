"""lstm2: a recurrent network, where each step waits for the one before it.

Source: the LSTM of Hochreiter & Schmidhuber 1997 with forget gates (Gers et al. 2000), two layers in both directions
(Graves & Schmidhuber 2005); the sizes are kb's own. Parameters: 596,490 in torch, which has two biases per gate, and
594,442 in Keras, which has their sum.
Input: `features` (batch, length, 64) float32, any length. Output: logits (batch, 10) of the last states of both
directions of the second layer.
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kb.models.centring import centring_bias
from kb.models.errors import ModelError
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.weights import WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 97
LAYERS = 2

#: Of the last layer, so that the logits of different sequences differ by about 1: states of a random LSTM are small.
CLASSIFIER_GAIN = 6.0


@dataclass(frozen=True)
class Sizes:
    """Numbers of one recurrent network."""

    features: int = 64  #: per step
    units: int = 128  #: per direction
    classes: int = 10


class Lstm2(PairedModel):
    """Two bidirectional LSTM layers and a classifier on their last states."""

    name = "lstm2"
    sizes = Sizes()

    def __init__(self, length: int = 64) -> None:
        """
        Args:
            length: steps per sample that `inputs` makes. The networks take any.
        """
        if length < 1:
            raise ModelError(f"lstm2 takes sequences of at least one step, not of {length}")
        self.length = length

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`features` (batch, length, features), standard normal."""
        random = np.random.default_rng(seed)
        return {"features": random.standard_normal((batch, self.length, self.sizes.features), dtype=np.float32)}

    def weights(self) -> Weights:
        draw, sizes = WeightDraw(SEED), self.sizes
        draw.lstm("lstm", sizes.features, sizes.units, LAYERS)
        bias = centring_bias(self.name, sizes.classes)
        draw.classifier("classifier", 2 * sizes.units, CLASSIFIER_GAIN, bias)
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        import torch
        from torch import Tensor, nn

        sizes = self.sizes

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.lstm = nn.LSTM(sizes.features, sizes.units, LAYERS, batch_first=True, bidirectional=True)
                self.classifier = nn.Linear(2 * sizes.units, sizes.classes)

            def forward(self, features: Tensor) -> Tensor:
                _, (states, _) = self.lstm(features)
                return self.classifier(torch.cat([states[-2], states[-1]], dim=1))

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers

        sizes = self.sizes
        features = keras.Input((None, sizes.features), name="features")
        x = features
        for layer in range(LAYERS):
            cell = layers.LSTM(sizes.units, return_sequences=layer < LAYERS - 1)
            x = layers.Bidirectional(cell, name=f"lstm.l{layer}")(x)
        return keras.Model({"features": features}, layers.Dense(sizes.classes, name="classifier")(x), name=self.name)
