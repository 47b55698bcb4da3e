"""The probes, with the real frameworks: one fresh process each."""

from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import pytest

from kb.machine.checks import FULL_PRECISION
from tests.machine.conftest import Ask


def probed(ask: Ask, name: str) -> dict[str, Any]:
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    answer = ask(f"tests.machine.targets:{name}")
    assert answer.result is not None, answer.error
    return dict(answer.result)


def is_right(device: dict[str, Any]) -> bool:
    precise = device["error_relative"] is not None and device["error_relative"] <= FULL_PRECISION
    return precise and device["found"] and device["works"] and device["correct"] and device["time_ms"] > 0


def test_torch(ask: Ask) -> None:
    answer = probed(ask, "torch")
    assert answer["version"] == version("torch")
    cpu = answer["devices"][0]
    assert cpu["name"] == "cpu"
    assert is_right(cpu)
    assert answer["facts"]["threads"] >= 1
    assert answer["facts"]["CPU capability"] not in (None, "")
    assert (answer["missing"]["works"], answer["missing"]["correct"]) == (False, None)
    assert "CUDA" in answer["missing"]["error"]


def test_tensorflow(ask: Ask) -> None:
    answer = probed(ask, "tensorflow")
    cpu = next(device for device in answer["devices"] if device["name"] == "CPU:0")
    assert is_right(cpu)
    assert isinstance(answer["facts"]["oneDNN"], bool)
    # an operation for a device that is not there does not move to the CPU unnoticed
    assert answer["missing"]["works"] is False
    assert "GPU:99" in answer["missing"]["error"]


def test_onnxruntime(ask: Ask) -> None:
    answer = probed(ask, "onnxruntime")
    devices = {device["name"]: device for device in answer["devices"]}
    assert list(devices) == answer["facts"]["providers"]
    assert is_right(devices["CPUExecutionProvider"])
    assert answer["missing"]["works"] is False
    assert answer["missing"]["error"] == "RuntimeError: listed, but the session got CPUExecutionProvider instead"


def test_a_provider_that_a_session_gets_but_that_runs_nothing_is_not_called_working(ask: Ask) -> None:
    answer = probed(ask, "onnxruntime")
    if "AzureExecutionProvider" not in answer["facts"]["providers"]:
        pytest.skip("this build has no provider that takes no node")
    assert answer["idle"]["works"] is False
    assert "CPU" in answer["idle"]["error"]
    listed = next(device for device in answer["devices"] if device["name"] == "AzureExecutionProvider")
    assert listed["works"] is None
    assert "remote" in listed["note"]


def test_keras(ask: Ask) -> None:
    if find_spec("keras") is None:
        pytest.skip("keras is not installed")
    answer = ask("kb.machine.probes:keras")
    assert answer.result is not None, answer.error
    assert answer.result["version"] == version("keras")
    assert is_right(answer.result["devices"][0])
    assert answer.result["facts"]["backend"] in ("tensorflow", "torch", "jax", "numpy", "openvino")
