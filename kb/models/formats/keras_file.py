"""Keras's own files, as `model.save` writes them."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.models.arrays import flat
from kb.models.errors import ModelError
from kb.models.formats.interface import reading
from kb.models.interface import Array, Source
from kb.models.signature import TensorSpec

if TYPE_CHECKING:
    import keras

#: In the archive: what the model is made of.
CONFIG = "config.json"


class KerasFile:
    """``*.keras``"""

    source = Source.KERAS
    words = "a .keras file of model.save"

    def check(self, path: Path) -> None:
        """It must be a zip archive with a configuration in it."""
        if not zipfile.is_zipfile(path):
            raise ModelError(f"{path}: cut off or of another kind; expected {self.words}, which is a zip archive")
        with zipfile.ZipFile(path) as archive:
            if CONFIG not in archive.namelist():
                raise ModelError(f"{path}: has no {CONFIG} in it; expected {self.words}")

    def signature(self, path: Path) -> list[TensorSpec]:
        """The inputs of the model by name, in its order."""
        with reading(path, self.words):
            return [_spec(tensor) for tensor in self.model(path).inputs]

    def reference(self, path: Path, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """The model's own outputs in the precision that it was saved in."""
        with reading(path, self.words):
            model = self.model(path)
            given: Any = dict(inputs) if len(inputs) > 1 else next(iter(inputs.values()))
            return [np.asarray(output) for output in flat(model(given, training=False))], "self"

    def model(self, path: Path, dtype: str = "float32") -> "keras.Model":
        """The model. Code in the file is never run: layers with a lambda in them are refused by Keras.

        Raises:
            ModelError: the file cannot be read, or another precision is asked for than it was saved in.
        """
        if dtype != "float32":
            raise ModelError(f"{path}: keeps the precision that it was saved in, not {dtype}")
        with reading(path, self.words):
            import keras

            loaded: keras.Model = keras.saving.load_model(str(path), compile=False, safe_mode=True)
            loaded.trainable = False
            return loaded


def _spec(tensor: Any) -> TensorSpec:
    return TensorSpec(tensor.name, tuple(tensor.shape), str(tensor.dtype))
