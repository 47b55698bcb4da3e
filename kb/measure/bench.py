"""The run: every job of the schedule in a fresh process, its row on disk before the next one starts."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from kb.caches import cache_folder
from kb.config import Settings
from kb.machine.conditions import Watch
from kb.measure.crew import Crew
from kb.measure.preparation import Mishap, Preparation, Prepared, hopeless, mishap
from kb.measure.progress import Progress
from kb.measure.quality import Row, row_quality
from kb.measure.runs import case_id, conclude, jobs_of, refuse_another_series
from kb.models.catalogue import ModelSpec, catalogue, spec_of
from kb.records.case import Case, Job, Kind
from kb.records.folder import RunFolder
from kb.records.run import RunInfo
from kb.records.schema import BENCHMARKS
from kb.records.statuses import EXPECTED, Status
from kb.workers.process import sweep

#: A case that failed in this many processes is not tried again in this run: a hang would cost its limit each time.
GIVE_UP_AFTER = 2


@dataclass(frozen=True)
class Bench:
    """One run on one machine: what it works with."""

    crew: Crew
    models: Mapping[str, ModelSpec]
    runtimes: Mapping[str, str]  #: name -> module:Class
    progress: Progress

    @classmethod
    def from_settings(cls, settings: Settings, progress: Progress) -> Self:
        """The bench of a knowledge base: its models, runtimes and limits."""
        crew = Crew(settings.root, settings.timeout_s, settings.memory_limit_mib, settings.pin)
        models = catalogue(settings.models, settings.artefacts, settings.root)
        return cls(crew, models, settings.runtime_targets(), progress)

    def execute(self, folder: RunFolder) -> RunInfo:
        """Do what is missing of a run, and finish it.

        Every row is on disk before the next job starts; when this is interrupted, the run can be resumed.
        """
        sweep()
        info = folder.info
        cache = cache_folder("runs", info.run)
        cases = [Case.from_dict(case) for case in info.cases]
        preparation = Preparation(
            self.crew, self.models, self.runtimes, info.seed, cache / "prepared", self.progress.preparing,
            memory=bool(info.settings["memory"]), at_once=info.machine.usable_cores,
        )  # fmt: skip
        try:
            self._do_jobs(folder, preparation.prepare(cases))
        finally:
            self.progress.end()
        rows = folder.rows(BENCHMARKS)
        finished = folder.finish(**conclude(info, rows))
        shutil.rmtree(cache, ignore_errors=True)
        return finished

    def _do_jobs(self, folder: RunFolder, prepared: Mapping[Case, Prepared]) -> None:
        present = folder.rows(BENCHMARKS)
        refuse_another_series(present, {case.id: done.columns for case, done in prepared.items()})
        jobs = list(enumerate(jobs_of(folder.info, hopeless(prepared))))
        done = {_key_of(row) for row in present}
        percentiles = bool(folder.info.settings.get("percentiles", True))
        waiting = [(position, job) for position, job in jobs if _key(job) not in done]
        failures = _Failures()
        for row in present:
            failures.note(row)
        self.progress.begin([job for _, job in waiting], len(jobs) - len(waiting))
        for position, job in waiting:
            self.progress.running(job)
            start = time.perf_counter()
            given_up = failures.verdict(job.case)
            row = {
                **dict.fromkeys(BENCHMARKS.names[1:-1]),
                **job.case.as_dict(),
                "kind": job.kind,
                "replicate": job.replicate,
                "position": position,
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                **prepared[job.case].columns,
                **(_columns(given_up) if given_up else self._do(job, prepared[job.case], percentiles)),
            }
            folder.append(BENCHMARKS, row)
            failures.note(row)
            self.progress.finished(job, row, time.perf_counter() - start)

    def _do(self, job: Job, prepared: Prepared, percentiles: bool) -> dict[str, Any]:
        """Run one worker and read its outcome into columns."""
        if prepared.mishap is not None:
            return _columns(prepared.mishap)
        case = job.case
        payload: dict[str, Any] = {
            "model": spec_of(self.models, case.model).as_dict(),
            "runtime": self.runtimes[case.runtime],
            "case": case.as_dict(),
            "inputs": prepared.inputs,
            "artefact": prepared.artefact,
        }
        task = "memory" if job.kind is Kind.MEMORY else "latency"
        if task == "latency":
            payload |= {"reference": prepared.expected, "percentiles": percentiles}
        watch = Watch.start()
        outcome = self.crew.run(task, payload, threads=case.threads, device=case.device)
        conditions = watch.stop(outcome.cpu_s)
        measured = {
            "process_s": outcome.seconds,
            "load_1m": conditions.load_1m,
            "foreign_cpu_cores": conditions.foreign_cpu_cores,
            "steal_pct": conditions.steal_pct,
            "throttle_events": conditions.throttle_events,
        }
        if outcome.failure is not None:
            return {**measured, **_columns(mishap(outcome.failure))}
        figures = {"status": Status.OK, **outcome.result, **measured}
        if figures["status"] != Status.OK:
            figures["stage"] = "check"
        if (median := figures.get("latency_p50_ms")) is not None:
            spread = figures["latency_iqr_ms"] / median
            figures["quality"] = row_quality(
                spread, figures["recompiles"], conditions.steal_pct, conditions.throttle_events
            )
        return figures


def _columns(trouble: Mishap) -> dict[str, Any]:
    return {"status": trouble.status, "stage": trouble.stage, "reason": trouble.reason}


class _Failures:
    """Cases that failed in this run, and when enough is enough."""

    def __init__(self) -> None:
        self._reasons: dict[str, list[str]] = {}

    def note(self, row: Row) -> None:
        if row["status"] not in EXPECTED and row["status"] != Status.NOT_RUN:
            self._reasons.setdefault(case_id(row), []).append(f"{row['status']}: {row['reason']}")

    def verdict(self, case: Case) -> Mishap | None:
        """Why the case is not tried again, if it is not."""
        reasons = self._reasons.get(case.id, [])
        if len(reasons) < GIVE_UP_AFTER:
            return None
        return Mishap(Status.NOT_RUN, "schedule", f"failed {len(reasons)} times before; last {reasons[-1]}")


def _key(job: Job) -> tuple[str, str, int]:
    return job.case.id, str(job.kind), job.replicate


def _key_of(row: Row) -> tuple[str, str, int]:
    return case_id(row), str(row["kind"]), int(row["replicate"] or 0)
