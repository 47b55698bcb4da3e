"""What a way to convert must offer; an OpenVINO or a JAX exporter is one more class of this kind."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from kb.models.interface import Array, Model, Source


class Form(StrEnum):
    """What a route writes: it decides which checks there are, and what executes the file."""

    ONNX = "onnx"
    TFLITE = "tflite"


class Route(Protocol):
    """One way to convert. Constructing it is cheap and imports no framework."""

    name: str
    packages: tuple[str, ...]  #: distributions whose versions the result depends on, the converter first
    sources: tuple[Source, ...]  #: forms of a model that it takes, the preferred one first
    form: Form

    def refuse(self, model: Model, opset: int) -> str | None:
        """Why this cannot work (status `unsupported`), or None. Imports no framework."""
        ...

    def start(self) -> None:
        """Import the frameworks and the converter, so that their import is not timed with the conversion."""
        ...

    def convert(self, model: Model, examples: Mapping[str, Array], opset: int, folder: Path) -> Path:
        """Write the model in float32 into `folder`, and return the file's path.

        The first axis of every input is the batch, and may have any length in the file.

        Args:
            examples: inputs to trace or export with; a batch of more than one, which exporters treat as a constant.
            opset: to write; `kb.convert.conversion.NO_OPSET` where the form has none.

        Raises:
            Exception: whatever the converter raises.
        """
        ...
