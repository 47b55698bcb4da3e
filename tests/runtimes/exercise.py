"""Takes one runtime through its life in a process of its own, and writes down what it saw.

A process each, as in a real run: threads can be set only before a framework has done anything.
"""

import pickle
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from traceback import format_exc
from typing import Any

from kb.models.interface import Array, Source
from kb.records.case import Case
from kb.runtimes.catalogue import load_runtime
from kb.runtimes.interface import Runtime
from tests.runtimes.tiny import TinyNet, TinyText, in_form

MODELS = {"tiny_net": TinyNet(), "tiny_text": TinyText()}
#: As many calls as a runtime may take to specialise itself, and some more.
CALLS = 6


@dataclass(frozen=True)
class Cell:
    """One model, in one form, at one batch size."""

    model: str
    source: Source
    batch: int
    precision: str = "fp32"


@dataclass(frozen=True)
class Seen:
    """What became of one cell."""

    error: str | None  #: traceback
    outputs: tuple[Array, ...] = ()
    last_outputs: tuple[Array, ...] = ()  #: after `CALLS` calls
    reference: tuple[Array, ...] = ()
    compiles_before: int = 0  #: in this process, before this cell was loaded
    compiles_loaded: int = 0
    compiles_called: int = 0
    threads: int | None = None
    peak_device_mib: float | None = None


@dataclass(frozen=True)
class Life:
    """What became of one runtime."""

    missing_device: BaseException | None  #: what `start` raised for a device that no machine has
    cells: dict[Cell, Seen]
    tf32_allowed: bool | None  #: after all of them; None where it belongs to the session


def exercise(runtime: Runtime, cells: list[Cell], missing_device: str) -> Life:
    """All cells in this process, one after the other."""
    raised = _refusal_of(runtime, missing_device)
    seen: dict[Cell, Seen] = {}
    compiles = 0
    for cell in cells:
        try:
            seen[cell] = _live(runtime, cell, compiles)
            compiles = seen[cell].compiles_called
        except Exception:  # noqa: BLE001 - one cell that fails must not hide the others; its test prints the traceback
            seen[cell] = Seen(format_exc())
    return Life(raised, seen, _tf32_allowed(runtime))


def _tf32_allowed(runtime: Runtime) -> bool | None:
    """Whether an NVIDIA GPU could round float32 products in this process."""
    match runtime.packages[0]:
        case "torch":
            import torch

            return torch.get_float32_matmul_precision() != "highest" or torch.backends.cudnn.allow_tf32
        case "tensorflow":
            import tensorflow as tf

            return bool(tf.config.experimental.tensor_float_32_execution_enabled())
    return None


def _refusal_of(runtime: Runtime, device: str) -> BaseException | None:
    try:
        runtime.start(Case("none", runtime.name, device=device))
    except RuntimeError as error:
        return error
    return None


def _live(runtime: Runtime, cell: Cell, compiles_before: int) -> Seen:
    with tempfile.TemporaryDirectory() as folder:
        case = Case(cell.model, runtime.name, precision=cell.precision, batch=cell.batch, threads=1)
        runtime.start(case)
        model = in_form(MODELS[cell.model], cell.source, cell.batch, Path(folder))
        inputs = model.inputs(cell.batch, seed=5)
        assert runtime.refuse(model, case) is None
        built: Any = (
            runtime.convert(model, inputs, case, Path(folder))
            if runtime.converts(model)
            else runtime.build(model, case)
        )
        session = runtime.load(built, inputs, case)
        loaded = session.compiles()
        outputs = session.outputs()
        for _ in range(CALLS):
            session.call()
            session.wait()
        return Seen(
            error=None,
            outputs=tuple(outputs),
            last_outputs=tuple(session.outputs()),
            reference=tuple(model.reference(inputs)[0]),
            compiles_before=compiles_before,
            compiles_loaded=loaded,
            compiles_called=session.compiles(),
            threads=session.threads(),
            peak_device_mib=session.peak_device_mib(),
        )


if __name__ == "__main__":
    # Under its importable name, or pickle would file the classes under __main__.
    from tests.runtimes import exercise as this

    name, cells, missing_device = pickle.loads(sys.stdin.buffer.read())
    Path(sys.argv[1]).write_bytes(pickle.dumps(this.exercise(load_runtime(name), cells, missing_device)))
