"""The figures of one way: is it right, how fast is it, is its gradient used, does it compile, does it export."""

import re
from pathlib import Path

from kb.machine.checks import one_line
from kb.models.interface import Array
from kb.practices.custom_operators.operator import compared, derivative, fault, value
from kb.practices.custom_operators.written import Operator, is_called
from kb.practices.interface import Reading
from kb.practices.timing import steady
from kb.records.statuses import Status
from kb.runtimes.onnx_export import check

#: TensorFlow's name of a traced function, with numbers that differ from process to process: the reason must not.
TRACE_NAME = re.compile(r"__inference_(\w+?)_\d+(\[[^\]]*\])?")


def speeds(operator: Operator, x: Array) -> list[Reading]:
    """Errors and times of both directions. Against right answers only: what is wrong has no speed."""
    forward = compared("forward_error", operator.host(operator.forward()), value(x))
    gradient = compared("gradient_error", operator.host(operator.both()), derivative(x))
    wrong = fault(forward)
    if wrong is not None:
        return [Reading("call_us", None, *wrong), forward, gradient]
    call = Reading("call_us", steady(operator.forward).latency_p50_ms * 1e3)
    wrong = fault(gradient)
    if wrong is not None:
        return [call, Reading("both_us", None, *wrong), forward, gradient]
    return [call, Reading("both_us", steady(operator.both).latency_p50_ms * 1e3), forward, gradient]


def gradient_used(operator: Operator) -> list[Reading]:
    """Whether the gradient that was written is the one that is taken; nothing where none was written.

    Of a graph it shows while the graph is made: ask before anything else is called.
    """
    written = operator.written.gradient
    return [] if written is None else [Reading("own_gradient", float(is_called(written, operator.both)))]


def compiles(operator: Operator, x: Array) -> list[Reading]:
    """Whether the framework's compiler takes it as a whole, both directions with the right result, and its speed."""
    try:
        compiled = operator.compiled()
        forward = compared("forward_error", compiled.host(compiled.forward()), value(x))
        gradient = compared("gradient_error", compiled.host(compiled.both()), derivative(x))
        wrong = fault(forward) or fault(gradient)
        if wrong is not None:
            return [Reading("compiles", None, *wrong)]
        return [Reading("compiles", 1.0), Reading("compiled_us", steady(compiled.forward).latency_p50_ms * 1e3)]
    except Exception as error:  # noqa: BLE001 - frameworks raise types of their own; it becomes a row with its reason
        return [_failed("compiles", error, Status.LOAD_FAILED)]


def exports(operator: Operator, x: Array, folder: Path) -> list[Reading]:
    """Whether ONNX Runtime gives the right result of its export: as it is, and with the translation that it has."""
    plain = _exported("exports", operator, x, folder / "plain.onnx", translated=False)
    if operator.written.translation is None:
        return [plain]
    return [plain, _exported("exports_translated", operator, x, folder / "translated.onnx", translated=True)]


def _exported(measure: str, operator: Operator, x: Array, path: Path, translated: bool) -> Reading:
    """Export, check, load, run, compare: each with the status of its own when it fails."""
    status = Status.EXPORT_FAILED
    try:
        operator.export(path, translated)
        status = Status.CHECK_FAILED
        check(path)
        status = Status.LOAD_FAILED
        found = _run(path, x)
    except Exception as error:  # noqa: BLE001 - the exporters raise a dozen types; it becomes a row with its reason
        return _failed(measure, error, status)
    wrong = fault(compared("forward_error", found, value(x)))
    return Reading(measure, 1.0) if wrong is None else Reading(measure, None, *wrong)


def _run(path: Path, x: Array) -> Array:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {session.get_inputs()[0].name: x})
    return output  # type: ignore[no-any-return]


def _failed(measure: str, error: BaseException, status: Status) -> Reading:
    """The reason is the innermost cause: exporters wrap it in general advice."""
    status = getattr(error, "status", status)
    while error.__cause__ is not None:
        error = error.__cause__
    head, _, rest = str(error).strip().partition("\n")
    words = (
        f"{head} {rest.strip().partition(chr(10))[0]}" if head.endswith(":") else head
    )  # "backend raised:", and what
    return Reading(measure, None, status, one_line(f"{type(error).__name__}: " + TRACE_NAME.sub(r"\1", words)))
