"""bert_mini: BERT as it was published, in its second smallest size, with three integer inputs.

Source: Devlin et al. 2018 (arXiv:1810.04805) in the size "mini" of Turc et al. 2019 (arXiv:1908.08962): 4 layers of
width 256 with 4 heads, the uncased vocabulary, embeddings of token, position and sentence, LayerNorm's epsilon 1e-12, a
pooler and a classifier. Parameters: 11,173,130.
Inputs: `token_ids`, `mask` (1 for a token, 0 for padding) and `token_types` (0 in the first sentence, 1 in the second),
all (batch, length) int64, length up to 512. Output: logits (batch, 10).
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from typing import TYPE_CHECKING

import numpy as np

from kb.models.centring import centring_bias
from kb.models.encoder_mini import MAX_LENGTH, VOCABULARY, EncoderMini
from kb.models.errors import ModelError
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.transformer import Block, draw_block, keras_block, keras_first_rows, torch_block
from kb.models.weights import WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 11
LAYERS = 4
WIDTH = 256
SENTENCES = 2
CLASSES = 10
EPSILON = 1e-12  #: of LayerNorm on both sides, BERT's own; in half precision it is zero
BLOCK = Block(WIDTH, heads=4, inner=4 * WIDTH, epsilon=EPSILON)

#: Of the last layer, so that the logits of different texts differ by about 1.
CLASSIFIER_GAIN = 3.0


class BertMini(PairedModel):
    """Embeddings of three kinds, four layers with norms behind each part, a pooler and a classifier."""

    name = "bert_mini"

    def __init__(self, length: int = 64) -> None:
        """
        Args:
            length: tokens per sample that `inputs` makes, padding included. The networks take any up to 512.
        """
        if not 2 <= length <= MAX_LENGTH:
            raise ModelError(f"bert_mini takes sequences of 2 to {MAX_LENGTH} tokens, not {length}")
        self.length = length

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """Two sentences a row: `token_ids`, `mask` and `token_types`, each (batch, length); the rest is padding."""
        given = EncoderMini(self.length).inputs(batch, seed)
        lengths = given["mask"].sum(axis=1, keepdims=True)
        places = np.arange(self.length)
        second = (places >= lengths // 2) & (places < lengths)
        return {**given, "token_types": second.astype(np.int64)}

    def weights(self) -> Weights:
        draw = WeightDraw(SEED)
        draw.embedding("token", VOCABULARY, WIDTH)
        draw.embedding("position", MAX_LENGTH, WIDTH)
        draw.embedding("sentence", SENTENCES, WIDTH)
        draw.layer_norm("norm", WIDTH)
        for index in range(LAYERS):
            draw_block(draw, f"layers.{index}", BLOCK)
        draw.linear("pooler", WIDTH, WIDTH)
        draw.classifier("classifier", WIDTH, CLASSIFIER_GAIN, centring_bias(self.name, CLASSES))
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        import torch
        from torch import Tensor, nn

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.token = nn.Embedding(VOCABULARY, WIDTH)
                self.position = nn.Embedding(MAX_LENGTH, WIDTH)
                self.sentence = nn.Embedding(SENTENCES, WIDTH)
                self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
                self.layers = nn.ModuleList(torch_block(BLOCK, pre_norm=False) for _ in range(LAYERS))
                self.pooler = nn.Linear(WIDTH, WIDTH)
                self.classifier = nn.Linear(WIDTH, CLASSES)

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

        token_ids = keras.Input((None,), dtype="int64", name="token_ids")
        mask = keras.Input((None,), dtype="int64", name="mask")
        token_types = keras.Input((None,), dtype="int64", name="token_types")
        tokens = layers.Embedding(VOCABULARY, WIDTH, name="token")(token_ids)
        positions = keras_first_rows(MAX_LENGTH, WIDTH, "position")(token_ids)
        sentences = layers.Embedding(SENTENCES, WIDTH, name="sentence")(token_types)
        x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(tokens + positions + sentences)
        seen = (mask != 0)[:, None, :]  # (batch, query, key)
        for index in range(LAYERS):
            x = keras_block(x, f"layers.{index}", BLOCK, pre_norm=False, seen=seen)
        pooled = layers.Dense(WIDTH, activation="tanh", name="pooler")(x[:, 0])
        logits = layers.Dense(CLASSES, name="classifier")(pooled)
        inputs = {"token_ids": token_ids, "mask": mask, "token_types": token_types}
        return keras.Model(inputs, logits, name=self.name)
