"""The doctor: a framework that is missing, broken, crashes or hangs is a line with its error, never a crash."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kb.machine.checks import Device
from kb.machine.doctor import FRAMEWORKS, Answer, Framework, diagnose, examine
from kb.machine.findings import State
from tests.machine.conftest import Ask
from tests.machine.samples import MACHINE

TORCH = next(framework for framework in FRAMEWORKS if framework.name == "torch")
WORKS = Device("cpu", works=True, correct=True, error_relative=1e-7, time_ms=0.1)


def nobody(target: str) -> Answer:
    raise AssertionError(f"{target} was asked")


def answers(*devices: Device, **facts: Any) -> Answer:
    return Answer(result={"version": "9.9", "devices": [device.as_dict() for device in devices], "facts": facts})


def package(folder: Path, name: str, source: str) -> Path:
    """A package that comes before the installed one of that name."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(source)
    return folder


def test_what_is_not_installed_is_absent_and_starts_no_process() -> None:
    missing = Framework("nosuch", "no_such_framework", ("no-such-framework",), "torch", "kb.machine.probes:torch")
    report = examine(missing, nobody)
    assert report.state is State.ABSENT
    assert 'pip install "framework-kb[torch]"' in report.notes[0]


def test_a_folder_left_behind_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "left_behind" / "lib").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    assert examine(Framework("x", "left_behind", (), "torch", "-"), nobody).state is State.ABSENT


def test_an_installation_without_its_module_is_broken() -> None:
    report = examine(replace(TORCH, module="no_such_framework", distributions=("pytest",)), nobody)
    assert report.state is State.BROKEN
    assert report.error == "pytest is recorded as installed, but there is no module no_such_framework"


@pytest.mark.parametrize(
    ("source", "state", "error"),
    [
        ("raise ImportError('libcudnn.so.9: cannot open shared object file')", State.BROKEN, "libcudnn.so.9"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", State.CRASHED, "exit code -11"),
        ("import os; os._exit(7)", State.CRASHED, "exit code 7"),
        ("import time; time.sleep(600)", State.CRASHED, "no answer within"),
    ],
)
def test_broken_on_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask, source: str, state: State, error: str
) -> None:
    folder = package(tmp_path, "torch", source)
    monkeypatch.syspath_prepend(folder)
    timeout_s = 3 if "sleep" in source else 60
    diagnosis = diagnose(lambda target: ask(target, folder, timeout_s), [TORCH], MACHINE)
    report = diagnosis.frameworks[0]
    assert report.state is state
    assert report.error is not None
    assert error in report.error
    assert any("import torch" in note for note in report.notes)
    assert not diagnosis.usable


def test_a_device_that_kills_the_process_is_named(ask: Ask) -> None:
    report = examine(replace(TORCH, module="json"), lambda _: ask("tests.machine.targets:device_that_crashes"))
    assert report.state is State.CRASHED
    assert report.error == "exit code -11: checking cuda:0"


def test_devices_and_facts_are_those_of_the_answer() -> None:
    failing = Device("cuda:0", works=False, error="RuntimeError: no kernel image is available")
    report = examine(replace(TORCH, module="json"), lambda _: answers(WORKS, failing, threads=2))
    assert report.state is State.OK
    assert (report.version, report.devices, report.facts) == ("9.9", (WORKS, failing), {"threads": 2})


def test_a_framework_installed_twice_is_told() -> None:
    twice = replace(TORCH, module="json", distributions=("pytest", "numpy", "no-such-framework"))
    report = examine(twice, lambda _: answers(WORKS))
    assert report.distributions == ("pytest", "numpy")
    assert "pip uninstall pytest numpy" in report.notes[0]


def test_the_others_are_asked_after_one_that_failed() -> None:
    frameworks = [replace(TORCH, name=name, module="json", probe=name) for name in ("one", "two")]

    def answer(target: str) -> Answer:
        return Answer(error="killed by SIGSEGV", crashed=True) if target == "one" else answers(WORKS)

    diagnosis = diagnose(answer, frameworks, MACHINE)
    assert [report.state for report in diagnosis.frameworks] == [State.CRASHED, State.OK]
    assert diagnosis.usable


def test_only_right_results_make_a_machine_usable() -> None:
    wrong = replace(WORKS, correct=False, error="the result is wrong")
    assert not diagnose(lambda _: answers(wrong), [replace(TORCH, module="json")], MACHINE).usable


def test_an_error_of_any_length_is_one_short_line() -> None:
    report = examine(replace(TORCH, module="json"), lambda _: Answer(error="one\n\x1b[31mtwo " + "x" * 5000))
    assert report.error is not None
    assert len(report.error) <= 300
    assert report.error.isprintable()


def test_the_diagnosis_as_json() -> None:
    failed = Answer(error="ImportError: no", crashed=False)
    replies = {"a": answers(WORKS, threads=2, providers=["x"]), "b": failed}
    frameworks = [replace(TORCH, name=name, module="json", probe=name) for name in replies]
    diagnosis = diagnose(lambda target: replies[target], frameworks, MACHINE)
    read = json.loads(json.dumps(diagnosis.as_dict(), allow_nan=False))
    assert read == diagnosis.as_dict()
    assert read["machine"]["id"] == MACHINE.id
    assert read["usable"] is True
    assert [framework["state"] for framework in read["frameworks"]] == ["ok", "broken"]
    assert read["frameworks"][0]["devices"][0]["time_ms"] == 0.1
