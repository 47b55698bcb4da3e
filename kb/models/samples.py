"""A user's reference file: samples as inputs and, if it holds them, the outputs they should give."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.models.errors import ModelError
from kb.models.interface import Array

#: Arrays called `expected_0`, `expected_1`, ... are the outputs in their order; all others are inputs by name.
EXPECTED = "expected_"
#: The array that holds the classes of labelled samples.
LABELS = "labels"


@dataclass(frozen=True)
class Samples:
    """Inputs and expected outputs (none: empty); the first axis of each array is the sample."""

    path: Path
    inputs: dict[str, Array]
    expected: list[Array]

    def choose(self, batch: int, seed: int) -> dict[str, Array]:
        """`batch` samples in a seeded order; again from the first of them where the file has fewer."""
        count = len(next(iter(self.inputs.values())))
        rows = np.resize(np.random.default_rng(seed).permutation(count), batch)
        return {name: array[rows] for name, array in self.inputs.items()}

    def outputs_for(self, inputs: Mapping[str, Array]) -> list[Array]:
        """The expected outputs of samples that `choose` returned.

        Raises:
            ModelError: an input is not among the samples.
        """
        row_of = {key: row for row, key in enumerate(_keys(self.inputs))}
        try:
            rows = [row_of[key] for key in _keys({name: inputs[name] for name in self.inputs})]
        except KeyError:
            raise ModelError(f"{self.path} has no expected outputs for inputs that are not its own") from None
        return [array[rows] for array in self.expected]


def read_samples(path: Path) -> Samples:
    """Read an ``.npz`` file.

    Raises:
        ModelError: the file is missing, damaged, of another kind, or its arrays do not belong together.
    """
    arrays = _read(path)
    inputs = {name: array for name, array in arrays.items() if not name.startswith(EXPECTED)}
    wanted = [f"{EXPECTED}{index}" for index in range(len(arrays) - len(inputs))]
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise ModelError(f"{path}: has no {missing[0]!r}: outputs are called {EXPECTED}0, {EXPECTED}1 and so on")
    if not inputs:
        raise ModelError(f"{path}: has no inputs: expected arrays with the names of the model's inputs")
    lengths = {name: array.shape[0] if array.ndim else 0 for name, array in arrays.items()}
    if min(lengths.values()) == 0 or len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise ModelError(f"{path}: every array needs the same number of samples in its first axis, not {listed}")
    return Samples(path, inputs, [arrays[name] for name in wanted])


def read_labelled(path: Path) -> tuple[dict[str, Array], NDArray[np.int64]]:
    """Read an ``.npz`` file of labelled samples: the inputs by name, and `LABELS`, the class of each sample.

    Raises:
        ModelError: the file is missing, damaged, of another kind, or its arrays do not belong together.
    """
    arrays = _read(path)
    labels = arrays.pop(LABELS, None)
    if labels is None or labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ModelError(f"{path}: needs an array {LABELS!r} with the class of each sample, an integer")
    if not arrays:
        raise ModelError(f"{path}: has no inputs: expected arrays with the names of the model's inputs")
    lengths = {name: array.shape[0] if array.ndim else 0 for name, array in arrays.items()}
    if not len(labels) or set(lengths.values()) != {len(labels)}:
        listed = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise ModelError(f"{path}: {len(labels)} labels, but samples {listed}")
    return arrays, labels.astype(np.int64)


def _read(path: Path) -> dict[str, Array]:
    if not path.is_file():
        raise ModelError(f"{path}: no such file; expected an .npz with samples")
    if not zipfile.is_zipfile(path):
        raise ModelError(f"{path}: cut off or of another kind; expected an .npz written by numpy.savez")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"{path}: cannot be read as an .npz written by numpy.savez: {reason}") from error


def _keys(inputs: Mapping[str, Array]) -> list[tuple[bytes, ...]]:
    """One key for each sample, made of its bits."""
    return list(zip(*([row.tobytes() for row in array] for array in inputs.values()), strict=True))
