"""Which run speaks for a cell."""

from kb.analysis.findings import shown_entries
from kb.analysis.selection import speaking
from kb.records.run import Validity
from tests.analysis.frames import COMPILED, EAGER, frame, info, rows

BOTH = {EAGER: [1.0] * 3, COMPILED: [0.5] * 3}


def test_the_newest_valid_run_speaks() -> None:
    old, new = info(0), info(30)
    benchmarks, runs = frame((old, rows(BOTH)), (new, rows(BOTH)))
    assert set(speaking(benchmarks, runs)) == {new.run}


def test_a_cell_that_the_newest_run_left_out_keeps_its_older_figure() -> None:
    full, quick = info(0), info(30)
    benchmarks, runs = frame((full, rows(BOTH)), (quick, rows({EAGER: [1.0] * 3})))
    shown = {entry.cell.case.runtime: entry.cell.run for entry in shown_entries(benchmarks, runs)}
    assert shown == {"torch-eager": quick.run, "torch-compile": full.run}


def test_a_newer_run_that_is_not_valid_is_shown_beside_the_valid_one() -> None:
    valid, invalid, unfinished = info(0), info(30, Validity.INVALID), info(31, Validity.UNFINISHED)
    benchmarks, runs = frame(*((run, rows({EAGER: [1.0] * 3})) for run in (valid, invalid, unfinished)))
    assert [(e.cell.run, e.cell.valid) for e in shown_entries(benchmarks, runs)] == [
        (valid.run, True),
        (unfinished.run, False),
    ]


def test_an_older_run_that_is_not_valid_is_not_shown() -> None:
    invalid, valid = info(0, Validity.INVALID), info(30)
    benchmarks, runs = frame(*((run, rows({EAGER: [1.0] * 3})) for run in (invalid, valid)))
    assert set(speaking(benchmarks, runs)) == {valid.run}


def test_each_machine_speaks_for_itself() -> None:
    here = info(0)
    machine = here.machine.model_copy(update={"id": "0badcafe"})
    there = info(1, machine=machine)
    benchmarks, runs = frame((here, rows(BOTH)), (there, rows(BOTH)))
    assert set(speaking(benchmarks, runs)) == {here.run, there.run}


def test_no_rows_no_entries() -> None:
    benchmarks, runs = frame()
    assert speaking(benchmarks, runs) == {}
    assert shown_entries(benchmarks, runs) == ()
