"""The model as an object of its framework, where it is one: to look inside it, and to measure its noise."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.models.arrays import flat
from kb.models.artefact import Artefact
from kb.models.interface import Array, Model, Source
from kb.models.origin import keras_arguments, kind_of

if TYPE_CHECKING:
    import keras
    import torch


def torch_original(model: Model) -> "torch.nn.Module | None":
    """A torch module in float32 and eval mode, of the caller's own; None where the model is none.

    Raises:
        ModelError: what a user's file was made from cannot be found.
    """
    if Source.TORCH in model.sources:
        return model.torch_module()
    if Source.TORCHSCRIPT in model.sources:
        import torch

        return torch.jit.load(model.path, map_location="cpu").eval()
    return _said_to_be(model, Source.TORCH)


def keras_original(model: Model) -> "keras.Model | None":
    """A Keras model in the precision that it comes in; None where the model is none.

    Raises:
        ModelError: what a user's file was made from cannot be found.
    """
    if Source.KERAS in model.sources:
        return model.keras_model()
    return _said_to_be(model, Source.KERAS)


def arranged(model: Model, built: "keras.Model", inputs: Mapping[str, Array]) -> Any:
    """A model's inputs as its Keras original takes them."""
    if Source.KERAS not in model.sources:
        return keras_arguments(built, inputs)
    from kb.runtimes.tf_base import structured

    return structured(built, model.keras_inputs(inputs))


def torch_inputs(module: "torch.nn.Module", inputs: Mapping[str, Array]) -> list["torch.Tensor"]:
    """Inputs on the CPU, floating-point numbers in the precision of the module: a file may take them in another."""
    import torch

    from kb.runtimes.torch_base import tensors

    kinds = (weight.dtype for weight in module.parameters() if weight.is_floating_point())
    kind = next(kinds, torch.float32)
    given = tensors(inputs, torch.device("cpu"))
    return [tensor.to(kind) if tensor.is_floating_point() else tensor for tensor in given]


def run_torch(module: "torch.nn.Module", inputs: Mapping[str, Array]) -> list[Array]:
    """The outputs of a torch module on the CPU."""
    import torch

    with torch.inference_mode():
        return [output.numpy() for output in flat(module(*torch_inputs(module, inputs)))]


def run_keras(model: Model, built: "keras.Model", inputs: Mapping[str, Array]) -> list[Array]:
    """The outputs of a Keras model."""
    return [np.asarray(output) for output in flat(built(arranged(model, built, inputs), training=False))]


def _said_to_be(model: Model, kind: Source) -> Any:
    found = model.original() if isinstance(model, Artefact) else None
    return found if found is not None and kind_of(found) is kind else None
