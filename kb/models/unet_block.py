"""unet_block: one level of a diffusion U-Net, with all of its kinds of block.

Source: Ho et al. 2020 (DDPM, arXiv:2006.11239), appendix B, with the residual blocks, self-attention and resampling of
Rombach et al. 2022 (latent diffusion, arXiv:2112.10752); one level down and up instead of four, on latents of
32 x 32 x 4. Parameters: 4,897,924, of which 128,000 are the table of timesteps, which is not learned.
Inputs: `latent` (batch, 4, size, size) float32 in torch, (batch, size, size, 4) in Keras, size 32 unless asked for
another; `timestep` (batch,) int64, 0 to 999. Output: noise (batch, 4, size, size), in that layout on both sides.
"""

# mypy: disallow-subclassing-any=False
# (the frameworks are absent or untyped for the type checker)

import math
from typing import TYPE_CHECKING

import numpy as np

from kb.models.errors import ModelError
from kb.models.images import patchy_images
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.weights import Float32, WeightDraw

if TYPE_CHECKING:
    import keras
    import torch

SEED = 32
CHANNELS = 4  #: of the latent
WIDTH = 128  #: at full size
DEEP = 256  #: at half size
TIME = 512  #: of the timestep's embedding
STEPS = 1000
GROUPS = 32
HEADS = 4
EPSILON = 1e-5  #: of GroupNorm on both sides; Keras has 1e-3 by default
LONGEST_PERIOD = 10_000  #: of the sines in the table of timesteps, in steps

#: Of convolutions behind SiLU, which keeps about a third of the variance.
SILU_GAIN = 1.7
#: Of the last convolution, so that the noise that comes out is about as large as what diffusion models learn.
OUTPUT_GAIN = 1.0


def time_table() -> Float32:
    """(1000, 128): sines and cosines of each timestep, as positions in Vaswani et al. 2017 (arXiv:1706.03762), 3.5.

    A table, since a sine of a product of a thousand is off by 6e-5 in single precision before the network begins.
    """
    half = WIDTH // 2
    frequencies = np.exp(-math.log(LONGEST_PERIOD) * np.arange(half) / half)
    angles = np.arange(STEPS)[:, None] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


