"""Two networks small enough to compile in seconds, with their outputs written out in NumPy, float64.

`TinyNet` has an image, so that a layout left unconverted shows; `TinyText` has two inputs, one of them integers, and
two outputs, so that an order mistaken shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from kb.models.interface import Array, Source, Weights

if TYPE_CHECKING:
    import keras
    import torch

BOTH = frozenset({Source.TORCH, Source.KERAS})


@dataclass(frozen=True)
class Tiny:
    """A model with a torch and a Keras builder, or one of its files."""

    name: str = "tiny"
    sources: frozenset[Source] = BOTH
    path: Path | None = None

    def only(self, source: Source, path: Path | None = None) -> Self:
        """The same model, to be had in one form alone."""
        return replace(self, sources=frozenset({source}), path=path)


@dataclass(frozen=True)
class TinyNet(Tiny):
    """Image (batch, 3, 8, 8) -> 3 x 3 convolution, ReLU, mean over the image, dense -> (batch, 5)."""

    name: str = "tiny_net"

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        return {"image": np.random.default_rng(seed).standard_normal((batch, 3, 8, 8)).astype(np.float32)}

    def keras_inputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return {"image": np.ascontiguousarray(inputs["image"].transpose(0, 2, 3, 1))}

    def weights(self) -> Weights:
        return _draw({"conv.weight": (4, 3, 3, 3), "conv.bias": (4,), "dense.weight": (5, 4), "dense.bias": (5,)})

    def torch_module(self) -> "torch.nn.Module":
        from torch import Tensor, nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv = nn.Conv2d(3, 4, 3)
                self.dense = nn.Linear(4, 5)

            def forward(self, image: Tensor) -> Tensor:
                return self.dense(self.conv(image).relu().mean((2, 3)))

        return _filled(Net(), self.weights())

    def keras_model(self, dtype: str = "float32") -> "keras.Model":
        import keras
        from keras import layers

        image = keras.Input((8, 8, 3), name="image")
        convolved = layers.Conv2D(4, 3, activation="relu", dtype=dtype, name="conv")(image)
        mean = layers.GlobalAveragePooling2D(dtype=dtype)(convolved)
        model = keras.Model(image, layers.Dense(5, dtype=dtype, name="dense")(mean))
        weights = self.weights()
        model.get_layer("conv").set_weights([weights["conv.weight"].transpose(2, 3, 1, 0), weights["conv.bias"]])
        model.get_layer("dense").set_weights([weights["dense.weight"].T, weights["dense.bias"]])
        return model

    def reference(self, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        weights = {name: array.astype(np.float64) for name, array in self.weights().items()}
        windows = np.lib.stride_tricks.sliding_window_view(inputs["image"].astype(np.float64), (3, 3), axis=(2, 3))
        convolved = np.einsum("bchwij,ocij->bohw", windows, weights["conv.weight"])
        mean = np.maximum(convolved + weights["conv.bias"][:, None, None], 0).mean(axis=(2, 3))
        return [mean @ weights["dense.weight"].T + weights["dense.bias"]], "float64"


@dataclass(frozen=True)
class TinyText(Tiny):
    """Ids (batch, 6), their weights (batch, 6) -> weighted sum of embeddings -> scores (batch, 3), sum (batch, 4)."""

    name: str = "tiny_text"

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        random = np.random.default_rng(seed)
        ids = random.integers(0, 11, (batch, 6), dtype=np.int64)
        return {"ids": ids, "attention": random.random((batch, 6), dtype=np.float32)}

    def keras_inputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return dict(inputs)

    def weights(self) -> Weights:
        return _draw({"words.weight": (11, 4), "dense.weight": (3, 4), "dense.bias": (3,)})

    def torch_module(self) -> "torch.nn.Module":
        from torch import Tensor, nn

        class Text(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.words = nn.Embedding(11, 4)
                self.dense = nn.Linear(4, 3)

            def forward(self, ids: Tensor, attention: Tensor) -> tuple[Tensor, Tensor]:
                total = (self.words(ids) * attention[..., None]).sum(1)
                return self.dense(total), total

        return _filled(Text(), self.weights())

    def keras_model(self, dtype: str = "float32") -> "keras.Model":
        import keras
        from keras import layers, ops

        ids, attention = keras.Input((6,), dtype="int64", name="ids"), keras.Input((6,), name="attention")
        total = ops.sum(layers.Embedding(11, 4, name="words")(ids) * attention[..., None], axis=1)
        scores = layers.Dense(3, name="dense")(total)
        model = keras.Model({"ids": ids, "attention": attention}, [scores, total])
        weights = self.weights()
        model.get_layer("words").set_weights([weights["words.weight"]])
        model.get_layer("dense").set_weights([weights["dense.weight"].T, weights["dense.bias"]])
        return model

    def reference(self, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        weights = {name: array.astype(np.float64) for name, array in self.weights().items()}
        total = (weights["words.weight"][inputs["ids"]] * inputs["attention"][..., None].astype(np.float64)).sum(axis=1)
        return [total @ weights["dense.weight"].T + weights["dense.bias"], total], "float64"


def in_form(model: Any, source: Source, batch: int, folder: Path) -> Any:
    """The model in one form alone; where that is a file, the frameworks' own functions write it for `batch` samples."""
    path = folder / f"{model.name}-{source}-{batch}"
    match source:
        case Source.TORCH | Source.KERAS:
            return model.only(source)
        case Source.SAVED_MODEL:
            model.keras_model().export(str(path), format="tf_saved_model", verbose=False)
            return model.only(source, path)
    import torch

    arguments = tuple(torch.from_numpy(array) for array in model.inputs(batch, seed=0).values())
    module = model.torch_module()
    match source:
        case Source.TORCHSCRIPT:
            torch.jit.save(torch.jit.trace(module, arguments), path)
        case Source.TORCH_EXPORT:
            path = path.with_suffix(".pt2")
            torch.export.save(torch.export.export(module, arguments), path)
        case Source.ONNX:
            torch.onnx.export(module, arguments, path, dynamo=True, external_data=False, verbose=False)
    return model.only(source, path)


def _draw(shapes: Mapping[str, tuple[int, ...]]) -> Weights:
    random = np.random.default_rng(11)
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def _filled(module: "torch.nn.Module", weights: Weights) -> "torch.nn.Module":
    import torch

    module.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return module.eval()
