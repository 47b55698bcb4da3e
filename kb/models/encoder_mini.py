"""encoder_mini: a text encoder with two integer inputs, a mask and a sequence of any length.

Source: BERT (Devlin et al. 2018, arXiv:1810.04805) in the size "mini" of Turc et al. 2019 (arXiv:1908.08962): 4 layers
of width 256 with 4 heads, uncased vocabulary, without the embedding of sentence A and B, with a classifier on top.
LayerNorm's epsilon is 1e-5, since BERT's 1e-12 vanishes in half precision. Parameters: 11,172,618.
Inputs: `token_ids` and `mask` (1 for a token, 0 for padding), both (batch, length) int64, length up to 512.
Output: logits (batch, 10).

GELU is the exact one. In Keras it is spelled with `ops.erf`: that of Keras 3 on TensorFlow 2.21 is made of Erfc, which
tf2onnx 1.17 writes into its file without knowing it (onnx/tensorflow-onnx#2347).
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from typing import TYPE_CHECKING

from kb.models.errors import ModelError
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.texts import VOCABULARY, random_texts
from kb.models.transformer import Block, draw_block, keras_block, keras_first_rows, torch_block
from kb.models.weights import WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 4
LAYERS = 4
WIDTH = 256
HEADS = 4
INNER = 4 * WIDTH
MAX_LENGTH = 512
CLASSES = 10
EPSILON = 1e-5

#: Of the last layer, so that the logits of different texts differ by about 1.
CLASSIFIER_GAIN = 2.0

#: Minus the mean logits over 1,024 samples without it, measured once: else one class would win always.
CLASSIFIER_BIAS = (2.935, -1.029, 1.332, 1.373, 0.681, 0.401, -1.831, -0.098, -0.493, 0.241)


class EncoderMini(PairedModel):
    """Token and position embeddings, four layers of attention and feed-forward, a pooler and a classifier."""

    name = "encoder_mini"

    def __init__(self, length: int = 64) -> None:
        """
        Args:
            length: tokens per sample that `inputs` makes, padding included. The networks take any up to 512.
        """
        if not 2 <= length <= MAX_LENGTH:
            raise ModelError(f"encoder_mini takes sequences of 2 to {MAX_LENGTH} tokens, not {length}")
        self.length = length

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`token_ids` and `mask` (batch, length); each text fills at least half of its row, the rest is padding."""
        token_ids, mask = random_texts(batch, self.length, seed)
        return {"token_ids": token_ids, "mask": mask}

    def weights(self) -> Weights:
        draw = WeightDraw(SEED)
        draw.embedding("token", VOCABULARY, WIDTH)
        draw.embedding("position", MAX_LENGTH, WIDTH)
        draw.layer_norm("norm", WIDTH)
        for index in range(LAYERS):
            draw_block(draw, f"layers.{index}", _block())
        draw.linear("pooler", WIDTH, WIDTH)
        draw.classifier("classifier", WIDTH, CLASSIFIER_GAIN, CLASSIFIER_BIAS)
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        import torch
        from torch import Tensor, nn

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.token = nn.Embedding(VOCABULARY, WIDTH)
                self.position = nn.Embedding(MAX_LENGTH, WIDTH)
                self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
                self.layers = nn.ModuleList(torch_block(_block(), pre_norm=False) for _ in range(LAYERS))
                self.pooler = nn.Linear(WIDTH, WIDTH)
                self.classifier = nn.Linear(WIDTH, CLASSES)

            def forward(self, token_ids: Tensor, mask: Tensor) -> Tensor:
                x = self.norm(self.token(token_ids) + self.position.weight[: token_ids.shape[1]])
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
        tokens = layers.Embedding(VOCABULARY, WIDTH, name="token")(token_ids)
        positions = keras_first_rows(MAX_LENGTH, WIDTH, "position")(token_ids)
        embedded = tokens + positions  # layers.Add would append axes to the shorter shape
        x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(embedded)
        seen = (mask != 0)[:, None, :]  # (batch, query, key)
        for index in range(LAYERS):
            x = keras_block(x, f"layers.{index}", _block(), pre_norm=False, seen=seen)
        pooled = layers.Dense(WIDTH, activation="tanh", name="pooler")(x[:, 0])
        logits = layers.Dense(CLASSES, name="classifier")(pooled)
        return keras.Model({"token_ids": token_ids, "mask": mask}, logits, name=self.name)


def _block() -> Block:
    """Read when it is needed: a test changes the epsilon of one side."""
    return Block(WIDTH, HEADS, INNER, EPSILON)
