"""What a user's file was made from, as `module:attribute`: a torch module, a Keras model, or a function of arrays."""

import copy
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from kb.discovery import UnknownPart, load
from kb.models.arrays import flat, widened
from kb.models.errors import ModelError
from kb.models.interface import Array, Source


def find_origin(target: str) -> Any:
    """The original. A class, and a function without parameters, is called: it makes the original.

    A torch module is the caller's own copy, in eval mode, so that nothing that is done to it is seen by another.

    Raises:
        ModelError: it cannot be found or made.
    """
    try:
        found = load(target)
    except (ImportError, UnknownPart) as error:
        raise ModelError(f"the reference {target} cannot be imported: {error}") from error
    if inspect.isclass(found) or (inspect.isfunction(found) and not inspect.signature(found).parameters):
        with _telling(f"the reference {target} cannot be made"):
            found = found()
    return copy.deepcopy(found).eval() if kind_of(found) is Source.TORCH else found


def kind_of(found: Any) -> Source | None:
    """`Source.TORCH` for a torch module, `Source.KERAS` for a Keras model, None for anything else.

    Imports neither framework.
    """
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(found).__mro__}
    if "torch.nn.modules.module.Module" in names:
        return Source.TORCH
    if any(name.startswith("keras.") and name.endswith(".Model") for name in names):
        return Source.KERAS
    return None


def run_origin(target: str, inputs: Mapping[str, Array]) -> list[Array]:
    """The outputs of the original: of a torch module in double precision, of anything else as it gives them.

    Raises:
        ModelError: it cannot be found, or cannot be run on the inputs.
    """
    found = find_origin(target)
    with _telling(f"the reference {target} cannot be run on the file's inputs"):
        return [np.asarray(output) for output in _run(found, inputs)]


def keras_arguments(model: Any, inputs: Mapping[str, Array]) -> Any:
    """Inputs as a Keras model takes them: one as it is, more by its own names, or else in their order."""
    if len(inputs) == 1:
        return next(iter(inputs.values()))
    names = list(getattr(model, "input_names", inputs))
    if sorted(names) == sorted(inputs) or len(names) != len(inputs):
        return dict(inputs)
    return dict(zip(names, inputs.values(), strict=True))


def _run(found: Any, inputs: Mapping[str, Array]) -> list[Any]:
    kind = kind_of(found)
    if kind is Source.TORCH:
        return _run_torch(found, inputs)
    if kind is Source.KERAS:
        return flat(found(keras_arguments(found, inputs), training=False))
    if not callable(found):
        raise ModelError(f"it is of type {type(found).__name__}, which cannot be called")
    return flat(found(*inputs.values()))


def _run_torch(module: Any, inputs: Mapping[str, Array]) -> list[Any]:
    import torch

    with torch.inference_mode():
        outputs = module.double()(*(torch.from_numpy(widened(array)) for array in inputs.values()))
    return [output.numpy() for output in flat(outputs)]


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """Whatever a user's code raises becomes one line."""
    try:
        yield
    except Exception as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"{what}: {reason}") from error
