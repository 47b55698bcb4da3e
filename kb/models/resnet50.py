"""resnet50: the network that image classification is measured by, with bottlenecks and 53 convolutions.

Source: He et al. 2015 (arXiv:1512.03385), table 1, in the form "v1.5" that MLPerf and torchvision use: the stride is in
the 3x3 convolution. Parameters: 25,557,032 (BatchNorm's running statistics not counted).
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

SEED = 50
STEM = 64
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  #: width and blocks; each stage after the first halves the image
EXPANSION = 4  #: a block gives this many times its width
CLASSES = 1000
SMALLEST, STRIDE = 32, 32  #: of the image: the last stage sees one pixel in 32
EPSILON = 1e-5  #: of BatchNorm on both sides; Keras has 1e-3 by default

#: Of the last norm in a block: with the usual range the sum would double its variance in each of sixteen blocks.
BRANCH_SCALE = (0.2, 0.6)

#: Of the last layer, so that the logits of different images differ by about 1.
CLASSIFIER_GAIN = 2.0


def blocks() -> list[tuple[str, int, int, int]]:
    """Name, input channels, width and stride of each block, in order."""
    listed, channels = [], STEM
    for stage, (width, count) in enumerate(STAGES):
        for index in range(count):
            listed.append((f"stages.{stage}.{index}", channels, width, 2 if stage > 0 and index == 0 else 1))
            channels = width * EXPANSION
    return listed


class ResNet50(PairedModel):
    """A stem with pooling, four stages of bottleneck blocks, global average pooling and a classifier."""

    name = "resnet50"

    def __init__(self, size: int = 224) -> None:
        """
        Args:
            size: edge of the images that `inputs` makes, pixels. The networks take any multiple of 32.
        """
        if size < SMALLEST or size % STRIDE:
            raise ModelError(f"resnet50 takes images of a multiple of {STRIDE} pixels, not of {size}")
        self.size = size

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`image` (batch, 3, size, size); mean 0, variance 1."""
        return {"image": patchy_images(batch, 3, self.size, seed)}

    def weights(self) -> Weights:
        draw = WeightDraw(SEED)
        draw.zero_sum_conv2d("stem", 3, STEM, 7)
        draw.batch_norm("stem_norm", STEM)
        for name, inputs, width, _ in blocks():
            outputs = width * EXPANSION
            draw.zero_sum_conv2d(f"{name}.conv1", inputs, width, 1)
            draw.batch_norm(f"{name}.norm1", width)
            draw.zero_sum_conv2d(f"{name}.conv2", width, width, 3)
            draw.batch_norm(f"{name}.norm2", width)
            draw.zero_sum_conv2d(f"{name}.conv3", width, outputs, 1)
            draw.batch_norm(f"{name}.norm3", outputs, BRANCH_SCALE)
            if inputs != outputs:
                draw.zero_sum_conv2d(f"{name}.shortcut", inputs, outputs, 1)
                draw.batch_norm(f"{name}.shortcut_norm", outputs)
        draw.classifier("classifier", STAGES[-1][0] * EXPANSION, CLASSIFIER_GAIN, centring_bias(self.name, CLASSES))
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        from torch import Tensor, nn
        from torch.nn.functional import relu

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.stem = nn.Conv2d(3, STEM, 7, stride=2, padding=3, bias=False)
                self.stem_norm = nn.BatchNorm2d(STEM, eps=EPSILON)
                self.pool = nn.MaxPool2d(3, stride=2, padding=1)
                each = iter([_torch_block(inputs, width, stride) for _, inputs, width, stride in blocks()])
                stages = [nn.Sequential(*(next(each) for _ in range(count))) for _, count in STAGES]
                self.stages = nn.Sequential(*stages)
                self.classifier = nn.Linear(STAGES[-1][0] * EXPANSION, CLASSES)

            def forward(self, image: Tensor) -> Tensor:
                x = self.stages(self.pool(relu(self.stem_norm(self.stem(image)))))
                return self.classifier(x.mean(dim=(2, 3)))

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers

        image = keras.Input((None, None, 3), name="image")
        x = layers.ReLU()(_keras_conv(image, "stem", STEM, 7, 2))
        # Zeros would do for padding as well, since they never win over what a ReLU gives.
        x = layers.MaxPooling2D(3, 2, "valid")(layers.ZeroPadding2D(1)(x))
        for name, inputs, width, stride in blocks():
            x = _keras_block(x, name, width, stride, projects=inputs != width * EXPANSION)
        logits = layers.Dense(CLASSES, name="classifier")(layers.GlobalAveragePooling2D()(x))
        return keras.Model({"image": image}, logits, name=self.name)


def _torch_block(inputs: int, width: int, stride: int) -> "torch.nn.Module":
    from torch import Tensor, nn
    from torch.nn.functional import relu

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            outputs = width * EXPANSION
            self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(width, eps=EPSILON)
            self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
            self.norm2 = nn.BatchNorm2d(width, eps=EPSILON)
            self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
            self.norm3 = nn.BatchNorm2d(outputs, eps=EPSILON)
            self.projects = inputs != outputs
            if self.projects:
                self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
                self.shortcut_norm = nn.BatchNorm2d(outputs, eps=EPSILON)

        def forward(self, x: Tensor) -> Tensor:
            kept = self.shortcut_norm(self.shortcut(x)) if self.projects else x
            x = relu(self.norm1(self.conv1(x)))
            x = relu(self.norm2(self.conv2(x)))
            return relu(self.norm3(self.conv3(x)) + kept)

    return Block()


def _keras_conv(x: "keras.KerasTensor", name: str, channels: int, kernel: int, stride: int) -> "keras.KerasTensor":
    """A convolution and its norm, padded on both sides as in torch ("same" would pad on the far side only)."""
    from keras import layers

    if kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2)(x)
    x = layers.Conv2D(channels, kernel, stride, "valid", use_bias=False, name=name)(x)
    norm = "stem_norm" if name == "stem" else name.replace(".conv", ".norm").replace(".shortcut", ".shortcut_norm")
    return layers.BatchNormalization(epsilon=EPSILON, name=norm)(x)


def _keras_block(x: "keras.KerasTensor", name: str, width: int, stride: int, projects: bool) -> "keras.KerasTensor":
    from keras import layers

    kept = _keras_conv(x, f"{name}.shortcut", width * EXPANSION, 1, stride) if projects else x
    x = layers.ReLU()(_keras_conv(x, f"{name}.conv1", width, 1, 1))
    x = layers.ReLU()(_keras_conv(x, f"{name}.conv2", width, 3, stride))
    x = _keras_conv(x, f"{name}.conv3", width * EXPANSION, 1, 1)
    return layers.ReLU()(layers.Add()([x, kept]))
