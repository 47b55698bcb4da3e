"""A model written once for torch and once for Keras: what the reference models and a user's own class share."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kb.models.arrays import flat, widened
from kb.models.errors import ModelError
from kb.models.interface import Array, Source, Weights

if TYPE_CHECKING:
    import keras
    import torch

#: An array with this many axes is a stack of images: (batch, channels, height, width).
IMAGE_AXES = 4


class PairedModel(ABC):
    """A `Model` made of two networks and one weight set.

    A subclass sets `name` and says how to draw its inputs. It builds one network or both; with only one, it narrows
    `sources`. Where `weights()` is not empty, its arrays are loaded into both networks.
    """

    name: str
    sources: frozenset[Source] = frozenset({Source.TORCH, Source.KERAS})
    path: Path | None = None

    @abstractmethod
    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """Seeded inputs of `batch` samples, by name, in the order of the torch network's positional arguments."""

    def weights(self) -> Weights:
        """The weight set in torch's names and layout. Empty: the builders bring their weights themselves."""
        return {}

    def torch_network(self) -> "torch.nn.Module":
        """The torch network; its parameters and buffers bear the names of `weights()`."""
        raise ModelError(f"model {self.name!r} has no torch_network(): write it, or leave torch out of sources")

    def keras_network(self) -> "keras.Model":
        """The Keras network, channels-last; inputs named as in `inputs`, layers named after torch's modules."""
        raise ModelError(f"model {self.name!r} has no keras_network(): write it, or leave keras out of sources")

    def torch_module(self) -> "torch.nn.Module":
        """The torch network with the weights loaded, in eval mode, float32, on the CPU."""
        import torch

        network = self.torch_network()
        weights = self.weights()
        if weights:
            network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        return network.eval().requires_grad_(False)

    def keras_model(self, dtype: str = "float32") -> "keras.Model":
        """The Keras network with the weights loaded, not trainable; `dtype` is a Keras dtype policy."""
        import keras

        from kb.models.layers_keras import load_weights

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(dtype)
        try:
            network = self.keras_network()
        finally:
            keras.config.set_dtype_policy(before)
        weights = self.weights()
        if weights:
            load_weights(network, weights)
        network.trainable = False
        return network

    def keras_inputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The inputs with stacks of images turned from NCHW to NHWC. A model with other layouts overrides this."""
        return {
            name: np.ascontiguousarray(np.moveaxis(array, 1, -1)) if array.ndim == IMAGE_AXES else array
            for name, array in inputs.items()
        }

    def reference(self, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """Outputs in double precision from the torch network, or from the Keras network where torch is missing.

        Raises:
            ModelError: the framework of neither network can be imported.
        """
        if Source.TORCH in self.sources and _imports("torch"):
            return self._torch_reference(inputs), "float64"
        if Source.KERAS in self.sources and _imports("keras"):
            return self._keras_reference(inputs), "float64"
        needed = " or ".join(sorted(self.sources))
        raise ModelError(f"the reference outputs of model {self.name!r} need {needed}, and neither can be imported")

    def _torch_reference(self, inputs: Mapping[str, Array]) -> list[Array]:
        import torch

        module = self.torch_module().double()
        tensors = [torch.from_numpy(widened(array)) for array in inputs.values()]
        with torch.inference_mode():
            outputs = module(*tensors)
        return [output.numpy() for output in flat(outputs)]

    def _keras_reference(self, inputs: Mapping[str, Array]) -> list[Array]:
        import keras

        outputs = self.keras_model("float64")(self.keras_inputs(inputs), training=False)
        return [keras.ops.convert_to_numpy(output) for output in flat(outputs)]


def _imports(package: str) -> bool:
    """Whether a framework can be imported; one whose libraries fail to load (OSError) cannot."""
    try:
        importlib.import_module(package)
    except (ImportError, OSError):
        return False
    return True