class UnetBlock(PairedModel):
    """Residual block, down, residual block, attention, residual block, up, residual block over the skip, out."""

    name = "unet_block"

    def __init__(self, size: int = 32) -> None:
        """
        Args:
            size: edge of the latents. The torch network takes any even size, the Keras network this one.
        """
        if size < 2 or size % 2:
            raise ModelError(f"unet_block takes latents of an even size, not of {size}")
        self.size = size

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """`latent` (batch, 4, size, size), mean 0 and variance 1; `timestep` (batch,), uniform."""
        steps = np.random.default_rng(seed).integers(0, STEPS, batch, dtype=np.int64)
        return {"latent": patchy_images(batch, CHANNELS, self.size, seed), "timestep": steps}

    def weights(self) -> Weights:
        draw = WeightDraw(SEED)
        draw.arrays["table.weight"] = time_table()
        draw.linear("time1", WIDTH, TIME)
        draw.linear("time2", TIME, TIME, SILU_GAIN)
        draw.biased_conv2d("entry", CHANNELS, WIDTH, 3)
        for name, inputs, outputs in residuals():
            draw.layer_norm(f"{name}.norm1", inputs)
            draw.biased_conv2d(f"{name}.conv1", inputs, outputs, 3, SILU_GAIN)
            draw.linear(f"{name}.time", TIME, outputs, SILU_GAIN)
            draw.layer_norm(f"{name}.norm2", outputs)
            draw.biased_conv2d(f"{name}.conv2", outputs, outputs, 3, SILU_GAIN)
            if inputs != outputs:
                draw.biased_conv2d(f"{name}.shortcut", inputs, outputs, 1)
        draw.biased_conv2d("down", WIDTH, WIDTH, 3)
        draw.layer_norm("attention_norm", DEEP)
        for part in ("query", "key", "value", "output"):
            draw.linear(f"attention.{part}", DEEP, DEEP)
        draw.biased_conv2d("up", DEEP, DEEP, 3)
        draw.layer_norm("exit_norm", WIDTH)
        draw.biased_conv2d("exit", WIDTH, CHANNELS, 3, OUTPUT_GAIN)
        return draw.arrays

    def torch_network(self) -> "torch.nn.Module":
        import torch
        from torch import Tensor, nn
        from torch.nn.functional import interpolate, scaled_dot_product_attention, silu

        class Attention(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.query = nn.Linear(DEEP, DEEP)
                self.key = nn.Linear(DEEP, DEEP)
                self.value = nn.Linear(DEEP, DEEP)
                self.output = nn.Linear(DEEP, DEEP)

            def forward(self, x: Tensor) -> Tensor:
                pixels = x.flatten(2).transpose(1, 2)
                query, key, value = (
                    part(pixels).unflatten(-1, (HEADS, DEEP // HEADS)).transpose(1, 2)
                    for part in (self.query, self.key, self.value)
                )
                heads = scaled_dot_product_attention(query, key, value)
                return self.output(heads.transpose(1, 2).flatten(2)).transpose(1, 2).unflatten(2, x.shape[2:])

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.table = nn.Embedding(STEPS, WIDTH)
                self.time1 = nn.Linear(WIDTH, TIME)
                self.time2 = nn.Linear(TIME, TIME)
                self.entry = nn.Conv2d(CHANNELS, WIDTH, 3, padding=1)
                for name, inputs, outputs in residuals():
                    setattr(self, name, _torch_residual(inputs, outputs))
                self.down = nn.Conv2d(WIDTH, WIDTH, 3, stride=2, padding=1)
                self.attention_norm = nn.GroupNorm(GROUPS, DEEP, eps=EPSILON)
                self.attention = Attention()
                self.up = nn.Conv2d(DEEP, DEEP, 3, padding=1)
                self.exit_norm = nn.GroupNorm(GROUPS, WIDTH, eps=EPSILON)
                self.exit = nn.Conv2d(WIDTH, CHANNELS, 3, padding=1)

            def forward(self, latent: Tensor, timestep: Tensor) -> Tensor:
                time = silu(self.time2(silu(self.time1(self.table(timestep)))))
                kept = self.outer(self.entry(latent), time)
                x = self.inner1(self.down(kept), time)
                x = x + self.attention(self.attention_norm(x))
                x = self.inner2(x, time)
                x = self.up(interpolate(x, scale_factor=2.0, mode="nearest"))
                x = self.joined(torch.cat([x, kept], dim=1), time)
                return self.exit(silu(self.exit_norm(x)))

        return Network()

    def keras_network(self) -> "keras.Model":
        import keras
        from keras import layers

        latent = keras.Input((self.size, self.size, CHANNELS), name="latent")
        timestep = keras.Input((), dtype="int64", name="timestep")
        time = layers.Embedding(STEPS, WIDTH, name="table")(timestep)
        for name in ("time1", "time2"):
            time = layers.Activation("silu")(layers.Dense(TIME, name=name)(time))
        kept = _keras_residual(_keras_conv(latent, "entry", WIDTH), time, "outer", WIDTH, WIDTH)
        x = _keras_residual(_keras_conv(kept, "down", WIDTH, stride=2), time, "inner1", WIDTH, DEEP)
        pixels = layers.Reshape(((self.size // 2) ** 2, DEEP))(_keras_norm(x, "attention_norm"))
        attended = layers.MultiHeadAttention(HEADS, DEEP // HEADS, name="attention")(pixels, pixels)
        x = layers.Add()([x, layers.Reshape((self.size // 2, self.size // 2, DEEP))(attended)])
        x = _keras_residual(x, time, "inner2", DEEP, DEEP)
        x = _keras_conv(layers.UpSampling2D(2, interpolation="nearest")(x), "up", DEEP)
        x = _keras_residual(layers.Concatenate()([x, kept]), time, "joined", DEEP + WIDTH, WIDTH)
        x = _keras_conv(layers.Activation("silu")(_keras_norm(x, "exit_norm")), "exit", CHANNELS)
        noise = layers.Permute((3, 1, 2))(x)
        return keras.Model({"latent": latent, "timestep": timestep}, noise, name=self.name)


def residuals() -> tuple[tuple[str, int, int], ...]:
    """Name, input and output channels of each residual block, in order."""
    return (
        ("outer", WIDTH, WIDTH), ("inner1", WIDTH, DEEP), ("inner2", DEEP, DEEP), ("joined", DEEP + WIDTH, WIDTH),
    )  # fmt: skip


def _torch_residual(inputs: int, outputs: int) -> "torch.nn.Module":
    """Norm, SiLU, convolution, twice, the timestep added between; added to the input."""
    from torch import Tensor, nn
    from torch.nn.functional import silu

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1 = nn.GroupNorm(GROUPS, inputs, eps=EPSILON)
            self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
            self.time = nn.Linear(TIME, outputs)
            self.norm2 = nn.GroupNorm(GROUPS, outputs, eps=EPSILON)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
            self.projects = inputs != outputs
            if self.projects:
                self.shortcut = nn.Conv2d(inputs, outputs, 1)

        def forward(self, x: Tensor, time: Tensor) -> Tensor:
            kept = self.shortcut(x) if self.projects else x
            x = self.conv1(silu(self.norm1(x))) + self.time(time)[:, :, None, None]
            return kept + self.conv2(silu(self.norm2(x)))

    return Residual()


def _keras_conv(x: "keras.KerasTensor", name: str, channels: int, stride: int = 1) -> "keras.KerasTensor":
    """A 3x3 convolution, padded on both sides as in torch."""
    from keras import layers

    return layers.Conv2D(channels, 3, stride, "valid", name=name)(layers.ZeroPadding2D(1)(x))


def _keras_norm(x: "keras.KerasTensor", name: str) -> "keras.KerasTensor":
    from keras import layers

    return layers.GroupNormalization(GROUPS, epsilon=EPSILON, name=name)(x)


def _keras_residual(
    x: "keras.KerasTensor", time: "keras.KerasTensor", name: str, inputs: int, outputs: int
) -> "keras.KerasTensor":
    from keras import layers

    kept = layers.Conv2D(outputs, 1, name=f"{name}.shortcut")(x) if inputs != outputs else x
    x = _keras_conv(layers.Activation("silu")(_keras_norm(x, f"{name}.norm1")), f"{name}.conv1", outputs)
    added = layers.Reshape((1, 1, outputs))(layers.Dense(outputs, name=f"{name}.time")(time))
    x = layers.Activation("silu")(_keras_norm(x + added, f"{name}.norm2"))
    return layers.Add()([kept, _keras_conv(x, f"{name}.conv2", outputs)])
