"""as-given: a user's own ONNX file, which is checked as it is."""

from collections.abc import Mapping
from pathlib import Path

from kb.convert.base import BaseRoute
from kb.models.interface import Array, Model, Source


class AsGiven(BaseRoute):
    """Nothing is converted."""

    name = "as-given"
    packages = ("onnx",)
    sources = (Source.ONNX,)

    def start(self) -> None:
        """Nothing is needed."""

    def convert(self, model: Model, examples: Mapping[str, Array], opset: int, folder: Path) -> Path:
        """The file itself."""
        if model.path is None:
            raise ValueError(f"{model.name} is no file")
        return model.path
