"""vit_tiny: a vision transformer, whose image is a sequence of patches.

Source: Dosovitskiy et al. 2020 (arXiv:2010.11929) in the size "tiny" of Touvron et al. 2020 (DeiT, arXiv:2012.12877):
patches of 16 pixels, 12 layers of width 192 with 3 heads, a class token, learned positions, norms before each part.
Parameters: 5,717,416.
Input: `image` (batch, 3, 224, 224) float32 in torch, (batch, 224, 224, 3) in Keras. Output: logits (batch, 1000).
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.models.centring import centring_bias
from kb.models.images import patchy_images
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.transformer import Block, draw_block, keras_all_rows, keras_block, torch_block
from kb.models.weights import WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 16
EPSILON = 1e-6  #: of LayerNorm on both sides; Keras has 1e-3 by default

#: Of the last layer, so that the logits of different images differ by about 1.
CLASSIFIER_GAIN = 1.0


@dataclass(frozen=True)
class Sizes:
    """Numbers of one vision transformer."""

    image: int = 224  #: edge, pixels
    channels: int = 3
    patch: int = 16  #: edge, pixels
    width: int = 192
    heads: int = 3
    layers: int = 12
    classes: int = 1000

    @property
    def patches(self) -> int:
        return (self.image // self.patch) ** 2

    @property
    def block(self) -> Block:
        return Block(self.width, self.heads, 4 * self.width, EPSILON)


class VitTiny(PairedModel):
    """Patch embedding, class token and positions, twelve layers, and a classifier on the class token."""

    name = "vit_tiny"
    sizes = Sizes()

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`image` (batch, channels, image, image); mean 0, variance 1."""
        return {"image": patchy_images(batch, self.sizes.channels, self.sizes.image, seed)}

    def weights(self) -> Weights:
        draw, sizes = WeightDraw(SEED), self.sizes
        inputs = sizes.channels * sizes.patch**2
        draw.linear("patches", inputs, sizes.width)
        kernel = (sizes.width, sizes.channels, sizes.patch, sizes.patch)
        draw.arrays["patches.weight"] = draw.arrays["patches.weight"].reshape(kernel)
        draw.embedding("class_token", 1, sizes.width)
        draw.embedding("positions", sizes.patches + 1, sizes.width)
        for index in range(sizes.layers):
            draw_block(draw, f"layers.{index}", sizes.block)
        draw.layer_norm("norm", sizes.width)
        draw.classifier("classifier", sizes.width, CLASSIFIER_GAIN, centring_bias(self.name, sizes.classes))
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        import torch
        from torch import Tensor, nn

        sizes = self.sizes

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.patches = nn.Conv2d(sizes.channels, sizes.width, sizes.patch, sizes.patch)
                self.class_token = nn.Embedding(1, sizes.width)
                self.positions = nn.Embedding(sizes.patches + 1, sizes.width)
                self.layers = nn.ModuleList(torch_block(sizes.block, pre_norm=True) for _ in range(sizes.layers))
                self.norm = nn.LayerNorm(sizes.width, eps=EPSILON)
                self.classifier = nn.Linear(sizes.width, sizes.classes)

            def forward(self, image: Tensor) -> Tensor:
                x = self.patches(image).flatten(2).transpose(1, 2)
                token = self.class_token.weight.expand(x.shape[0], 1, sizes.width)
                x = torch.cat([token, x], dim=1) + self.positions.weight
                for layer in self.layers:
                    x = layer(x)
                return self.classifier(self.norm(x)[:, 0])

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers

        sizes = self.sizes
        image = keras.Input((sizes.image, sizes.image, sizes.channels), name="image")
        x = layers.Conv2D(sizes.width, sizes.patch, sizes.patch, name="patches")(image)
        x = layers.Reshape((sizes.patches, sizes.width))(x)
        token = keras_all_rows(1, sizes.width, "class_token")(x)
        x = layers.Concatenate(axis=1)([token, x])
        x = layers.Add()([x, keras_all_rows(sizes.patches + 1, sizes.width, "positions")(x)])
        for index in range(sizes.layers):
            x = keras_block(x, f"layers.{index}", sizes.block, pre_norm=True)
        x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(x)[:, 0]
        logits = layers.Dense(sizes.classes, name="classifier")(x)
        return keras.Model({"image": image}, logits, name=self.name)
