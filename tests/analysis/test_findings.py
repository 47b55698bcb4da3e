"""What the pages say first."""

from dataclasses import replace

import pytest

from kb.analysis.findings import Arm, shown_entries, slower_than_eager, speaking_first, standings
from kb.measure.arms import Verdict
from kb.records.case import Case
from kb.records.run import Validity
from kb.records.statuses import Status
from tests.analysis.frames import COMPILED, EAGER, ONNX, frame, info, rows, times

OTHER = replace(EAGER, model="cnn_s")


def test_the_worst_is_listed_first() -> None:
    arms = {EAGER: times(1.0), COMPILED: times(2.0, 1), ONNX: times(4.0, 2)}
    benchmarks, runs = frame((info(), rows(arms)))
    listed = [(entry.cell.case, speed.verdict) for entry, speed in slower_than_eager(shown_entries(benchmarks, runs))]
    assert listed == [(ONNX, Verdict.SLOWER), (COMPILED, Verdict.SLOWER)]


def test_the_mean_is_geometric_over_the_places_measured_on_both_sides() -> None:
    arms: dict[Case, list[float | Status]] = {
        EAGER: times(1.0),
        OTHER: times(1.0),
        replace(OTHER, batch=8): times(1.0),
        ONNX: times(0.5, 3),
        replace(ONNX, model="cnn_s"): times(2.0, 3),
        replace(ONNX, model="cnn_s", batch=8): [Status.LOAD_FAILED] * 8,
    }
    benchmarks, runs = frame((info(), rows(arms)))
    onnx, eager = standings(shown_entries(benchmarks, runs))
    assert onnx.arm == Arm("onnxruntime", "fp32", "current")
    assert onnx.mean == pytest.approx(1.0, rel=0.01)  # twice as fast and half as fast
    assert onnx.low is not None
    assert onnx.high is not None
    assert onnx.low < onnx.mean < onnx.high
    assert (onnx.n, onnx.of, onnx.failed) == (2, 3, 1)
    assert (onnx.verdicts[Verdict.FASTER], onnx.verdicts[Verdict.SLOWER]) == (1, 1)
    assert onnx.best is not None
    assert onnx.best.cell.case.model == "mlp8"
    assert eager.is_baseline


def test_a_run_that_is_not_valid_has_no_part_in_the_mean() -> None:
    arms = {EAGER: times(1.0), ONNX: times(0.5)}
    benchmarks, runs = frame((info(0), rows(arms)), (info(1, Validity.INVALID), rows(arms | {ONNX: times(9.0)})))
    entries = shown_entries(benchmarks, runs)
    assert len(entries) == 4
    assert all(entry.cell.valid for entry in speaking_first(entries).values())
    assert standings(entries)[0].mean == pytest.approx(2.0)
