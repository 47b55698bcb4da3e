"""Speed against eager execution, and when a slower start has paid."""

from dataclasses import replace

import pytest

from kb.analysis.cells import cells_of
from kb.analysis.speed import BreakEven, Entry, Payback, entries_of
from kb.measure.arms import Verdict
from kb.records.case import Case
from kb.records.run import Validity
from kb.records.statuses import Status
from tests.analysis.frames import COMPILED, EAGER, ONNX, TF_EAGER, TF_FUNCTION, frame, info, rows, times


def entries(
    arms: dict[Case, list[float | Status]], validity: Validity = Validity.VALID, **columns: float | None
) -> dict[Case, Entry]:
    benchmarks, runs = frame((info(validity=validity), rows(arms, **columns)))
    return {entry.cell.case: entry for entry in entries_of(cells_of(benchmarks, runs))}


def test_speed_is_the_baselines_time_over_the_cells() -> None:
    speed = entries({EAGER: times(2.0), COMPILED: times(1.0, 3)})[COMPILED].speed
    assert speed is not None
    assert speed.ratio == pytest.approx(2.0, rel=0.01)
    assert speed.low is not None
    assert speed.high is not None
    assert 1.9 < speed.low < speed.ratio < speed.high < 2.1
    assert (speed.verdict, speed.n, speed.of) == (Verdict.FASTER, 8, 8)


def test_the_common_baseline_is_torch_eager_and_the_own_one_that_of_the_framework() -> None:
    found = entries({EAGER: times(1.0), TF_EAGER: times(4.0, 1), TF_FUNCTION: times(2.0, 2), ONNX: times(0.5, 3)})
    tf_function, onnx = found[TF_FUNCTION], found[ONNX]
    assert tf_function.speed is not None
    assert tf_function.own is not None
    assert tf_function.speed.baseline.case == EAGER
    assert tf_function.speed.verdict is Verdict.SLOWER
    assert tf_function.own.baseline.case == TF_EAGER
    assert tf_function.own.verdict is Verdict.FASTER
    assert onnx.own is None
    assert found[EAGER].is_baseline


def test_without_torch_eager_tf_eager_is_the_baseline() -> None:
    found = entries({TF_EAGER: times(4.0), ONNX: times(1.0)})
    assert found[ONNX].speed is not None
    assert found[ONNX].speed.baseline.case == TF_EAGER


def test_a_baseline_that_failed_is_none() -> None:
    found = entries({EAGER: [Status.CRASHED] * 8, TF_EAGER: times(4.0), ONNX: times(1.0)})
    assert found[ONNX].speed is not None
    assert found[ONNX].speed.baseline.case == TF_EAGER
    assert found[EAGER].speed is not None  # it is no baseline of itself
    assert found[EAGER].speed.ratio is None


def test_another_batch_is_never_the_baseline() -> None:
    other = replace(EAGER, batch=8)
    assert entries({other: times(1.0), ONNX: times(0.5)})[ONNX].speed is None


def test_a_quantised_cell_is_compared_with_what_it_replaces() -> None:
    quantised = replace(ONNX, precision="int8")
    speed = entries({EAGER: times(1.0), quantised: times(0.5, 2)})[quantised].speed
    assert speed is not None
    assert speed.baseline.case == EAGER


def test_an_invalid_run_gives_a_ratio_but_no_verdict_and_no_promise() -> None:
    found = entries({EAGER: times(1.0), COMPILED: times(2.0)}, Validity.INVALID)[COMPILED]
    assert found.speed is not None
    assert found.speed.ratio == pytest.approx(0.5, rel=0.02)
    assert found.speed.verdict is None
    assert found.per_process == BreakEven(Payback.NOT_SHOWN)
    assert found.slower_than_eager is None


def test_only_rounds_that_both_arms_finished_are_compared() -> None:
    broken: list[float | Status] = [Status.TIMEOUT, Status.TIMEOUT, *times(1.0)[2:]]
    speed = entries({EAGER: times(1.0), COMPILED: broken})[COMPILED].speed
    assert speed is not None
    assert (speed.n, speed.of) == (6, 8)


def test_slower_than_what_its_user_would_do_otherwise() -> None:
    found = entries({EAGER: times(1.0), TF_EAGER: times(4.0, 1), TF_FUNCTION: times(2.0, 2), ONNX: times(3.0, 3)})
    assert found[TF_FUNCTION].slower_than_eager is None  # slower than torch-eager, but twice as fast as tf-eager
    assert found[ONNX].slower_than_eager is not None
    assert found[TF_EAGER].slower_than_eager is None  # it is eager


STAGES = {"import_s": 1.0, "build_s": 0.5, "convert_s": None, "load_s": 0.5, "first_call_s": 0.0}


def with_start(load_s: float, convert_s: float | None, level: float) -> Entry:
    """An onnxruntime cell at `level` ms against eager at 2 ms and two seconds to the first answer."""
    made = rows({EAGER: times(2.0)}, **STAGES) + rows({ONNX: times(level)}, **STAGES | {"load_s": load_s})
    for row in made:
        if row["runtime"] == ONNX.runtime:
            row["convert_s"] = convert_s
    benchmarks, runs = frame((info(), made))
    return next(entry for entry in entries_of(cells_of(benchmarks, runs)) if entry.cell.case == ONNX)


def test_break_even_is_the_extra_start_over_the_saving_per_call() -> None:
    entry = with_start(load_s=1.5, convert_s=4.0, level=1.0)  # one second more, one millisecond saved per call
    assert entry.per_process.payback is Payback.CALLS
    assert entry.per_process.calls == pytest.approx(1_000, rel=1e-6)
    assert entry.with_conversion.calls == pytest.approx(5_000, rel=1e-6)


def test_break_even_comes_with_the_bounds_of_the_speed() -> None:
    made = rows({EAGER: times(2.0)}, **STAGES) + rows({ONNX: times(1.0, 3)}, **STAGES | {"load_s": 1.5})
    benchmarks, runs = frame((info(), made))
    counts = next(e for e in entries_of(cells_of(benchmarks, runs)) if e.cell.case == ONNX).per_process
    assert counts.low is not None
    assert counts.calls is not None
    assert counts.high is not None
    assert counts.low < counts.calls < counts.high


def test_a_start_that_costs_no_more_has_paid_at_once() -> None:
    entry = with_start(load_s=0.1, convert_s=4.0, level=1.0)
    assert entry.per_process.payback is Payback.AT_ONCE
    assert entry.with_conversion.payback is Payback.CALLS


def test_a_slower_runtime_never_breaks_even() -> None:
    assert with_start(load_s=1.5, convert_s=None, level=4.0).per_process.payback is Payback.NEVER


def test_an_inconclusive_comparison_promises_nothing() -> None:
    wild = [1.0, 4.0, 1.5, 3.0, 2.0, 2.5, 1.2, 3.8]
    found = entries({EAGER: times(2.0), COMPILED: wild})[COMPILED]  # type: ignore[dict-item]
    assert found.speed is not None
    assert found.speed.verdict is Verdict.INCONCLUSIVE
    assert found.per_process.payback is Payback.NOT_SHOWN
