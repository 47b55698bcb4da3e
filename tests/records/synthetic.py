"""Runs with made-up figures, for tests only: plausible in size, marked as synthetic wherever a person could look."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kb.records.case import Case, Kind
from kb.records.cells import Cell
from kb.records.folder import RunFolder
from kb.records.run import Machine, Noise, RunInfo, Validity
from kb.records.schema import BENCHMARKS
from kb.records.statuses import Status

MODELS = ("mlp8", "cnn_s", "encoder_mini")
RUNTIMES = ("torch-eager", "torch-compile", "tf-eager", "tf-function", "keras-predict", "onnxruntime")

#: Milliseconds of one call at batch 1 of torch-eager, and each runtime's time over it.
_EAGER_MS = {"mlp8": 0.05, "cnn_s": 4.0, "encoder_mini": 6.0}
_OVER_EAGER = {
    "torch-eager": 1.0,
    "torch-compile": 0.7,
    "tf-eager": 6.0,
    "tf-function": 1.4,
    "keras-predict": 9.0,
    "onnxruntime": 0.5,
}

ENVIRONMENTS = {
    "current": {
        "torch": "2.13.0",
        "tensorflow-cpu": "2.21.0",
        "keras": "3.15.1",
        "onnx": "1.23.2",
        "onnxruntime": "1.32.0",
        "numpy": "2.4.6",
    }
}

MACHINE = Machine(
    id="5f17c0de",
    cpu_model="Synthetic CPU (made up for tests)",
    cpu_flags=("avx2", "avx512f"),
    architecture="x86_64",
    physical_cores=8,
    logical_cores=16,
    usable_cores=16,
    ram_gib=31.2,
    os="Linux 6.8 (synthetic)",
    kernel="6.8.0-synthetic",
    virtual=False,
)

#: Share of replicates per status; the rest are ok.
HEALTHY: Mapping[Status, float] = {}
TROUBLED: Mapping[Status, float] = {
    Status.TIMEOUT: 0.04,
    Status.CRASHED: 0.04,
    Status.WRONG_OUTPUT: 0.04,
    Status.OUT_OF_MEMORY: 0.02,
}

_STAGES = {Status.TIMEOUT: "load", Status.CRASHED: "load", Status.OUT_OF_MEMORY: "build", Status.WRONG_OUTPUT: "check"}
_NOTHING: Mapping[str, Cell] = dict.fromkeys(column.name for column in BENCHMARKS.data_columns)


def grid(
    models: Sequence[str] = MODELS, runtimes: Sequence[str] = RUNTIMES, batches: Sequence[int] = (1,)
) -> list[Case]:
    """Every model on every runtime, on the CPU at one thread."""
    return [Case(model, runtime, batch=batch) for model in models for runtime in runtimes for batch in batches]


def make_info(
    seed: int,
    cases: Sequence[Case],
    replicates: int,
    *,
    machine: Machine = MACHINE,
    started: datetime = datetime(2026, 11, 22, 3, 15, tzinfo=UTC),
    environments: Mapping[str, Mapping[str, str]] = ENVIRONMENTS,
    **fields: Any,
) -> RunInfo:
    """The run.json of a synthetic run that starts. The seed is in its name, so that runs of one second differ."""
    info = {
        "run": f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{machine.id}-{seed % 0x10000:04x}",
        "kb_version": "0.0.0+synthetic",
        "kb_commit": None,
        "command": "bench",
        "profile": "synthetic",
        "started": started,
        "python": "3.11.15",
        "machine": machine,
        "environments": environments,
        "settings": {"synthetic": True},
        "seed": seed,
        "replicates": replicates,
        "cases": [case.as_dict() for case in cases],
    }
    return RunInfo.model_validate(info | fields)


def make_rows(
    seed: int,
    cases: Sequence[Case],
    replicates: int,
    *,
    mix: Mapping[Status, float] = HEALTHY,
    started: datetime = datetime(2026, 11, 22, 3, 15, tzinfo=UTC),
    scale: Mapping[str, float] | None = None,
    drift: float = 1.0,
    unsupported: Sequence[Case] = (),
) -> Iterator[dict[str, Cell]]:
    """Rows of `benchmarks`: per case `replicates` latency rows and a memory row, and the A/A rows of the first case.

    Args:
        mix: share of replicates per status that is not ok.
        scale: runtime or model -> factor on its latency, e.g. ``{"onnxruntime": 1.2}`` for a slowdown.
        drift: factor on every latency of the run, as of a slower machine.
        unsupported: cases all of whose replicates are `unsupported`.
    """
    chance = random.Random(seed)
    jobs = [(case, Kind.LATENCY, replicate) for case in cases for replicate in range(replicates)]
    jobs += [(case, Kind.AA, replicate) for case in cases[:1] for replicate in range(replicates)]
    jobs += [(case, Kind.MEMORY, 0) for case in cases]
    chance.shuffle(jobs)
    for position, (case, kind, replicate) in enumerate(jobs):
        row = dict(_NOTHING) | case.as_dict()
        row |= {"kind": kind, "replicate": replicate, "position": position}
        row["started"] = f"{started + timedelta(seconds=7 * position):%Y-%m-%dT%H:%M:%SZ}"
        status = Status.UNSUPPORTED if case in unsupported else _drawn(chance, mix)
        row |= _failed(status) if status is not Status.OK else {"status": status}
        if status is not Status.UNSUPPORTED:
            row |= _circumstances(chance, case)
        if status is Status.OK:
            factor = drift * (scale or {}).get(case.model, 1.0) * (scale or {}).get(case.runtime, 1.0)
            row |= _memory(chance, case) if kind is Kind.MEMORY else _timings(chance, case, factor)
        yield row


def make_run(
    results: Path,
    seed: int,
    cases: Sequence[Case],
    replicates: int,
    *,
    machine: Machine = MACHINE,
    started: datetime = datetime(2026, 11, 22, 3, 15, tzinfo=UTC),
    mix: Mapping[Status, float] = HEALTHY,
    scale: Mapping[str, float] | None = None,
    drift: float = 1.0,
    unsupported: Sequence[Case] = (),
    validity: Validity = Validity.VALID,
    reasons: Sequence[str] = (),
    **info: Any,
) -> Path:
    """Write one synthetic run below `results` and return its folder. `validity` UNFINISHED leaves it as if killed.

    Arguments are those of `make_rows` and `make_info`.
    """
    start = make_info(seed, cases, replicates, machine=machine, started=started, **info)
    with RunFolder.create(results, start) as run:
        rows = list(
            make_rows(
                seed, cases, replicates, mix=mix, started=started, scale=scale, drift=drift, unsupported=unsupported
            )
        )
        for row in rows:
            run.append(BENCHMARKS, row)
        if validity is not Validity.UNFINISHED:
            run.finish(**ending(start, rows, validity, reasons))
        return run.path


def ending(
    info: RunInfo, rows: Sequence[Mapping[str, Cell]], validity: Validity, reasons: Sequence[str]
) -> dict[str, Any]:
    """What `RunFolder.finish` is told at the end of a synthetic run."""
    first = Case.from_dict(info.cases[0]).id if info.cases else "an arm of a practice"
    slowed = 1.08 if validity is Validity.INVALID else 1.004
    return {
        "ended": info.started + timedelta(seconds=7 * len(rows) + 20),
        "validity": validity,
        "reasons": tuple(reasons) or (("A/A check: slower",) if validity is Validity.INVALID else ()),
        "noise": Noise(
            case=first,
            ratio=slowed,
            low=slowed - 0.02,
            high=slowed + 0.02,
            confidence=0.98,
            n=info.replicates,
            verdict="slower" if validity is Validity.INVALID else "same",
            detectable=0.031,
        ),
        "conditions": {"load_1m": 1.1, "foreign_cpu_cores": 0.05, "steal_pct": 0.0, "throttle_events": None},
    }


def _drawn(chance: random.Random, mix: Mapping[Status, float]) -> Status:
    point = chance.random()
    for status, share in mix.items():
        point -= share
        if point < 0:
            return status
    return Status.OK


def _failed(status: Status) -> dict[str, Cell]:
    reason = f"synthetic failure ({status}), made up for tests"
    failed: dict[str, Cell] = {"status": status, "stage": _STAGES.get(status, "load"), "reason": reason}
    if status is Status.UNSUPPORTED:
        failed["stage"] = "plan"
    if status is Status.WRONG_OUTPUT:
        failed |= {"error_max_abs": 0.31, "error_relative": 0.12, "tolerance_relative": 1e-4, "reference": "float64"}
    return failed


def _circumstances(chance: random.Random, case: Case) -> dict[str, Cell]:
    return {
        "model_hash": f"{case.model.encode().hex():0<12.12}",
        "weights_hash": f"{case.model[::-1].encode().hex():0<12.12}",
        "protocol_hash": f"{case.runtime.encode().hex():0<12.12}",
        "load_1m": chance.uniform(0.9, 1.3),
        "foreign_cpu_cores": chance.uniform(0.0, 0.1),
        "steal_pct": 0.0,
    }


def _timings(chance: random.Random, case: Case, factor: float) -> dict[str, Cell]:
    base = _EAGER_MS.get(case.model, 2.0) * _OVER_EAGER.get(case.runtime, 1.0) * case.batch**0.8 * factor
    p50 = base * chance.lognormvariate(0.0, 0.015)
    spread = chance.choice((0.01, 0.02, 0.03, 0.12))
    calls = max(10, int(1000 / p50))
    compiles = case.runtime in {"torch-compile", "tf-function", "keras-predict"}
    return {
        "import_s": chance.uniform(1.5, 2.5),
        "build_s": chance.uniform(0.02, 0.06),
        "convert_s": chance.uniform(2.0, 4.0) if case.runtime == "onnxruntime" else None,
        "load_s": chance.uniform(6.0, 9.0) if compiles else chance.uniform(0.005, 0.05),
        "first_call_s": p50 / 1000 * chance.uniform(2.0, 5.0),
        "latency_p50_ms": p50,
        "latency_iqr_ms": p50 * spread,
        "latency_p90_ms": p50 * (1 + 2 * spread) if calls >= 64 else None,
        "latency_p99_ms": p50 * (1 + 5 * spread) if calls >= 662 else None,
        "blocks": 10,
        "calls": calls,
        "single_calls": calls,
        "warmup_calls": max(5, calls // 2),
        "recompiles": 0,
        "error_max_abs": 2e-6,
        "error_relative": 1.5e-6,
        "tolerance_relative": 1e-4,
        "reference": "float64",
        "threads_reported": case.threads,
        "quality": "noisy" if spread > 0.1 else "good",
        "throttle_events": 0,
    }


def _memory(chance: random.Random, case: Case) -> dict[str, Cell]:
    baseline = 420.0 if case.runtime.startswith(("tf", "keras")) else 210.0
    return {"peak_rss_mib": baseline + chance.uniform(20, 80), "baseline_rss_mib": baseline, "quality": "good"}
