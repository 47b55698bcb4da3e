"""mobilenet_v2: inverted residuals and depthwise convolutions, small on paper and hard on memory bandwidth and int8.

Source: Sandler et al. 2018 (arXiv:1801.04381), table 2, width 1.0, with torchvision's padding (by one on each side).
Parameters: 3,504,872 (BatchNorm's running statistics not counted).
Input: `image` (batch, 3, size, size) float32 in torch, (batch, size, size, 3) in Keras; size 224 unless asked for
another. Output: logits (batch, 1000).
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from typing import TYPE_CHECKING

from kb.models.centring import centring_bias
from kb.models.errors import ModelError
from kb.models.images import patchy_images
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.weights import WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 2
STEM = 32
#: Expansion, output channels, blocks and first stride of each stage.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
HEAD = 1280
CLASSES = 1000
SMALLEST, STRIDE = 32, 32  #: of the image: the last stage sees one pixel in 32
EPSILON = 1e-5  #: of BatchNorm on both sides; Keras has 1e-3 by default

#: Of the norm that ends a block. Wider, and rounding errors grow by the block until torch and Keras differ by 1e-4;
#: narrower, and all images give the same features.
BRANCH_SCALE = (0.3, 0.9)

#: Of the biases and means of all norms: with the usual range, features hardly differ after seventeen blocks.
SHIFT = (-0.2, 0.2)

#: Of the last layer, so that the logits of different images differ by about 1.
CLASSIFIER_GAIN = 5.0


def blocks() -> list[tuple[str, int, int, int, int]]:
    """Name, input channels, hidden channels, output channels and stride of each block, in order."""
    listed: list[tuple[str, int, int, int, int]] = []
    channels = STEM
    for expansion, outputs, count, first in STAGES:
        for index in range(count):
            stride = first if index == 0 else 1
            listed.append((f"blocks.{len(listed)}", channels, channels * expansion, outputs, stride))
            channels = outputs
    return listed


class MobileNetV2(PairedModel):
    """A stem, seventeen inverted residual blocks, a wide 1x1 convolution, average pooling and a classifier."""

    name = "mobilenet_v2"

    def __init__(self, size: int = 224) -> None:
        """
        Args:
            size: edge of the images that `inputs` makes, pixels. The networks take any multiple of 32.
        """
        if size < SMALLEST or size % STRIDE:
            raise ModelError(f"mobilenet_v2 takes images of a multiple of {STRIDE} pixels, not of {size}")
        self.size = size

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`image` (batch, 3, size, size); mean 0, variance 1."""
        return {"image": patchy_images(batch, 3, self.size, seed)}

    def weights(self) -> Weights:
        draw = WeightDraw(SEED)
        draw.zero_sum_conv2d("stem", 3, STEM, 3)
        draw.batch_norm("stem_norm", STEM, shift=SHIFT)
        for name, inputs, hidden, outputs, _ in blocks():
            if hidden != inputs:
                draw.zero_sum_conv2d(f"{name}.expand", inputs, hidden, 1)
                draw.batch_norm(f"{name}.expand_norm", hidden, shift=SHIFT)
            draw.depthwise_conv2d(f"{name}.depthwise", hidden, 3)
            draw.batch_norm(f"{name}.depthwise_norm", hidden, shift=SHIFT)
            draw.zero_sum_conv2d(f"{name}.project", hidden, outputs, 1)
            draw.batch_norm(f"{name}.project_norm", outputs, BRANCH_SCALE, shift=SHIFT)
        draw.zero_sum_conv2d("head", STAGES[-1][1], HEAD, 1)
        draw.batch_norm("head_norm", HEAD, shift=SHIFT)
        draw.classifier("classifier", HEAD, CLASSIFIER_GAIN, centring_bias(self.name, CLASSES))
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        from torch import Tensor, nn
        from torch.nn.functional import relu6

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.stem = nn.Conv2d(3, STEM, 3, stride=2, padding=1, bias=False)
                self.stem_norm = nn.BatchNorm2d(STEM, eps=EPSILON)
                self.blocks = nn.Sequential(*(_torch_block(*shape) for _, *shape in blocks()))
                self.head = nn.Conv2d(STAGES[-1][1], HEAD, 1, bias=False)
                self.head_norm = nn.BatchNorm2d(HEAD, eps=EPSILON)
                self.classifier = nn.Linear(HEAD, CLASSES)

            def forward(self, image: Tensor) -> Tensor:
                x = self.blocks(relu6(self.stem_norm(self.stem(image))))
                x = relu6(self.head_norm(self.head(x)))
                return self.classifier(x.mean(dim=(2, 3)))

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers

        image = keras.Input((None, None, 3), name="image")
        padded = layers.ZeroPadding2D(1)(image)
        x = layers.Conv2D(STEM, 3, 2, "valid", use_bias=False, name="stem")(padded)
        x = layers.ReLU(6)(_keras_norm(x, "stem_norm"))
        for name, inputs, hidden, outputs, stride in blocks():
            x = _keras_block(x, name, inputs, hidden, outputs, stride)
        x = layers.Conv2D(HEAD, 1, use_bias=False, name="head")(x)
        x = layers.ReLU(6)(_keras_norm(x, "head_norm"))
        logits = layers.Dense(CLASSES, name="classifier")(layers.GlobalAveragePooling2D()(x))
        return keras.Model({"image": image}, logits, name=self.name)


