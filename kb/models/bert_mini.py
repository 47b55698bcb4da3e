"""bert_mini: BERT as it was published, in its second smallest size, with three integer inputs.

Source: Devlin et al. 2018 (arXiv:1810.04805) in the size "mini" of Turc et al. 2019 (arXiv:1908.08962): 4 layers of
width 256 with 4 heads, the uncased vocabulary, embeddings of token, position and sentence, LayerNorm's epsilon 1e-12, a
pooler and a classifier. Parameters: 11,173,130.
Inputs: `token_ids`, `mask` (1 for a token, 0 for padding) and `token_types` (0 in the first sentence, 1 in the second),
all (batch, length) int64, length up to 512. Output: logits (batch, 10).
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
from kb.models.texts import VOCABULARY, random_texts
from kb.models.transformer import Block, draw_block, keras_block, keras_first_rows, torch_block
from kb.models.weights import WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 11
EPSILON = 1e-12  #: of LayerNorm on both sides, BERT's own; in half precision it is zero

#: Of the last layer, so that the logits of different texts differ by about 1.
CLASSIFIER_GAIN = 3.0


@dataclass(frozen=True)
class Sizes:
    """Numbers of one BERT."""

    vocabulary: int = VOCABULARY
    positions: int = 512  #: the longest sequence
    sentences: int = 2
    width: int = 256
    heads: int = 4
    layers: int = 4
    classes: int = 10

    @property
    def block(self) -> Block:
        return Block(self.width, self.heads, 4 * self.width, EPSILON)


class BertMini(PairedModel):
    """Embeddings of three kinds, four layers with norms behind each part, a pooler and a classifier."""

    name = "bert_mini"
    sizes = Sizes()

    def __init__(self, length: int = 64) -> None:
        """
        Args:
            length: tokens per sample that `inputs` makes, padding included. The networks take any up to 512.
        """
        if not 2 <= length <= self.sizes.positions:
            raise ModelError(f"{self.name} takes sequences of 2 to {self.sizes.positions} tokens, not {length}")
        self.length = length

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """Two sentences a row: `token_ids`, `mask` and `token_types`, each (batch, length); the rest is padding."""
        token_ids, mask = random_texts(batch, self.length, seed, self.sizes.vocabulary)
        lengths = mask.sum(axis=1, keepdims=True)
        places = np.arange(self.length)
        second = (places >= lengths // 2) & (places < lengths)
        return {"token_ids": token_ids, "mask": mask, "token_types": second.astype(np.int64)}

    def weights(self) -> Weights:
        draw, sizes = WeightDraw(SEED), self.sizes
        draw.embedding("token", sizes.vocabulary, sizes.width)
        draw.embedding("position", sizes.positions, sizes.width)
        draw.embedding("sentence", sizes.sentences, sizes.width)
        draw.layer_norm("norm", sizes.width)
        for index in range(sizes.layers):
            draw_block(draw, f"layers.{index}", sizes.block)
        draw.linear("pooler", sizes.width, sizes.width)
        draw.classifier("classifier", sizes.width, CLASSIFIER_GAIN, centring_bias(self.name, sizes.classes))
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        import torch
        from torch import Tensor, nn

        sizes = self.sizes

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.token = nn.Embedding(sizes.vocabulary, sizes.width)
                self.position = nn.Embedding(sizes.positions, sizes.width)
                self.sentence = nn.Embedding(sizes.sentences, sizes.width)
                self.norm = nn.LayerNorm(sizes.width, eps=EPSILON)
                self.layers = nn.ModuleList(torch_block(sizes.block, pre_norm=False) for _ in range(sizes.layers))
                self.pooler = nn.Linear(sizes.width, sizes.width)
                self.classifier = nn.Linear(sizes.width, sizes.classes)

            def forward(self, token_ids: Tensor, mask: Tensor, token_types: Tensor) -> Tensor:
                positions = self.position.weight[: token_ids.shape[1]]
                x = self.norm(self.token(token_ids) + positions + self.sentence(token_types))
                seen = (mask != 0)[:, None, None, :]  # (batch, heads, query, key): every query sees the same keys
                for layer in self.layers:
                    x = layer(x, seen)
                return self.classifier(torch.tanh(self.pooler(x[:, 0])))

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers

        sizes = self.sizes
        token_ids = keras.Input((None,), dtype="int64", name="token_ids")
        mask = keras.Input((None,), dtype="int64", name="mask")
        token_types = keras.Input((None,), dtype="int64", name="token_types")
        tokens = layers.Embedding(sizes.vocabulary, sizes.width, name="token")(token_ids)
        positions = keras_first_rows(sizes.positions, sizes.width, "position")(token_ids)
        sentences = layers.Embedding(sizes.sentences, sizes.width, name="sentence")(token_types)
        x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(tokens + positions + sentences)
        seen = (mask != 0)[:, None, :]  # (batch, query, key)
        for index in range(sizes.layers):
            x = keras_block(x, f"layers.{index}", sizes.block, pre_norm=False, seen=seen)
        pooled = layers.Dense(sizes.width, activation="tanh", name="pooler")(x[:, 0])
        logits = layers.Dense(sizes.classes, name="classifier")(pooled)
        inputs = {"token_ids": token_ids, "mask": mask, "token_types": token_types}
        return keras.Model(inputs, logits, name=self.name)
