"""pointnet: a network over a set of points, whose number is free and whose order does not matter.

Source: Qi et al. 2017 (arXiv:1612.00593), the classification network of figure 2 without the two alignment networks
("vanilla" in table 5). Parameters: 819,624 (BatchNorm's running statistics not counted).
Input: `points` (batch, 3, number) float32 in torch, (batch, number, 3) in Keras; 1024 points unless asked for another
number. Output: logits (batch, 40), as for ModelNet40.
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kb.models.centring import centring_bias
from kb.models.errors import ModelError
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.weights import RELU_GAIN, WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 3
EPSILON = 1e-5  #: of BatchNorm on both sides; Keras has 1e-3 by default

#: Of the last layer, so that the logits of different clouds differ by about 1.
CLASSIFIER_GAIN = 0.2


@dataclass(frozen=True)
class Sizes:
    """Numbers of one PointNet."""

    shared: tuple[int, ...] = (64, 64, 64, 128, 1024)  #: widths of the layers that see one point at a time
    dense: tuple[int, ...] = (512, 256)  #: and of those over the whole cloud
    classes: int = 40


class PointNet(PairedModel):
    """Dense layers shared by all points, the maximum over the points, and dense layers over that."""

    name = "pointnet"
    sizes = Sizes()

    def __init__(self, number: int = 1024) -> None:
        """
        Args:
            number: points per cloud that `inputs` makes. The networks take any.
        """
        if number < 1:
            raise ModelError(f"pointnet takes clouds of at least one point, not of {number}")
        self.number = number

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`points` (batch, 3, number): ellipsoids with axes of random lengths."""
        random = np.random.default_rng(seed)
        points = random.standard_normal((batch, 3, self.number), dtype=np.float32)
        axes = np.exp(random.standard_normal((batch, 3, 1), dtype=np.float32))
        return {"points": points * axes}

    def keras_inputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """`points` (batch, number, 3)."""
        return {"points": np.ascontiguousarray(inputs["points"].transpose(0, 2, 1))}

    def weights(self) -> Weights:
        draw, sizes = WeightDraw(SEED), self.sizes
        for index, (inputs, outputs) in enumerate(zip((3, *sizes.shared), sizes.shared, strict=False)):
            draw.linear(f"shared.{index}", inputs, outputs, RELU_GAIN)
            draw.arrays[f"shared.{index}.weight"] = draw.arrays[f"shared.{index}.weight"][:, :, None]
            draw.batch_norm(f"shared_norms.{index}", outputs)
        for index, (inputs, outputs) in enumerate(zip((sizes.shared[-1], *sizes.dense), sizes.dense, strict=False)):
            draw.linear(f"dense.{index}", inputs, outputs, RELU_GAIN)
            draw.batch_norm(f"dense_norms.{index}", outputs)
        draw.classifier("classifier", sizes.dense[-1], CLASSIFIER_GAIN, centring_bias(self.name, sizes.classes))
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        from torch import Tensor, nn
        from torch.nn.functional import relu

        sizes = self.sizes

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                shared = zip((3, *sizes.shared), sizes.shared, strict=False)
                dense = zip((sizes.shared[-1], *sizes.dense), sizes.dense, strict=False)
                self.shared = nn.ModuleList(nn.Conv1d(*widths, 1) for widths in shared)
                self.shared_norms = nn.ModuleList(nn.BatchNorm1d(width, eps=EPSILON) for width in sizes.shared)
                self.dense = nn.ModuleList(nn.Linear(*widths) for widths in dense)
                self.dense_norms = nn.ModuleList(nn.BatchNorm1d(width, eps=EPSILON) for width in sizes.dense)
                self.classifier = nn.Linear(sizes.dense[-1], sizes.classes)

            def forward(self, points: Tensor) -> Tensor:
                x = points
                for layer, norm in zip(self.shared, self.shared_norms, strict=True):
                    x = relu(norm(layer(x)))
                x = x.amax(dim=2)
                for layer, norm in zip(self.dense, self.dense_norms, strict=True):
                    x = relu(norm(layer(x)))
                return self.classifier(x)

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers

        def norm(x: "keras.KerasTensor", name: str) -> "keras.KerasTensor":
            return layers.ReLU()(layers.BatchNormalization(epsilon=EPSILON, name=name)(x))

        sizes = self.sizes
        points = keras.Input((None, 3), name="points")
        x = points
        for index, width in enumerate(sizes.shared):
            x = norm(layers.Conv1D(width, 1, name=f"shared.{index}")(x), f"shared_norms.{index}")
        x = layers.GlobalMaxPooling1D()(x)
        for index, width in enumerate(sizes.dense):
            x = norm(layers.Dense(width, name=f"dense.{index}")(x), f"dense_norms.{index}")
        logits = layers.Dense(sizes.classes, name="classifier")(x)
        return keras.Model({"points": points}, logits, name=self.name)
