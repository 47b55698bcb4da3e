"""Converters that misbehave, each in one way."""

import ctypes
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from kb.convert.base import BaseRoute, written
from kb.models.interface import Array, Model, Source


class Bad(BaseRoute):
    """Base of them."""

    name = "bad"
    packages = ("numpy",)
    sources = (Source.TORCH,)

    def start(self) -> None:
        """Nothing is needed."""

    def convert(self, model: Model, examples: Mapping[str, Array], opset: int, folder: Path) -> Path:
        return written(self._do(folder / "model.onnx"), self.name)

    def _do(self, path: Path) -> Path:
        raise NotImplementedError


class Hangs(Bad):
    name = "hangs"

    def _do(self, path: Path) -> Path:
        time.sleep(600)
        return path


class Segfaults(Bad):
    name = "segfaults"

    def _do(self, path: Path) -> Path:
        ctypes.string_at(0)
        return path


class WritesNothing(Bad):
    name = "writes-nothing"

    def _do(self, path: Path) -> Path:
        return path


class ExitsWithoutAFile(Bad):
    name = "exits"

    def _do(self, path: Path) -> Path:
        sys.exit(0)


class Raises(Bad):
    name = "raises"

    def _do(self, path: Path) -> Path:
        raise RuntimeError("Unsupported operator aten::imaginary\nand more lines")


class WritesGarbage(Bad):
    name = "garbage"

    def _do(self, path: Path) -> Path:
        path.write_bytes(b"\x00garbage" * 100)
        return path


class SilentlyKeepsItsOpset(Bad):
    name = "keeps-18"

    def _do(self, path: Path) -> Path:
        from tests.convert import files

        return files.sound(path, opset=18)


class WritesOnly(Bad):
    """Not a route: it cannot be made without arguments."""

    def __init__(self, needed: str) -> None:
        self.needed = needed
