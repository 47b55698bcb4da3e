"""One operator in every way: each is right, its gradient is used or is not, and C++ that cannot be built says why."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.measure.crew import environment
from kb.practices.custom_operators import WAYS, CustomOperators, tf_ways, torch_ways
from kb.practices.custom_operators.building import BuildFailed, ToolMissing, find_compiler, first_error, torch_tools
from kb.practices.custom_operators.figures import compiles, exports, gradient_used
from kb.practices.custom_operators.operator import (
    SIZES,
    TOLERANCE,
    compared,
    derivative,
    elements,
    fault,
    value,
)
from kb.practices.custom_operators.written import Written, is_called
from kb.practices.interface import Arm, Reading
from kb.records.statuses import Status
from kb.workers.process import Limits, run

SMALL, LARGE = SIZES
PRACTICE = CustomOperators()
PYTHON_IN_TORCH = [name for name, way in WAYS.items() if way.executed == "torch" and "C++" not in name]
PYTHON_IN_TF = [name for name, way in WAYS.items() if way.executed != "torch" and "C++" not in name]
#: A compiler that answers what it is asked about itself, and compiles nothing.
REFUSING = """#!/bin/sh
case "$*" in *.cpp*) echo 'x.cpp: warning: first' >&2; echo '/far/away/x.cpp:1:2: error: no' >&2; exit 1;; esac
exec c++ "$@"
"""
CPP_OF_EACH = ["torch C++ extension", pytest.param("TF C++ operator", marks=pytest.mark.slow)]
#: A build and two compilations by Inductor on a busy machine.
LIMITS = Limits(timeout_s=540)


def by_worker(name: str, subject: str = SMALL, **variables: str) -> dict[str, Reading]:
    """The readings of one arm, measured as a run does it."""
    payload = {"practice": "kb.practices.custom_operators:CustomOperators", "arm": Arm(subject, name).as_dict()}
    outcome = run("kb.practices.worker:execute", payload, LIMITS, environment={**environment(1, "cpu"), **variables})
    assert outcome.failure is None, outcome.failure
    readings = [Reading(**{**values, "status": Status(values["status"])}) for values in outcome.result["readings"]]
    return {reading.measure: reading for reading in readings}


def in_torch(name: str, folder: Path) -> torch_ways.TorchOperator:
    return torch_ways.TorchOperator.of(WAYS[name].write(folder), elements(SMALL))


def in_tf(name: str, folder: Path) -> tf_ways.TfOperator:
    way = WAYS[name]
    assert way.executed != "torch"
    return tf_ways.TfOperator.of(way.write(folder), elements(SMALL), way.executed)


def assert_right(operator: torch_ways.TorchOperator | tf_ways.TfOperator) -> None:
    x = elements(SMALL)
    assert fault(compared("forward_error", operator.host(operator.forward()), value(x))) is None
    assert fault(compared("gradient_error", operator.host(operator.both()), derivative(x))) is None


# The operator


def test_the_derivative_is_the_slope_of_the_value() -> None:
    x, step = elements(SMALL).astype(np.float64), 1e-6
    away_from_zero = np.abs(x) > step
    slope = (value(x + step) - value(x - step)) / (2 * step)
    assert np.max(np.abs(slope - derivative(x))[away_from_zero]) < 1e-8


@pytest.mark.parametrize("subject", SIZES)
def test_the_elements_are_of_both_signs_and_reach_where_the_sigmoid_saturates(subject: str) -> None:
    x = elements(subject)
    assert x.shape == (SIZES[subject],)
    assert x.dtype == np.float32
    assert x.min() < -6
    assert x.max() > 6
    assert np.all(x != 0)


def test_float32_stays_within_the_tolerance_and_a_forgotten_term_does_not() -> None:
    x = elements(LARGE)
    s = 1 / (1 + np.exp(-x))
    assert fault(compared("forward_error", np.maximum(x, 0) * s, value(x))) is None
    assert fault(compared("gradient_error", np.where(x > 0, s * (1 + x * (1 - s)), 0), derivative(x))) is None
    forgotten = fault(compared("gradient_error", np.where(x > 0, s, 0), derivative(x)))
    assert forgotten is not None
    assert forgotten[0] is Status.WRONG_OUTPUT


def test_what_is_no_number_or_of_another_shape_is_no_agreement() -> None:
    x = elements(SMALL)
    assert compared("forward_error", np.full_like(x, np.nan), value(x)).status is Status.NOT_FINITE
    assert compared("forward_error", value(x)[:-1], value(x)).status is Status.WRONG_OUTPUT


# The arms


def test_a_way_is_compared_with_the_composite_that_is_called_in_the_same_way() -> None:
    for arm in PRACTICE.arms():
        baseline = PRACTICE.baseline(arm)
        if baseline is not None:
            assert "composite" in baseline.name
            assert WAYS[baseline.name].executed == WAYS[arm.name].executed


# Whether a function is called


def test_a_call_is_seen_at_any_depth_and_nothing_is_left_behind() -> None:
    def inner() -> int:
        return 1

    assert is_called(inner, lambda: [inner() for _ in range(2)])
    assert not is_called(inner, lambda: [1])
    with pytest.raises(ZeroDivisionError):
        is_called(inner, lambda: 1 // 0)
    assert not is_called(is_called, inner)


# torch


@pytest.mark.parametrize("name", PYTHON_IN_TORCH)
def test_each_python_way_in_torch_is_right_both_ways(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    operator = in_torch(name, tmp_path)
    assert_right(operator)
    used = gradient_used(operator)
    assert [reading.value for reading in used] == ([] if name == "torch composite" else [1.0])


def test_the_operator_of_torch_library_keeps_its_contract(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    function: Any = in_torch("torch.library.custom_op", tmp_path).function
    torch.library.opcheck(function, (torch.randn(5, 3, requires_grad=True),))
    torch.library.opcheck(function, (torch.randn(5, 3).t(),))


@pytest.mark.slow
def test_an_operator_of_its_own_exports_with_a_translation_alone(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    pytest.importorskip("torch")
    plain, translated = exports(in_torch("torch.library.custom_op", tmp_path), elements(SMALL), tmp_path)
    assert (plain.measure, plain.status) == ("exports", Status.EXPORT_FAILED)
    assert "No ONNX function found" in plain.reason
    assert "kb_python.relu_sigmoid" in plain.reason
    assert translated == Reading("exports_translated", 1.0)


@pytest.mark.slow
def test_a_wrong_translation_is_found_out(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    torch = pytest.importorskip("torch")
    written = WAYS["torch.library.custom_op"].write(tmp_path)

    def relu_alone(x: Any) -> Any:
        from onnxscript import opset20 as onnx

        return onnx.Relu(x)

    table = {torch.ops.kb_python.relu_sigmoid.default: relu_alone}
    wrong = Written(written.function, written.gradient, table)
    readings = exports(torch_ways.TorchOperator.of(wrong, elements(SMALL)), elements(SMALL), tmp_path)
    assert readings[1].status is Status.WRONG_OUTPUT


@pytest.mark.slow
@pytest.mark.parametrize("subject", SIZES)
def test_an_arm_of_torch_gives_every_figure(subject: str) -> None:
    pytest.importorskip("torch")
    found = by_worker("torch.autograd.Function", subject)
    assert found.keys() == {
        *("call_us", "both_us", "compiled_us", "forward_error", "gradient_error", "own_gradient"),
        *("compiles", "exports"),
    }
    assert all(reading.status is Status.OK for reading in found.values())
    assert 0 < (found["call_us"].value or 0) < (found["both_us"].value or 0)
    assert 0 < (found["gradient_error"].value or 0) < TOLERANCE


# TensorFlow


@pytest.mark.parametrize("name", PYTHON_IN_TF)
def test_each_python_way_in_tensorflow_is_right_both_ways(name: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    assert_right(in_tf(name, tmp_path))


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("tf.custom_gradient", [1.0]),
        ("tf.RegisterGradient alone", [0.0]),
        ("tf.RegisterGradient with override map", [1.0]),
        ("TF composite", []),
    ],
)
def test_a_registered_gradient_is_used_with_an_override_map_alone(name: str, used: list[float], tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    assert [reading.value for reading in gradient_used(in_tf(name, tmp_path))] == used


def test_a_registered_name_changes_no_gradient_until_a_graph_overrides_with_it() -> None:
    """With a gradient that differs from the true one, 6, whoever takes it shows."""
    tf = pytest.importorskip("tensorflow")

    @tf.RegisterGradient("TestNineTimes")
    def nine_times(op: Any, grad: Any, _: Any) -> Any:
        return None, 9.0 * grad

    def square(x: Any) -> Any:
        with tf.compat.v1.get_default_graph().gradient_override_map({"IdentityN": "TestNineTimes"}):
            return tf.identity_n([x * x, x])[0]

    def by_tape(function: Any, x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = function(x)
        return tape.gradient(result, x)

    x = tf.constant(3.0)
    assert float(by_tape(square, x)) == 6.0  # eager: there is no graph that the map could belong to
    assert float(tf.function(lambda x: by_tape(square, x))(x)) == 6.0  # a tape inside goes by the operator's type
    assert float(by_tape(tf.function(square), x)) == 9.0
    assert float(tf.function(lambda x: tf.gradients(square(x), x)[0])(x)) == 9.0


@pytest.mark.parametrize("name", PYTHON_IN_TF)
def test_each_python_way_in_tensorflow_compiles_and_exports(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    pytest.importorskip("tensorflow")
    operator = in_tf(name, tmp_path)
    assert exports(operator, elements(SMALL), tmp_path) == [Reading("exports", 1.0)]
    compiled = operator.compiled()
    assert_right(compiled)
    assert compiled.both().shape == (SIZES[SMALL],)


@pytest.mark.slow
def test_an_arm_of_tensorflow_gives_every_figure() -> None:
    pytest.importorskip("tensorflow")
    found = by_worker("tf.RegisterGradient with override map", LARGE)
    assert all(reading.status is Status.OK for reading in found.values())
    assert found["own_gradient"].value == 1.0
    assert (found["call_us"].value or 0) > 0
    assert {"both_us", "compiled_us", "compiles", "exports"} <= found.keys()


# C++


@pytest.mark.slow
def test_cpp_in_torch_is_right_and_keeps_the_contract_of_an_operator(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    try:
        operator = in_torch("torch C++ extension", tmp_path)
    except ToolMissing as error:
        pytest.skip(str(error))
    assert (operator.written.build_s or 0) > 0
    assert_right(operator)
    assert gradient_used(operator) == [Reading("own_gradient", 1.0)]
    function: Any = operator.function
    torch.library.opcheck(function, (torch.randn(7, 3, requires_grad=True),))
    torch.library.opcheck(function, (torch.randn(7, 3).t(),))
    with pytest.raises(RuntimeError, match="takes float32"):
        function(torch.zeros(3, dtype=torch.float64))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "compiling"),
    [
        ("torch C++ extension", Status.OK),
        ("TF C++ operator", Status.LOAD_FAILED),
        ("TF C++ operator in tf.function", Status.LOAD_FAILED),
    ],
)
def test_cpp_builds_and_exports_with_a_translation(name: str, compiling: Status) -> None:
    pytest.importorskip("torch" if name.startswith("torch") else "tensorflow")
    found = by_worker(name)
    if found["builds"].status is Status.UNSUPPORTED:
        pytest.skip(found["builds"].reason)
    assert found["builds"] == Reading("builds", 1.0)
    assert (found["build_s"].value or 0) > 0
    assert (found["call_us"].value or 0) > 0
    assert (found["both_us"].value or 0) > 0
    assert found["own_gradient"].value == 1.0
    assert found["compiles"].status is compiling
    assert ("compiled_us" in found) is (compiling is Status.OK)
    assert found["exports"].value is None
    assert "relusigmoid" in found["exports"].reason.lower().replace("_", "")
    assert found["exports_translated"] == Reading("exports_translated", 1.0)


@pytest.mark.parametrize("name", CPP_OF_EACH)
def test_without_a_compiler_cpp_is_unsupported(name: str) -> None:
    pytest.importorskip("torch" if name.startswith("torch") else "tensorflow")
    found = by_worker(name, PATH="", CXX="")
    assert found.keys() == {"call_us", "builds"}
    for reading in found.values():
        assert reading.status is Status.UNSUPPORTED
        assert reading.reason == "no C++ compiler was found (c++, g++, clang++)"


@pytest.mark.parametrize("name", CPP_OF_EACH)
def test_a_compiler_that_fails_costs_its_own_arm_alone(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch" if name.startswith("torch") else "tensorflow")
    refusing = tmp_path / "refusing-c++"
    refusing.write_text(REFUSING)
    refusing.chmod(0o755)
    if shutil.which("c++") is None or shutil.which("ninja") is None:
        pytest.skip("there is no c++, or no ninja")
    found = by_worker(name, CXX=str(refusing))
    for reading in (found["call_us"], found["builds"]):
        assert reading.status is Status.LOAD_FAILED
        assert reading.reason == "x.cpp:1:2: error: no"


def test_a_source_with_an_error_is_refused_with_the_line_of_the_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("tensorflow")
    try:
        find_compiler()
    except ToolMissing as error:
        pytest.skip(str(error))
    broken = tmp_path / "broken.cpp"
    broken.write_text("int f() { return undeclared; }\n")
    monkeypatch.setattr(tf_ways, "source", lambda _: broken)
    with pytest.raises(BuildFailed, match=r"^broken\.cpp:1:18: error: .*undeclared"):
        tf_ways.op_library(tmp_path)


def test_inductor_without_a_compiler_is_unsupported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    (reading,) = compiles(in_torch("torch composite", tmp_path), elements(SMALL))
    assert (reading.measure, reading.status) == ("compiles", Status.UNSUPPORTED)
    assert "no C++ compiler" in reading.reason


def test_the_compiler_is_the_one_of_cxx_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    with pytest.raises(ToolMissing, match="no-such-compiler"):
        find_compiler()


def test_the_tools_of_torch_leave_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("c++", "ninja"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with torch_tools():
        assert os.environ["CXX"] == "c++"
    assert "CXX" not in os.environ
    assert os.environ["PATH"] == str(tmp_path)


def test_an_error_is_one_line_without_the_folder() -> None:
    assert first_error("In file a\n/long/way/b.cpp:3:4: error: it's/bad\nnote") == "b.cpp:3:4: error: it's/bad"
    assert first_error("ninja: build stopped\nmore") == "ninja: build stopped"
    assert first_error("") == "no reason was given"
