"""Frames for the tests of the analysis: synthetic rows whose latencies the test sets itself."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from kb.records.case import Case, Kind
from kb.records.run import RunInfo, Validity
from kb.records.schema import BENCHMARKS
from kb.records.statuses import Status
from tests.records.synthetic import make_info, make_rows

EAGER = Case("mlp8", "torch-eager")
COMPILED = Case("mlp8", "torch-compile")
ONNX = Case("mlp8", "onnxruntime")
TF_EAGER = Case("mlp8", "tf-eager")
TF_FUNCTION = Case("mlp8", "tf-function")

NOISE = (1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99)
FIRST = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


def times(level: float, shift: int = 0) -> list[float | Status]:
    """Eight rounds around a level, 1 % apart; `shift` so that two arms do not move together."""
    return [level * NOISE[(i + shift) % len(NOISE)] for i in range(len(NOISE))]


def info(day: int = 0, validity: Validity = Validity.VALID, replicates: int = 8, **fields: Any) -> RunInfo:
    """The run.json of a run that started on that day of the series."""
    started = FIRST + timedelta(days=day)
    made = make_info(day, [EAGER], replicates, started=started, **fields)
    return made.model_copy(update={"validity": validity, "ended": started + timedelta(minutes=5)})


def rows(
    times: Mapping[Case, Sequence[float | Status]], memory: bool = True, **columns: float | str | None
) -> list[dict[str, Any]]:
    """One latency row per time given, in rounds; a status stands for a replicate that failed with it."""
    made: list[dict[str, Any]] = []
    for case, values in times.items():
        for row in make_rows(1, [case], len(values)):
            if row["kind"] is Kind.AA or (row["kind"] is Kind.MEMORY and not memory):
                continue
            if row["kind"] is Kind.LATENCY:
                row |= {"quality": "good"} | _outcome(values[int(str(row["replicate"]))]) | columns
            made.append(row)
    return made


def _outcome(value: float | Status) -> dict[str, Any]:
    if isinstance(value, Status):
        figures = [column.name for column in BENCHMARKS.data_columns if column.type == "number"]
        return dict.fromkeys(figures) | {
            "status": value,
            "stage": "run",
            "reason": f"made to be {value}",
            "quality": None,
        }
    return {"latency_p50_ms": value}


def frame(*runs: tuple[RunInfo, Sequence[Mapping[str, Any]]]) -> tuple[pd.DataFrame, dict[str, RunInfo]]:
    """What reading the runs would give: the rows of all with their run, and the runs by name."""
    columns = ["run", *BENCHMARKS.names[1:-1]]
    every = [dict(row) | {"run": info.run} for info, made in runs for row in made]
    return pd.DataFrame(every, columns=columns), {info.run: info for info, _ in runs}
