"""The figures of one cell."""

import pytest

from kb.analysis.cells import Cell, cells_of, figure
from kb.records.case import Kind
from kb.records.statuses import Status
from tests.analysis.frames import EAGER, frame, info, rows


def the_cell(times: list[float | Status], **columns: float | str | None) -> Cell:
    benchmarks, runs = frame((info(), rows({EAGER: times}, **columns)))
    (cell,) = cells_of(benchmarks, runs)
    return cell


def test_the_figure_is_the_median_over_the_replicates_with_its_extremes() -> None:
    latency = the_cell([1.0, 2.0, 4.0, 3.0, 10.0]).latency
    assert latency is not None
    assert (latency.median, latency.low, latency.high, latency.q1, latency.q3, latency.n) == (
        3.0,
        1.0,
        10.0,
        2.0,
        4.0,
        5,
    )


def test_a_failed_replicate_is_counted_and_left_out_of_the_figure() -> None:
    cell = the_cell([1.0, Status.TIMEOUT, 3.0])
    assert cell.latency is not None
    assert (cell.latency.median, cell.latency.n, cell.failed, cell.status) == (2.0, 2, 1, Status.OK)
    assert cell.times == {0: 1.0, 1: None, 2: 3.0}
    assert [(o.status, o.reason, o.replicates) for o in cell.failures] == [(Status.TIMEOUT, "made to be timeout", 1)]


def test_one_wrong_answer_withdraws_the_speed_of_the_cell() -> None:
    cell = the_cell([1.0, 1.0, Status.WRONG_OUTPUT])
    assert cell.status is Status.WRONG_OUTPUT
    assert cell.latency is None
    assert cell.start is None
    assert cell.memory is None
    assert set(cell.times.values()) == {None}


def test_a_cell_that_never_succeeded_has_the_status_that_happened_most() -> None:
    cell = the_cell([Status.CRASHED, Status.TIMEOUT, Status.TIMEOUT])
    assert cell.status is Status.TIMEOUT
    assert cell.figures == {}


def test_an_untrusted_replicate_stays_in_the_figure_but_out_of_every_comparison() -> None:
    cell = the_cell([1.0, 1.0], quality="untrusted")
    assert cell.latency is not None
    assert cell.times == {0: None, 1: None}
    assert cell.quality == {"untrusted": 2}


def test_the_start_is_the_sum_of_the_stages_of_a_process_without_the_conversion() -> None:
    stages = {"import_s": 2.0, "build_s": None, "convert_s": 30.0, "load_s": 0.5, "first_call_s": 0.25}
    cell = the_cell([1.0, 1.0], **stages)
    assert cell.start is not None
    assert cell.start.median == pytest.approx(2.75)
    assert cell.convert is not None
    assert cell.convert.median == 30.0


def test_net_memory_is_peak_less_the_import_only_baseline() -> None:
    cell = the_cell([1.0])
    assert cell.memory is not None
    assert cell.memory.net is not None
    assert cell.memory.baseline is not None
    assert cell.memory.net.median == pytest.approx(cell.memory.peak.median - cell.memory.baseline.median)


def test_the_second_arm_of_the_aa_check_is_no_replicate() -> None:
    made = rows({EAGER: [1.0, 1.0]})
    doubled = [
        *made,
        *({**row, "kind": Kind.AA, "latency_p50_ms": 50.0} for row in made if row["kind"] == Kind.LATENCY),
    ]
    benchmarks, runs = frame((info(), doubled))
    (cell,) = cells_of(benchmarks, runs)
    assert cell.latency is not None
    assert (cell.latency.high, cell.latency.n) == (1.0, 2)


def test_a_figure_of_nothing_is_none() -> None:
    assert figure([None, None]) is None
