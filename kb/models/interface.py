"""What a model must offer to be measured; the reference models, a user's class and a user's file all do."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras
    import torch

Array = NDArray[np.generic]
Weights = Mapping[str, NDArray[np.float32]]


class Source(StrEnum):
    """A form in which a model can be handed to a runtime."""

    TORCH = "torch"  #: `torch_module()`
    KERAS = "keras"  #: `keras_model()`
    ONNX = "onnx"  #: `path` is an ONNX file
    TORCHSCRIPT = "torchscript"  #: `path` is a file of torch.jit.save
    TORCH_EXPORT = "torch-export"  #: `path` is a `.pt2` file of torch.export.save
    SAVED_MODEL = "saved-model"  #: `path` is a TensorFlow SavedModel folder


@runtime_checkable
class Model(Protocol):
    """One model. Constructing it is cheap and imports no framework; the builders import theirs.

    Inputs are a dict of arrays in the order in which the torch module takes them as positional arguments and in
    torch's layout (images are NCHW); the batch is the first axis of each. The Keras model takes the same inputs
    channels-last: `keras_inputs` converts the arrays before anything is timed, so that neither side pays for a
    transposition. Outputs are always a list of arrays, the same and in the same layout on all sides.
    """

    name: str
    sources: frozenset[Source]
    path: Path | None  #: the file or folder, for the sources that are one

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """Seeded inputs of `batch` samples."""
        ...

    def weights(self) -> Weights:
        """The one weight set, in torch's names and layout, from a fixed seed. Empty where the file holds them."""
        ...

    def torch_module(self) -> "torch.nn.Module":
        """The module with the weights loaded, in eval mode, float32, on the CPU."""
        ...

    def keras_model(self, dtype: str = "float32") -> "keras.Model":
        """The Keras model with the same weights, channels-last, not trainable, built for any batch size."""
        ...

    def keras_inputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The same inputs as the Keras model takes them: channels-last, contiguous, under its own input names.

        For a SavedModel these are the names of its serving signature. Imports no framework.
        """
        ...

    def reference(self, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """Outputs to judge every runtime by, and their origin (`float64`, `file`, ...).

        Runs in a process of its own, so it may import any framework.
        """
        ...
