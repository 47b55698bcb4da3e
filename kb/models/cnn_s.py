"""cnn_s: a small residual network with the traps of convolutional ones: strided padding, BatchNorm, pooling.

Source: the networks of He et al. 2015 (arXiv:1512.03385), section 4.2, with n = 2 (14 layers), twice as wide, with
projection shortcuts (option B) and 64 x 64 images. Parameters: 696,618 (BatchNorm's running statistics not counted).
Input: `image` (batch, 3, 64, 64) float32 in torch, (batch, 64, 64, 3) in Keras. Output: logits (batch, 10).
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.models.images import patchy_images
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.weights import WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 14
EPSILON = 1e-5  #: of BatchNorm on both sides; Keras has 1e-3 by default, 1.4 off in the output

#: Of the last layer: pooled features of random networks hardly differ between images, so without it neither do logits.
CLASSIFIER_GAIN = 0.7

#: Minus the mean logits over 1,024 samples without it, measured once: else one class would win always.
CLASSIFIER_BIAS = (2.079, -4.308, 4.025, -7.84, -3.409, -4.927, -2.029, -3.589, 4.673, -4.746)


@dataclass(frozen=True)
class Sizes:
    """Numbers of one residual network."""

    image: int = 64  #: edge, pixels
    channels: int = 3
    stages: tuple[int, ...] = (32, 64, 128)  #: channels; each stage after the first halves the image
    blocks: int = 2  #: per stage
    classes: int = 10

    def each_block(self) -> list[tuple[str, int, int, int]]:
        """Name, input channels, output channels and stride of each residual block, in order."""
        listed, channels = [], self.stages[0]
        for stage, width in enumerate(self.stages):
            for index in range(self.blocks):
                stride = 2 if stage > 0 and index == 0 else 1
                listed.append((f"stages.{stage}.{index}", channels, width, stride))
                channels = width
        return listed


class CnnS(PairedModel):
    """A stem, three stages of residual blocks, global average pooling and a classifier."""

    name = "cnn_s"
    sizes = Sizes()

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`image` (batch, channels, image, image); mean 0, variance 1."""
        return {"image": patchy_images(batch, self.sizes.channels, self.sizes.image, seed)}

    def weights(self) -> Weights:
        draw, sizes = WeightDraw(SEED), self.sizes
        draw.conv2d("stem", sizes.channels, sizes.stages[0], 3)
        draw.batch_norm("stem_norm", sizes.stages[0])
        for name, inputs, outputs, stride in sizes.each_block():
            draw.conv2d(f"{name}.conv1", inputs, outputs, 3)
            draw.batch_norm(f"{name}.norm1", outputs)
            draw.conv2d(f"{name}.conv2", outputs, outputs, 3)
            draw.batch_norm(f"{name}.norm2", outputs)
            if stride > 1:
                draw.conv2d(f"{name}.shortcut", inputs, outputs, 1)
                draw.batch_norm(f"{name}.shortcut_norm", outputs)
        draw.classifier("classifier", sizes.stages[-1], CLASSIFIER_GAIN, CLASSIFIER_BIAS)
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        from torch import Tensor, nn
        from torch.nn.functional import relu

        sizes = self.sizes

        class Block(nn.Module):
            def __init__(self, inputs: int, outputs: int, stride: int) -> None:
                super().__init__()
                self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
                self.norm1 = nn.BatchNorm2d(outputs, eps=EPSILON)
                self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
                self.norm2 = nn.BatchNorm2d(outputs, eps=EPSILON)
                self.projects = stride > 1
                if self.projects:
                    self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
                    self.shortcut_norm = nn.BatchNorm2d(outputs, eps=EPSILON)

            def forward(self, x: Tensor) -> Tensor:
                kept = self.shortcut_norm(self.shortcut(x)) if self.projects else x
                x = relu(self.norm1(self.conv1(x)))
                return relu(self.norm2(self.conv2(x)) + kept)

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.stem = nn.Conv2d(sizes.channels, sizes.stages[0], 3, padding=1, bias=False)
                self.stem_norm = nn.BatchNorm2d(sizes.stages[0], eps=EPSILON)
                each = [Block(inputs, outputs, stride) for _, inputs, outputs, stride in sizes.each_block()]
                stages = [each[start : start + sizes.blocks] for start in range(0, len(each), sizes.blocks)]
                self.stages = nn.Sequential(*(nn.Sequential(*stage) for stage in stages))
                self.classifier = nn.Linear(sizes.stages[-1], sizes.classes)

            def forward(self, image: Tensor) -> Tensor:
                x = self.stages(relu(self.stem_norm(self.stem(image))))
                return self.classifier(x.mean(dim=(2, 3)))

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers

        def conv(x: "keras.KerasTensor", name: str, channels: int, kernel: int, stride: int) -> "keras.KerasTensor":
            if kernel > 1:  # "same" would pad a strided convolution on the far side only, unlike torch
                x = layers.ZeroPadding2D(kernel // 2)(x)
            return layers.Conv2D(channels, kernel, stride, "valid", use_bias=False, name=name)(x)

        def norm(x: "keras.KerasTensor", name: str) -> "keras.KerasTensor":
            return layers.BatchNormalization(epsilon=EPSILON, name=name)(x)

        sizes = self.sizes
        image = keras.Input((sizes.image, sizes.image, sizes.channels), name="image")
        x = layers.ReLU()(norm(conv(image, "stem", sizes.stages[0], 3, 1), "stem_norm"))
        for name, _, width, stride in sizes.each_block():
            kept = x
            if stride > 1:
                kept = norm(conv(x, f"{name}.shortcut", width, 1, stride), f"{name}.shortcut_norm")
            x = layers.ReLU()(norm(conv(x, f"{name}.conv1", width, 3, stride), f"{name}.norm1"))
            x = norm(conv(x, f"{name}.conv2", width, 3, 1), f"{name}.norm2")
            x = layers.ReLU()(layers.Add()([x, kept]))
        logits = layers.Dense(sizes.classes, name="classifier")(layers.GlobalAveragePooling2D()(x))
        return keras.Model({"image": image}, logits, name=self.name)
