"""Models and a runtime without any framework, well-behaved and not: real workers run them in the bench's tests."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kb.models.interface import Array, Source
from kb.records.case import Case
from kb.runtimes.base import Direct
from kb.workers import stages


class Affine:
    """y = x W, with 8 inputs and 4 outputs."""

    name = "affine"
    sources = frozenset({Source.TORCH})
    path: Path | None = None

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        return {"x": np.random.default_rng(seed).standard_normal((batch, 8)).astype(np.float32)}

    def weights(self) -> dict[str, Any]:
        return {"w": np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)}

    def torch_module(self) -> Any:
        """Nothing: the fake runtimes take the weights."""

    def keras_model(self, dtype: str = "float32") -> Any:
        raise NotImplementedError

    def keras_inputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return dict(inputs)

    def reference(self, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        return [inputs["x"].astype(np.float64) @ self.weights()["w"].astype(np.float64)], "float64"

    def misbehave(self) -> None:
        """What the runtime calls while it builds the model."""

    def spoil(self, output: Array) -> Array:
        """What comes of a right output."""
        return output


class Hangs(Affine):
    name = "hangs"

    def misbehave(self) -> None:
        time.sleep(600)


class Segfaults(Affine):
    name = "segfaults"

    def misbehave(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


class FillsMemory(Affine):
    name = "fills_memory"

    def misbehave(self) -> None:
        kept = []
        while True:
            kept.append(bytearray(b"x" * (64 << 20)))


class PrintsGarbage(Affine):
    name = "prints_garbage"

    def misbehave(self) -> None:
        os.write(stages._reply_fd or -1, b"\x00\xff this is no answer\n")


class FloodsStderr(Affine):
    name = "floods_stderr"

    def misbehave(self) -> None:
        sys.stderr.write("flood\n" * 2_000_000)


class LeavesAChild(Affine):
    name = "leaves_a_child"

    def misbehave(self) -> None:
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)


class Raises(Affine):
    name = "raises"

    def misbehave(self) -> None:
        raise RuntimeError(
            "Could not find an implementation for Gemm(13)\nwith <b>markup</b>, commas and \x1b[31mcolour"
        )


class Wrong(Affine):
    name = "wrong"

    def spoil(self, output: Array) -> Array:
        return np.asarray(output * 1.01)


class NotFinite(Affine):
    name = "not_finite"

    def spoil(self, output: Array) -> Array:
        return np.full_like(output, np.nan)


class NoReference(Affine):
    name = "no_reference"

    def reference(self, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        raise ValueError("no reference for this one")


class Foreign(Affine):
    """A model in a form that the runtime does not take."""

    name = "foreign"
    sources = frozenset({Source.KERAS})


class _Session:
    def __init__(self, model: Affine, x: Array) -> None:
        self._model, self._x, self._w = model, x, model.weights()["w"]

    def call(self) -> Any:
        return self._x @ self._w

    def wait(self) -> None:
        pass

    def outputs(self) -> list[Array]:
        return [self._model.spoil(self.call())]

    def compiles(self) -> int:
        return 0

    def threads(self) -> int | None:
        return 1

    def peak_device_mib(self) -> float | None:
        return None

    def device_timer(self) -> None:
        return None


class NumpyRuntime(Direct):
    """Executes `Affine` and its like."""

    name = "numpy"
    packages = ("numpy",)
    sources = (Source.TORCH,)

    def start(self, case: Case) -> None:
        import numpy.linalg  # noqa: F401

    def build(self, model: Any, case: Case) -> Any:
        model.misbehave()
        return model

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> _Session:
        return _Session(built, np.asarray(inputs["x"]))


class Converting(NumpyRuntime):
    """The same through a file, made once per run."""

    name = "converting"

    def converts(self, model: Any) -> bool:
        return True

    def convert(self, model: Any, inputs: Mapping[str, Array], case: Case, folder: Path) -> Path:
        model.misbehave()
        path = folder / "weights.npy"
        np.save(path, model.weights()["w"])
        return path

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> _Session:
        session = _Session(Affine(), np.asarray(inputs["x"]))
        session._w = np.load(built)
        return session


class Absent(NumpyRuntime):
    """Its framework is not installed."""

    name = "absent"

    def start(self, case: Case) -> None:
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")


class Broken(NumpyRuntime):
    """Its framework is installed, and cannot be imported."""

    name = "broken"

    def start(self, case: Case) -> None:
        raise ImportError("libcudart.so.13: cannot open shared object file")
