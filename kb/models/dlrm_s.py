"""dlrm_s: a recommendation model, where most of the weights are tables and most of the time is looking up.

Source: Naumov et al. 2019 (DLRM, arXiv:1906.00091), section 2, in a size of kb's own: 8 tables of 20,000 rows, bags of
4 ids added up, dot products of all pairs. Parameters: 2,569,009.
Inputs: `dense` (batch, 13) float32 and `ids` (batch, 8, 4) int64, the ids of each bag. Output: one logit, (batch, 1).
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from typing import TYPE_CHECKING

import numpy as np

from kb.models.centring import centring_bias
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.weights import RELU_GAIN, WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 13
DENSE = 13  #: numbers per sample, as in the Criteo data that DLRM was made for
BAGS = 8
IDS = 4  #: per bag
ROWS = 20_000  #: of each table
WIDTH = 16  #: of what is looked up
BOTTOM = (64, 32, WIDTH)
TOP = (64, 32)

#: Pairs of the nine vectors (the bags, and the dense numbers) whose dot products are taken: each pair once.
PAIRS = tuple((first, second) for first in range(BAGS + 1) for second in range(first))

#: Of the tables: a bag of four then has variance 1/4, and a dot product of sixteen about 1.
EMBEDDING_GAIN = 0.25

#: Of the last layer, so that the logits of different samples differ by about 1.
CLASSIFIER_GAIN = 2.0


class DlrmS(PairedModel):
    """Dense layers for numbers, bags for ids, their dot products, and dense layers over those."""

    name = "dlrm_s"

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`dense` (batch, 13), standard normal; `ids` (batch, 8, 4), uniform."""
        random = np.random.default_rng(seed)
        dense = random.standard_normal((batch, DENSE), dtype=np.float32)
        return {"dense": dense, "ids": random.integers(0, ROWS, (batch, BAGS, IDS), dtype=np.int64)}

    def weights(self) -> Weights:
        draw = WeightDraw(SEED)
        for index, (inputs, outputs) in enumerate(zip((DENSE, *BOTTOM), BOTTOM, strict=False)):
            draw.linear(f"bottom.{index}", inputs, outputs, RELU_GAIN)
        for index in range(BAGS):
            draw.scaled(f"bags.{index}.weight", (ROWS, WIDTH), EMBEDDING_GAIN)
        interactions = WIDTH + len(PAIRS)
        for index, (inputs, outputs) in enumerate(zip((interactions, *TOP), TOP, strict=False)):
            draw.linear(f"top.{index}", inputs, outputs, RELU_GAIN)
        draw.classifier("classifier", TOP[-1], CLASSIFIER_GAIN, centring_bias(self.name, 1))
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        import torch
        from torch import Tensor, nn
        from torch.nn.functional import relu

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.bottom = nn.ModuleList(nn.Linear(*pair) for pair in zip((DENSE, *BOTTOM), BOTTOM, strict=False))
                self.bags = nn.ModuleList(nn.EmbeddingBag(ROWS, WIDTH, mode="sum") for _ in range(BAGS))
                widths = (WIDTH + len(PAIRS), *TOP)
                self.top = nn.ModuleList(nn.Linear(*pair) for pair in zip(widths, TOP, strict=False))
                self.classifier = nn.Linear(TOP[-1], 1)
                first, second = zip(*PAIRS, strict=True)
                self.register_buffer("first", torch.tensor(first), persistent=False)
                self.register_buffer("second", torch.tensor(second), persistent=False)

            def forward(self, dense: Tensor, ids: Tensor) -> Tensor:
                for layer in self.bottom:
                    dense = relu(layer(dense))
                looked_up = [bag(ids[:, index]) for index, bag in enumerate(self.bags)]
                vectors = torch.stack([dense, *looked_up], dim=1)
                products = torch.bmm(vectors, vectors.transpose(1, 2))
                x = torch.cat([dense, products[:, self.first, self.second]], dim=1)
                for layer in self.top:
                    x = relu(layer(x))
                return self.classifier(x)

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers, ops

        dense = keras.Input((DENSE,), name="dense")
        ids = keras.Input((BAGS, IDS), dtype="int64", name="ids")
        x = dense
        for index, width in enumerate(BOTTOM):
            x = layers.Dense(width, activation="relu", name=f"bottom.{index}")(x)
        # Keras has no bag: what is looked up is added up.
        bags = [ops.sum(layers.Embedding(ROWS, WIDTH, name=f"bags.{i}")(ids[:, i]), axis=1) for i in range(BAGS)]
        vectors = ops.stack([x, *bags], axis=1)
        products = ops.matmul(vectors, ops.transpose(vectors, (0, 2, 1)))
        flat = layers.Reshape(((BAGS + 1) ** 2,))(products)
        chosen = ops.take(flat, [first * (BAGS + 1) + second for first, second in PAIRS], axis=1)
        x = layers.Concatenate()([x, chosen])
        for index, width in enumerate(TOP):
            x = layers.Dense(width, activation="relu", name=f"top.{index}")(x)
        logit = layers.Dense(1, name="classifier")(x)
        return keras.Model({"dense": dense, "ids": ids}, logit, name=self.name)
