"""What a plan would take: by what the same processes took before, then by their like, then guessed and said so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kb.analysis.estimate import GUESS_S, history_of
from kb.records.case import Case, Kind
from tests.analysis.frames import COMPILED, EAGER, ONNX, frame, info, rows, times


def history(machine: str | None = None, **seconds: float):  # type: ignore[no-untyped-def]
    run = info()
    made = rows({EAGER: times(1.0)}, memory=False, process_s=4.0) + rows(
        {COMPILED: times(1.0)}, memory=False, process_s=20.0
    )
    whole = sum(float(str(row["process_s"])) for row in made)
    run = run.model_copy(update={"ended": run.started + timedelta(seconds=1.5 * whole)})
    benchmarks, runs = frame((run, made))
    return history_of(benchmarks, runs.values(), machine or run.machine.id)


def test_the_same_cell_takes_what_it_took() -> None:
    found = history().estimate([EAGER], replicates=2, memory=False, whole=False)
    assert (found.processes, found.guessed) == (2, 0)
    assert found.seconds == pytest.approx(2 * 4.0 * 1.5)  # half as much again went into what is made once per run


def test_a_plan_has_its_aa_case_and_memory_processes() -> None:
    assert history().estimate([EAGER, COMPILED], replicates=3, memory=True).processes == 2 * 3 + 3 + 2


def test_another_model_takes_what_its_runtime_took() -> None:
    case = Case("resnet50", "torch-compile")
    assert history().estimate([case], 1, memory=False, whole=False).seconds == pytest.approx(20.0 * 1.5)


def test_another_batch_size_is_known_apart_where_it_was_run() -> None:
    larger = replace(EAGER, batch=32)
    made = [
        row
        for case, seconds in ((EAGER, 4.0), (larger, 40.0))
        for row in rows({case: times(1.0)}, memory=False, process_s=seconds)
    ]
    benchmarks, runs = frame((info(), made))
    known = history_of(benchmarks, runs.values(), "00000000")
    assert [known.seconds(each, Kind.LATENCY) for each in (EAGER, larger)] == [4.0, 40.0]
    assert known.seconds(replace(EAGER, batch=8), Kind.LATENCY) == 22.0


def test_another_runtime_takes_what_any_process_took() -> None:
    found = history().estimate([ONNX], 1, memory=False, whole=False)
    assert (found.seconds, found.guessed) == (pytest.approx(12.0 * 1.5), 0)


def test_a_machine_without_rows_goes_by_the_others() -> None:
    assert history("00000000").estimate([EAGER], 1, memory=False, whole=False).seconds == pytest.approx(4.0 * 1.5)


def test_what_nothing_is_known_of_is_guessed_and_counted() -> None:
    benchmarks, runs = frame((info(), rows({EAGER: times(1.0)}, process_s=None)))
    found = history_of(benchmarks, runs.values(), "00000000").estimate([EAGER], 2, memory=True, whole=False)
    assert (found.seconds, found.guessed, found.processes) == (3 * GUESS_S, 3, 3)