def _torch_block(inputs: int, hidden: int, outputs: int, stride: int) -> "torch.nn.Module":
    """Widen, filter each channel by itself, narrow without an activation; added to the input where shapes allow."""
    from torch import Tensor, nn
    from torch.nn.functional import relu6

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.widens = hidden != inputs
            if self.widens:
                self.expand = nn.Conv2d(inputs, hidden, 1, bias=False)
                self.expand_norm = nn.BatchNorm2d(hidden, eps=EPSILON)
            self.depthwise = nn.Conv2d(hidden, hidden, 3, stride, padding=1, groups=hidden, bias=False)
            self.depthwise_norm = nn.BatchNorm2d(hidden, eps=EPSILON)
            self.project = nn.Conv2d(hidden, outputs, 1, bias=False)
            self.project_norm = nn.BatchNorm2d(outputs, eps=EPSILON)
            self.adds = stride == 1 and inputs == outputs

        def forward(self, x: Tensor) -> Tensor:
            kept = x
            if self.widens:
                x = relu6(self.expand_norm(self.expand(x)))
            x = relu6(self.depthwise_norm(self.depthwise(x)))
            x = self.project_norm(self.project(x))
            return x + kept if self.adds else x

    return Block()


def _keras_norm(x: "keras.KerasTensor", name: str) -> "keras.KerasTensor":
    from keras import layers

    return layers.BatchNormalization(epsilon=EPSILON, name=name)(x)


def _keras_block(
    x: "keras.KerasTensor", name: str, inputs: int, hidden: int, outputs: int, stride: int
) -> "keras.KerasTensor":
    from keras import layers

    kept = x
    if hidden != inputs:
        x = layers.Conv2D(hidden, 1, use_bias=False, name=f"{name}.expand")(x)
        x = layers.ReLU(6)(_keras_norm(x, f"{name}.expand_norm"))
    x = layers.ZeroPadding2D(1)(x)  # "same" would pad a strided convolution on the far side only, unlike torch
    x = layers.DepthwiseConv2D(3, stride, "valid", use_bias=False, name=f"{name}.depthwise")(x)
    x = layers.ReLU(6)(_keras_norm(x, f"{name}.depthwise_norm"))
    x = _keras_norm(layers.Conv2D(outputs, 1, use_bias=False, name=f"{name}.project")(x), f"{name}.project_norm")
    return layers.Add()([x, kept]) if stride == 1 and inputs == outputs else x
