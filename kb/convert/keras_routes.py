"""keras-export and the two ways into tf2onnx: from a function, and from a SavedModel by its command line."""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from kb.convert.base import BaseRoute, written
from kb.convert.errors import NothingWritten
from kb.models.interface import Array, Model, Source
from kb.runtimes.onnx_export import ARRANGEMENT_KEY, KERAS_OPSET, arrangement
from kb.runtimes.tf_base import start_tensorflow, structured

if TYPE_CHECKING:
    import keras

#: The last release of tf2onnx that is known to stop at `KERAS_OPSET`. A later one is asked.
LIMITED = Version("1.17.0")
#: Kept of what tf2onnx's command line says when it fails.
TAIL_CHARS = 2000


class KerasRoute(BaseRoute):
    """Base of the routes from a Keras model."""

    packages = ("tf2onnx", "keras", "tensorflow", "tensorflow-cpu", "onnx")
    sources: tuple[Source, ...] = (Source.KERAS,)

    def refuse(self, model: Model, opset: int) -> str | None:
        """Opsets that the installed tf2onnx is known not to write: it says so only after TensorFlow is imported."""
        release = _tf2onnx()
        if release is not None and release <= LIMITED and opset > KERAS_OPSET:
            return f"tf2onnx {release} writes no opset beyond {KERAS_OPSET}"
        return super().refuse(model, opset)

    def start(self) -> None:
        """Import TensorFlow, Keras and tf2onnx."""
        start_tensorflow(1, "cpu")
        import tf2onnx

        del tf2onnx

    def convert(self, model: Model, examples: Mapping[str, Array], opset: int, folder: Path) -> Path:
        """Export, and write into the file how its inputs come from the model's."""
        arranged = model.keras_inputs(examples)
        path = self._export(model, arranged, opset, folder)
        return _noted(written(path, self.name), arrangement(examples, arranged))

    def _export(self, model: Model, arranged: Mapping[str, Array], opset: int, folder: Path) -> Path:
        """Write the file."""
        raise NotImplementedError


class KerasExport(KerasRoute):
    """``model.export(path, format="onnx")``, which calls tf2onnx after patching it."""

    name = "keras-export"

    def _export(self, model: Model, arranged: Mapping[str, Array], opset: int, folder: Path) -> Path:
        built = model.keras_model()
        path = folder / "model.onnx"
        built.export(
            str(path), format="onnx", input_signature=signature(built, arranged), opset_version=opset, verbose=False
        )
        return path


class Tf2onnxFunction(KerasRoute):
    """``tf2onnx.convert.from_function(tf.function(model), input_signature, opset)``."""

    name = "tf2onnx-function"

    def _export(self, model: Model, arranged: Mapping[str, Array], opset: int, folder: Path) -> Path:
        import tensorflow as tf
        import tf2onnx

        built = model.keras_model()
        names = list(arranged)
        path = folder / "model.onnx"
        tf2onnx.convert.from_function(
            tf.function(lambda *given: built(structured(built, dict(zip(names, given, strict=True))), training=False)),
            input_signature=_specs(arranged),
            opset=opset,
            output_path=str(path),
        )
        return path


class Tf2onnxSavedModel(KerasRoute):
    """``python -m tf2onnx.convert --saved-model FOLDER --opset N --output FILE``, as its manual says."""

    name = "tf2onnx-saved-model"
    sources: tuple[Source, ...] = (Source.KERAS, Source.SAVED_MODEL)

    def _export(self, model: Model, arranged: Mapping[str, Array], opset: int, folder: Path) -> Path:
        saved = model.path if self.source(model) is Source.SAVED_MODEL else None
        if saved is None:
            saved = folder / "saved_model"
            _save(model.keras_model(), arranged, saved)
        path = folder / "model.onnx"
        command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(saved)]
        command += ["--opset", str(opset), "--output", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            raise RuntimeError(f"tf2onnx ended with {done.returncode}: {_last_line(done.stderr)}")
        if not path.exists():
            raise NothingWritten(f"tf2onnx ended with 0 and without a file: {_last_line(done.stderr)}")
        return path


def signature(built: "keras.Model", arranged: Mapping[str, Array]) -> list[Any]:
    """What `keras.Model.export` wants to know of the inputs: any number of samples, one sample as it is."""
    import keras

    specs = {
        name: keras.InputSpec(shape=(None, *array.shape[1:]), dtype=array.dtype.name, name=name)
        for name, array in arranged.items()
    }
    return [structured(built, specs)]


def _tf2onnx() -> Version | None:
    """The installed release; None where there is none."""
    try:
        return Version(version("tf2onnx"))
    except PackageNotFoundError:
        return None


def _save(built: "keras.Model", arranged: Mapping[str, Array], folder: Path) -> None:
    """A SavedModel whose serving signature takes the inputs by their names."""
    import tensorflow as tf

    names = list(arranged)

    def serve(**given: Any) -> Any:
        answers = tf.nest.flatten(built(structured(built, given), training=False))
        return {f"output_{index}": answer for index, answer in enumerate(answers)}

    specs = dict(zip(names, _specs(arranged), strict=True))
    module = tf.Module()
    module.model = built
    module.serve = tf.function(serve)
    tf.saved_model.save(module, str(folder), signatures=module.serve.get_concrete_function(**specs))


def _specs(arranged: Mapping[str, Array]) -> list[Any]:
    import tensorflow as tf

    return [tf.TensorSpec((None, *array.shape[1:]), array.dtype, name=name) for name, array in arranged.items()]


def _noted(path: Path, origins: Mapping[str, tuple[str, list[int]]]) -> Path:
    """Write into the file's metadata how each of its inputs is made from the model's.

    tf2onnx calls an input ``x`` or ``x:0``, and a signature's ``serving_default_x:0``.
    """
    import onnx

    proto = onnx.load(str(path))
    names = {_plain(value.name): value.name for value in proto.graph.input}
    found = {names.get(name, name): origin for name, origin in origins.items()}
    onnx.helper.set_model_props(proto, {ARRANGEMENT_KEY: json.dumps(found)})
    onnx.save(proto, str(path))
    return path


def _plain(name: str) -> str:
    return name.removeprefix("serving_default_").removesuffix(":0")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text[-TAIL_CHARS:].splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
