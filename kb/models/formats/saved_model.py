"""Folders of TensorFlow's SavedModel, run by their default serving signature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kb.models.errors import ModelError
from kb.models.formats.interface import reading
from kb.models.interface import Array, Source
from kb.models.signature import TensorSpec

#: The file that makes a folder a SavedModel.
MAIN_FILE = "saved_model.pb"
SIGNATURE = "serving_default"


class SavedModel:
    """A folder with a ``saved_model.pb``."""

    source = Source.SAVED_MODEL
    words = "the folder of a TensorFlow SavedModel"

    def check(self, path: Path) -> None:
        """The main file must be there, and not empty."""
        main = path / MAIN_FILE
        if not main.is_file() or not main.stat().st_size:
            raise ModelError(f"{path}: a folder without a {MAIN_FILE} is no TensorFlow SavedModel")

    def signature(self, path: Path) -> list[TensorSpec]:
        """The inputs of the serving signature by name, in alphabetical order: TensorFlow keeps no other."""
        with reading(path, self.words):
            serve, _ = _load(path)
            _, named = serve.structured_input_signature
            return [_spec(name, named[name]) for name in sorted(named)]

    def reference(self, path: Path, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """The file's own outputs on the CPU, in the alphabetical order of their names: it has one precision only."""
        with reading(path, self.words):
            import tensorflow as tf

            with tf.device("/CPU:0"):
                serve, _owner = _load(path)
                outputs = serve(**{name: tf.constant(array) for name, array in inputs.items()})
            return [np.asarray(outputs[name]) for name in sorted(outputs)], "self"


def _load(path: Path) -> tuple[Any, Any]:
    """The serving function, and the object that owns its variables and must outlive it."""
    import tensorflow as tf

    owner = tf.saved_model.load(str(path))
    if SIGNATURE not in owner.signatures:
        found = ", ".join(sorted(owner.signatures)) or "none"
        raise ModelError(f"{path}: has no signature {SIGNATURE!r} (found: {found}): save it with one")
    return owner.signatures[SIGNATURE], owner


def _spec(name: str, declared: Any) -> TensorSpec:
    shape = None if declared.shape.rank is None else tuple(declared.shape.as_list())
    return TensorSpec(name, shape, declared.dtype.name)
