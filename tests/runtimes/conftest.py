"""Each runtime lives once per test session, in a process of its own; the tests look at what was seen there."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from kb.models.interface import Source
from tests.runtimes.exercise import Cell, Life

FRAMEWORK = {"torch": "torch", "tf": "tensorflow", "keras": "tensorflow", "onnxruntime": "onnxruntime"}

_PAIR = [Cell("tiny_net", Source.TORCH, 1), Cell("tiny_net", Source.TORCH, 3), Cell("tiny_text", Source.TORCH, 2)]
_KERAS_PAIR = [Cell(cell.model, Source.KERAS, cell.batch) for cell in _PAIR]

_MIXED_TORCH = [Cell("tiny_net", Source.TORCH, 3, "bf16"), Cell("tiny_net", Source.TORCH, 3, "fp16")]
_MIXED_KERAS = [Cell("tiny_net", Source.KERAS, 3, "bf16"), Cell("tiny_net", Source.KERAS, 3, "fp16")]

#: What each runtime goes through, in this order: another batch size, another model, the files that it takes.
CELLS = {
    "torch-eager": [*_PAIR, Cell("tiny_net", Source.TORCH_EXPORT, 2), *_MIXED_TORCH],
    "torch-torchscript": [*_PAIR, Cell("tiny_text", Source.TORCHSCRIPT, 2), *_MIXED_TORCH],
    "torch-compile": [*_PAIR, Cell("tiny_net", Source.TORCH_EXPORT, 2), *_MIXED_TORCH],
    "torch-export-aoti": [
        Cell("tiny_net", Source.TORCH, 3),
        Cell("tiny_text", Source.TORCH_EXPORT, 2),
        *_MIXED_TORCH,
    ],
    "tf-eager": [*_KERAS_PAIR, *_MIXED_KERAS],
    "tf-function": [
        *_KERAS_PAIR,
        Cell("tiny_net", Source.SAVED_MODEL, 2),
        Cell("tiny_text", Source.SAVED_MODEL, 2),
        *_MIXED_KERAS,
    ],
    "tf-xla": [*_KERAS_PAIR, *_MIXED_KERAS],
    "keras-predict": [*_KERAS_PAIR, *_MIXED_KERAS],
    "onnxruntime": [
        Cell("tiny_net", Source.TORCH, 3),
        Cell("tiny_text", Source.ONNX, 2),
        Cell("tiny_text", Source.TORCH_EXPORT, 2),
        Cell("tiny_net", Source.KERAS, 2),
        Cell("tiny_text", Source.KERAS, 2),
        Cell("tiny_net", Source.TORCH, 3, "fp16"),
        Cell("tiny_net", Source.KERAS, 3, "fp16"),
    ],
}

SLOW = frozenset({"torch-compile", "torch-export-aoti"})  #: they compile C++

#: A device that no machine has, but that the framework would know.
MISSING_DEVICE = {"onnxruntime": "npu"}
ANY_MISSING_DEVICE = "cuda:63"


def runtime_params() -> list[object]:
    """The runtimes, to parametrise a test with."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in CELLS]


def cell_params() -> list[object]:
    """Runtimes with each of their cells, to parametrise a test with."""
    return [
        pytest.param(name, cell, marks=[pytest.mark.slow] if name in SLOW else [], id=f"{name}-{cell_id(cell)}")
        for name, cells in CELLS.items()
        for cell in cells
    ]


def cell_id(cell: Cell) -> str:
    return f"{cell.model}-{cell.source}-b{cell.batch}-{cell.precision}"


@pytest.fixture(scope="session")
def lived(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Life]:
    """What one runtime's process saw of all its cells."""
    folder = tmp_path_factory.mktemp("lives")

    @cache
    def life(name: str) -> Life:
        pytest.importorskip(FRAMEWORK[name.partition("-")[0]])
        answer = folder / name
        task = pickle.dumps((name, CELLS[name], MISSING_DEVICE.get(name, ANY_MISSING_DEVICE)))
        child = subprocess.run(
            [sys.executable, "-m", "tests.runtimes.exercise", str(answer)],
            input=task,
            cwd=repo_root,
            env=os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(folder / f"{name}-inductor")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert child.returncode == 0, child.stdout.decode(errors="replace")[-4000:]
        life: Life = pickle.loads(answer.read_bytes())
        return life

    return life
