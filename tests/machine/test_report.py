"""The doctor's tables: complete on any terminal, and text from outside stays text."""

from dataclasses import replace

import pytest
from rich.console import Console

from kb.machine.checks import Device
from kb.machine.findings import Diagnosis, FrameworkReport, State
from kb.machine.report import render
from kb.records.run import Accelerator
from tests.machine.samples import MACHINE

DEVICES = (
    Device("cpu", works=True, correct=True, error_relative=2e-7, time_ms=0.04256),
    Device("cuda:0", "NVIDIA L4 (compute capability 8.9)", 22.5, works=False, error="RuntimeError: [bold]no kernel[/]"),
    Device("cuda:1", found=False),
)
DIAGNOSIS = Diagnosis(
    MACHINE.model_copy(
        update={
            "memory_limit_gib": 4.0,
            "accelerators": (Accelerator(kind="cuda", name="NVIDIA L4", memory_gib=22.5, driver="570.86.10"),),
        }
    ),
    (
        FrameworkReport(
            "torch", State.OK, "2.13.0", devices=DEVICES, facts={"threads": 2, "oneDNN": True, "hip": None}
        ),
        FrameworkReport("tensorflow", State.ABSENT, notes=("not installed; pip install it",)),
        FrameworkReport("onnxruntime", State.CRASHED, "1.32.0", error="killed by SIGSEGV"),
    ),
    ("the control group allows 4 GiB",),
)


def printed(diagnosis: Diagnosis, width: int = 160) -> str:
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(render(diagnosis))
    return capture.get()


def row(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.strip().startswith(start)).split()


def test_a_row_per_device_with_its_answers() -> None:
    text = printed(DIAGNOSIS)
    assert row(text, "torch ") == ["torch", "ok", "cpu", "yes", "yes", "yes", "0.0426"]
    assert "cuda:0 yes   NO    -" in text
    assert "cuda:1 NO    -     -" in text
    assert "NVIDIA L4 (compute capability 8.9), 22.5 GiB, RuntimeError: [bold]no kernel[/]" in text


def test_frameworks_without_devices_have_a_row_with_their_error() -> None:
    text = printed(DIAGNOSIS)
    assert row(text, "tensorflow  absent") == ["tensorflow", "absent"]
    assert row(text, "onnxruntime crashed") == ["onnxruntime", "crashed", "killed", "by", "SIGSEGV"]


def test_machine_facts_and_advice_are_there() -> None:
    text = printed(DIAGNOSIS)
    for words in (
        f"Machine {MACHINE.id}",
        MACHINE.cpu_model,
        "4 usable of 4 physical (8 logical)",
        "15.6 GiB, 4 allowed by the control group",
        "NVIDIA L4, 22.5 GiB, 570.86.10",
        "threads: 2, oneDNN: yes",
        "the control group allows 4 GiB",
        "not installed; pip install it",
    ):
        assert words in text
    assert "hip" not in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_cut_off_on_a_narrow_terminal(width: int) -> None:
    text = printed(DIAGNOSIS, width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_a_machine_on_which_nothing_computes_is_told() -> None:
    nothing = replace(DIAGNOSIS, frameworks=DIAGNOSIS.frameworks[1:])
    assert "nothing can be measured" in printed(nothing)
    assert "nothing can be measured" not in printed(DIAGNOSIS)
