"""What works on this machine: asks every framework, in a process of its own, and says what would help."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from kb.machine.advice import framework_notes, machine_notes
from kb.machine.checks import Device, one_line
from kb.machine.findings import Diagnosis, FrameworkReport, State
from kb.machine.fingerprint import fingerprint
from kb.records.run import Machine


@dataclass(frozen=True)
class Framework:
    """How a framework is found, asked and installed."""

    name: str
    module: str
    distributions: tuple[str, ...]  #: under any of which it may be installed
    extra: str  #: of kb
    probe: str  #: ``module:function``


FRAMEWORKS = (
    Framework("torch", "torch", ("torch",), "torch", "kb.machine.probes:torch"),
    Framework(
        "tensorflow",
        "tensorflow",
        ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos", "tf-nightly"),
        "tensorflow",
        "kb.machine.probes:tensorflow",
    ),
    Framework("keras", "keras", ("keras", "keras-nightly"), "tensorflow", "kb.machine.probes:keras"),
    Framework(
        "onnxruntime",
        "onnxruntime",
        (
            "onnxruntime",
            "onnxruntime-gpu",
            "onnxruntime-directml",
            "onnxruntime-openvino",
            "onnxruntime-rocm",
            "onnxruntime-qnn",
            "onnxruntime-silicon",
            "onnxruntime-training",
            "ort-nightly",
        ),
        "onnx",
        "kb.machine.probes:onnxruntime",
    ),
)


@dataclass(frozen=True)
class Answer:
    """What a probe in a fresh process gave: its result, or why there is none."""

    result: Mapping[str, Any] | None = None
    error: str | None = None  #: one line
    crashed: bool = False  #: the process ended without an answer, or was stopped; else the probe raised


def diagnose(
    ask: Callable[[str], Answer], frameworks: Sequence[Framework] = FRAMEWORKS, machine: Machine | None = None
) -> Diagnosis:
    """Describe the machine and ask every framework that is installed.

    Args:
        ask: runs ``module:function`` in a fresh process, with a limit of time, and never raises for what it does.
        frameworks: whom to ask, one after the other, so that none is disturbed by the next.
        machine: default: this one.
    """
    machine = machine or fingerprint()
    reports = [examine(framework, ask) for framework in frameworks]
    advised = [replace(report, notes=(*report.notes, *framework_notes(report, machine))) for report in reports]
    return Diagnosis(machine, tuple(advised), machine_notes(machine))


def examine(framework: Framework, ask: Callable[[str], Answer]) -> FrameworkReport:
    """State, version and devices of one framework; starts no process for one that is not installed."""
    installed = _installed(framework.distributions)
    number = next(iter(installed.values()), None)
    report = FrameworkReport(framework.name, State.OK, number, tuple(installed))
    if not _importable(framework.module):
        if not installed:
            note = f'not installed; to measure it: pip install "framework-kb[{framework.extra}]"'
            return replace(report, state=State.ABSENT, notes=(note,))
        error = f"{', '.join(installed)} is recorded as installed, but there is no module {framework.module}"
        return replace(report, state=State.BROKEN, error=error, notes=(_reinstall(installed),))
    if len(installed) > 1:
        report = replace(report, notes=(f"they overwrite each other's files: {_reinstall(installed)}",))
    answer = ask(framework.probe)
    if answer.result is None:
        state = State.CRASHED if answer.crashed else State.BROKEN
        return replace(report, state=state, error=one_line(answer.error or "no answer and no reason"))
    devices = tuple(Device(**device) for device in answer.result["devices"])
    return replace(report, version=answer.result["version"], devices=devices, facts=answer.result["facts"])


def _installed(distributions: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _importable(module: str) -> bool:
    """Whether there is such a package, without importing it. A folder without __init__.py is a leftover, no package."""
    try:
        spec = find_spec(module)
    except ValueError:  # imported already, in a way that left no spec
        return True
    return spec is not None and spec.origin is not None


def _reinstall(installed: Mapping[str, str]) -> str:
    names = " ".join(installed)
    one = "it" if len(installed) == 1 else "one of them"
    return f"pip uninstall {names}, then install {one} again"
