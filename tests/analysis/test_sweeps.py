"""Throughput by batch size, and what more threads give, from cells that differ in nothing else."""

from dataclasses import replace

import pytest

from kb.analysis.cells import cells_of
from kb.analysis.findings import arm_of
from kb.analysis.speed import entries_of
from kb.analysis.sweeps import more_threads, sweeps_of
from kb.measure.arms import Verdict
from tests.analysis.frames import EAGER, ONNX, frame, info, rows, times


def entries(arms):  # type: ignore[no-untyped-def]
    benchmarks, runs = frame((info(), rows(arms, memory=False)))
    return entries_of(cells_of(benchmarks, runs))


def test_throughput_is_the_batch_over_the_time_of_a_call() -> None:
    found = entries({EAGER: times(2.0), replace(EAGER, batch=8): times(4.0), ONNX: times(1.0)})
    (sweep,) = sweeps_of(found)
    assert (sweep.model, sweep.device, sweep.threads) == ("mlp8", "cpu", 1)
    assert set(sweep.arms) == {arm_of(EAGER)}  # one batch size is no sweep
    one, eight = sweep.arms[arm_of(EAGER)]
    assert (one.batch, eight.batch) == (1, 8)
    assert one.samples_per_s == pytest.approx(500, rel=0.01)
    assert eight.samples_per_s == pytest.approx(2000, rel=0.01)
    assert eight.bounds is not None
    assert eight.bounds[0] < 2000 < eight.bounds[1]


def test_models_at_one_batch_size_are_no_sweep() -> None:
    assert sweeps_of(entries({EAGER: times(2.0), ONNX: times(1.0)})) == ()


def test_threads_are_compared_with_the_fewest_of_the_same_case() -> None:
    many = replace(ONNX, threads=4)
    found = more_threads(entries({ONNX: times(3.0), many: times(1.0, 2), replace(EAGER, threads=4): times(1.0)}))
    (only,) = found
    assert only.cell.case == many
    assert only.gain.baseline.case == ONNX
    assert only.gain.ratio == pytest.approx(3.0, rel=0.01)
    assert only.gain.verdict is Verdict.FASTER
