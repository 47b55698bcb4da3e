"""What the doctor advises, for the traps that people fall into."""

from typing import Any

import pytest

from kb.machine.advice import framework_notes, machine_notes
from kb.machine.checks import Device
from kb.machine.findings import FrameworkReport, State
from kb.records.run import Accelerator, Machine
from tests.machine.samples import MACHINE

GPU = Accelerator(kind="cuda", name="NVIDIA L4", memory_gib=22.5, driver="570.86.10 (CUDA 12.8)")
WITH_GPU = MACHINE.model_copy(update={"accelerators": (GPU,)})
CPU = Device("cpu", works=True, correct=True)


def machine(**changes: Any) -> Machine:
    return MACHINE.model_copy(update=changes)


def report(name: str, *devices: Device, **facts: Any) -> FrameworkReport:
    known = {"providers": []} if name == "onnxruntime" else {}
    return FrameworkReport(name, State.OK, "9.9", (name,), devices=devices or (CPU,), facts={**known, **facts})


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert machine_notes(MACHINE) == ()
    assert framework_notes(report("torch", **{"threads": 4, "CUDA build": None}), MACHINE) == ()


def test_fewer_cores_than_the_machine_has() -> None:
    (note,) = machine_notes(machine(usable_cores=1))
    assert note.startswith("1 of 4 cores")


@pytest.mark.parametrize(("limit", "said"), [(2.0, True), (15.5, False), (64.0, False), (None, False)])
def test_memory_limit(limit: float | None, said: bool) -> None:
    assert any("2 of 15.6 GiB" in note for note in machine_notes(machine(memory_limit_gib=limit))) is said


def test_cpu_without_avx2() -> None:
    assert "AVX2" in machine_notes(machine(cpu_flags=("avx",)))[0]
    assert machine_notes(machine(cpu_flags=("neon",), architecture="aarch64")) == ()


def test_more_threads_than_cores() -> None:
    (note,) = framework_notes(report("torch", threads=8), machine(usable_cores=2, physical_cores=8))
    assert "8 threads" in note
    assert "OMP_NUM_THREADS=2" in note


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("torch", "CUDA build of torch"), ("tensorflow", "tensorflow[and-cuda]"), ("onnxruntime", "onnxruntime-gpu")],
)
def test_a_gpu_and_a_build_without_cuda(name: str, remedy: str) -> None:
    (note,) = framework_notes(report(name, **{"CUDA build": False}), WITH_GPU)
    assert "NVIDIA L4" in note
    assert remedy in note


def test_a_gpu_and_a_build_for_cuda_that_does_not_see_it() -> None:
    missing = Device("cuda", found=False, error="RuntimeError: the NVIDIA driver on your system is too old")
    (note,) = framework_notes(report("torch", CPU, missing, **{"CUDA build": "13.0"}), WITH_GPU)
    assert "built for CUDA 13.0" in note
    assert "driver 570.86.10" in note


@pytest.mark.parametrize("device", ["cuda:0", "GPU:0", "CUDAExecutionProvider"])
def test_a_gpu_that_works(device: str) -> None:
    works = Device(device, works=True, correct=True)
    facts = {"CUDA build": "12.8", "providers": ["CUDAExecutionProvider"]}
    name = {"cuda:0": "torch", "GPU:0": "tensorflow"}.get(device, "onnxruntime")
    assert framework_notes(report(name, works, **facts), WITH_GPU) == ()


def test_a_provider_that_is_listed_but_not_used() -> None:
    fails = Device("CUDAExecutionProvider", works=False, error="listed, but the session got CPUExecutionProvider")
    listed = report("onnxruntime", fails, providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    (note,) = framework_notes(listed, WITH_GPU)
    assert "listed but not used" in note
    assert "preload_dlls" in note


def test_a_device_that_computes_wrongly() -> None:
    wrong = Device("mps:0", works=True, correct=False, error="the result is wrong")
    assert framework_notes(report("torch", wrong), MACHINE) == (
        "mps:0 gives wrong results: use nothing that was computed on it",
    )
