"""What a file's inputs look like: declared by the file, completed by the settings, filled with seeded numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kb.complaints import nearest
from kb.models.errors import ModelError
from kb.models.interface import Array

#: Length of an axis that may have any, other than the batch, where neither the file nor the settings say more: a usual
#: number of tokens, and a small image.
DEFAULT_LENGTH = 64


@dataclass(frozen=True)
class TensorSpec:
    """One input: what is known of it. The first axis is the batch."""

    name: str
    shape: tuple[int | None, ...] | None = None  #: None: unknown; an axis that is None may have any length
    dtype: str | None = None  #: NumPy's name; None: unknown
    usual: tuple[int, ...] = ()  #: a shape that is known to work, where the file holds an example

    def __str__(self) -> str:
        axes = "?" if self.shape is None else ", ".join("any" if axis is None else str(axis) for axis in self.shape)
        return f"{self.dtype or '?'} [{axes}]"


def completed(declared: Sequence[TensorSpec], settings: Iterable[TensorSpec]) -> list[TensorSpec]:
    """What the file declares, with what the settings add, in the file's order.

    Raises:
        ModelError: the settings name an input that the file does not have, or contradict the file.
    """
    added = {spec.name: spec for spec in settings}
    names = [spec.name for spec in declared]
    for name in added:
        if name not in names:
            raise ModelError(f"there is no input {name!r}; {nearest(name, names)}")
    return [_both(spec, added[spec.name]) if spec.name in added else spec for spec in declared]


def _both(declared: TensorSpec, added: TensorSpec) -> TensorSpec:
    """One input as the file and the settings together describe it."""
    shape = added.shape if declared.shape is None else declared.shape
    dtype = declared.dtype or added.dtype
    if declared.shape is not None and added.shape is not None:
        pairs = list(zip(declared.shape, added.shape, strict=False))
        if len(declared.shape) != len(added.shape) or any(a and b and a != b for a, b in pairs):
            raise ModelError(f"input {added.name!r} is {declared} in the file and {added} in the settings")
        shape = tuple(b if a is None else a for a, b in pairs)
    if added.dtype not in (None, dtype):
        raise ModelError(f"input {added.name!r} is {declared} in the file and {added} in the settings")
    return replace(declared, shape=shape, dtype=dtype)


def draw(spec: TensorSpec, batch: int, random: np.random.Generator) -> Array:
    """An array for `batch` samples of a fully known input.

    Floating-point numbers are standard normal; integers are 0 or 1, which every vocabulary and every mask has.

    Raises:
        ModelError: the file takes batches of another size only, or NumPy has no such element type.
    """
    shape = concrete_shape(spec, batch)
    if spec.dtype in ("float16", "float32", "float64"):
        return random.standard_normal(shape).astype(spec.dtype)
    if spec.dtype == "bool" or (spec.dtype or "").lstrip("u") in ("int8", "int16", "int32", "int64"):
        return random.integers(0, 2, shape).astype(spec.dtype)
    raise ModelError(f"input {spec.name!r} holds {spec.dtype}, for which kb makes no numbers: give a reference .npz")


def concrete_shape(spec: TensorSpec, batch: int) -> tuple[int, ...]:
    """The shape for `batch` samples.

    Raises:
        ModelError: the file takes batches of another size only.
    """
    if not spec.shape:
        return ()
    first, *others = spec.shape
    check_batch(spec, batch)
    usual = spec.usual or (first or batch, *[DEFAULT_LENGTH] * len(others))
    return (batch, *(known if axis is None else axis for axis, known in zip(others, usual[1:], strict=True)))


def check_batch(spec: TensorSpec, batch: int) -> None:
    """Raise ModelError where the first axis is fixed at another length than `batch`."""
    if spec.shape and spec.shape[0] not in (None, batch):
        raise ModelError(f"input {spec.name!r} takes batches of {spec.shape[0]} only, not of {batch}")


def check_samples(spec: TensorSpec, array: Array) -> None:
    """Raise ModelError where given samples do not fit the input, whatever their number."""
    fits = spec.dtype in (None, array.dtype.name)
    if spec.shape is not None:
        fits &= len(spec.shape) == array.ndim
        fits &= all(axis in (None, length) for axis, length in zip(spec.shape[1:], array.shape[1:], strict=False))
    if not fits:
        raise ModelError(f"input {spec.name!r} is {spec}, the samples are {array.dtype.name} {list(array.shape)}")
