"""litert: TensorFlow's own way to small devices, executed by LiteRT's interpreter."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from kb.convert.base import BaseRoute, written
from kb.convert.conversion import NO_OPSET
from kb.convert.interface import Form
from kb.convert.keras_routes import signature
from kb.models.interface import Array, Model, Source
from kb.runtimes.tf_base import start_tensorflow


class LiteRt(BaseRoute):
    """``model.export(path, format="litert")``: by way of a SavedModel, as Keras 3 wants it.

    ``TFLiteConverter.from_keras_model`` still looks for Keras 2 where a model has more than one input.
    """

    name = "litert"
    packages = ("tensorflow", "tensorflow-cpu", "ai-edge-litert", "keras")
    sources = (Source.KERAS,)
    form = Form.TFLITE

    def refuse(self, model: Model, opset: int) -> str | None:
        """Opsets are ONNX's; and the file is nothing without an interpreter."""
        if opset != NO_OPSET:
            return "LiteRT files have no opset"
        if find_spec("ai_edge_litert") is None:
            return "ai-edge-litert is not installed"
        return super().refuse(model, opset)

    def start(self) -> None:
        """Import TensorFlow and Keras."""
        start_tensorflow(1, "cpu")

    def convert(self, model: Model, examples: Mapping[str, Array], opset: int, folder: Path) -> Path:
        """Export. Operators that TensorFlow Lite lacks are left to TensorFlow, which the plain interpreter refuses."""
        path = folder / "model.tflite"
        arranged = model.keras_inputs(examples)
        built = model.keras_model()
        built.export(str(path), format="litert", input_signature=signature(built, arranged), verbose=False)
        return written(path, self.name)
