"""Small things done to inputs and outputs by every kind of model."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kb.models.interface import Array


def flat(outputs: Any) -> list[Any]:
    """The tensors of lists, tuples and dicts, however nested, in their order."""
    if isinstance(outputs, Mapping):
        return [leaf for value in outputs.values() for leaf in flat(value)]
    if isinstance(outputs, list | tuple):
        return [leaf for value in outputs for leaf in flat(value)]
    return [outputs]


def widened(array: Array) -> Array:
    """Floating-point arrays in float64, others as they are."""
    return array.astype(np.float64) if np.issubdtype(array.dtype, np.floating) else array
