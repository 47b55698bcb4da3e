"""Blocks that the models with attention share, once for torch and once for Keras, with the same names of weights."""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.models.weights import WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

#: Queries and keys above 1: at 1 attention is close to a plain mean, which hides a wrong scale or mask.
ATTENTION_GAINS = {"query": 1.5, "key": 1.5, "value": 1.0, "output": 1.0}


@dataclass(frozen=True)
class Block:
    """Numbers of one transformer layer."""

    width: int
    heads: int
    inner: int  #: width of the feed-forward part
    epsilon: float  #: of LayerNorm on both sides; Keras has 1e-3 by default


def draw_block(draw: WeightDraw, name: str, block: Block) -> None:
    """Weights of a layer, whether its norms come before or after: attention, two dense layers, two norms."""
    for part, gain in ATTENTION_GAINS.items():
        draw.linear(f"{name}.attention.{part}", block.width, block.width, gain)
    draw.layer_norm(f"{name}.attention_norm", block.width)
    draw.linear(f"{name}.inner", block.width, block.inner)
    draw.linear(f"{name}.outer", block.inner, block.width)
    draw.layer_norm(f"{name}.outer_norm", block.width)


def torch_block(block: Block, *, pre_norm: bool) -> "torch.nn.Module":
    """A layer: attention and feed-forward, each added to its input.

    Args:
        pre_norm: LayerNorm before each part, as in ViT; otherwise after each sum, as in BERT.
    """
    from torch import Tensor, nn
    from torch.nn.functional import gelu, scaled_dot_product_attention

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query = nn.Linear(block.width, block.width)
            self.key = nn.Linear(block.width, block.width)
            self.value = nn.Linear(block.width, block.width)
            self.output = nn.Linear(block.width, block.width)

        def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
            query, key, value = (
                part(x).unflatten(-1, (block.heads, block.width // block.heads)).transpose(1, 2)
                for part in (self.query, self.key, self.value)
            )
            heads = scaled_dot_product_attention(query, key, value, attn_mask=seen)
            return self.output(heads.transpose(1, 2).flatten(2))

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = Attention()
            self.attention_norm = nn.LayerNorm(block.width, eps=block.epsilon)
            self.inner = nn.Linear(block.width, block.inner)
            self.outer = nn.Linear(block.inner, block.width)
            self.outer_norm = nn.LayerNorm(block.width, eps=block.epsilon)

        def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
            if pre_norm:
                x = x + self.attention(self.attention_norm(x), seen)
                return x + self.outer(gelu(self.inner(self.outer_norm(x))))
            x = self.attention_norm(x + self.attention(x, seen))
            return self.outer_norm(x + self.outer(gelu(self.inner(x))))

    return Layer()


def keras_block(
    x: "keras.KerasTensor", name: str, block: Block, *, pre_norm: bool, seen: "keras.KerasTensor | None" = None
) -> "keras.KerasTensor":
    """The same layer; `seen` (batch, 1, length) says which keys every query sees."""
    from keras import layers

    def norm(y: "keras.KerasTensor", part: str) -> "keras.KerasTensor":
        return layers.LayerNormalization(epsilon=block.epsilon, name=f"{name}.{part}")(y)

    def feed_forward(y: "keras.KerasTensor") -> "keras.KerasTensor":
        return layers.Dense(block.width, name=f"{name}.outer")(
            exact_gelu(layers.Dense(block.inner, name=f"{name}.inner")(y))
        )

    attention = layers.MultiHeadAttention(block.heads, block.width // block.heads, name=f"{name}.attention")
    given = norm(x, "attention_norm") if pre_norm else x
    x = layers.Add()([x, attention(given, given, attention_mask=seen)])
    if pre_norm:
        return layers.Add()([x, feed_forward(norm(x, "outer_norm"))])
    x = norm(x, "attention_norm")
    return norm(layers.Add()([x, feed_forward(x)]), "outer_norm")


def exact_gelu(x: "keras.KerasTensor") -> "keras.KerasTensor":
    """GELU by its definition (Hendrycks & Gimpel 2016, arXiv:1606.08415).

    Keras's own is built on TensorFlow's Erfc, which tf2onnx writes into its files though no runtime knows it.
    """
    from keras import ops

    return 0.5 * x * (1.0 + ops.erf(x * math.sqrt(0.5)))


def keras_first_rows(rows: int, width: int, name: str) -> "keras.layers.Layer":
    """The first `length` rows of a table of embeddings, (length, width), for token ids (batch, length)."""
    import keras
    from keras import ops

    class FirstRows(keras.layers.Embedding):
        def call(self, token_ids: "keras.KerasTensor") -> "keras.KerasTensor":
            return ops.cast(self.embeddings[: ops.shape(token_ids)[1]], self.compute_dtype)

        def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return (input_shape[1], self.output_dim)

    return FirstRows(rows, width, name=name)


def keras_all_rows(rows: int, width: int, name: str) -> "keras.layers.Layer":
    """A whole table, (batch, rows, width), for anything with that batch."""
    import keras
    from keras import ops

    class AllRows(keras.layers.Embedding):
        def call(self, x: "keras.KerasTensor") -> "keras.KerasTensor":
            table = ops.cast(self.embeddings, self.compute_dtype)
            return ops.broadcast_to(table, (ops.shape(x)[0], self.input_dim, self.output_dim))

        def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return (input_shape[0], self.input_dim, self.output_dim)

    return AllRows(rows, width, name=name)
