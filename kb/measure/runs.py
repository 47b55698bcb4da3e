"""What a run is before and after it is measured: its run.json, how it is resumed, and what it concludes."""

import os
import platform
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import kb
from kb.complaints import nearest
from kb.config import Profile, Settings
from kb.discovery import UnknownPart, split_size
from kb.measure.arms import compare
from kb.measure.footprint import disk_mib
from kb.measure.plan import Plan
from kb.measure.quality import Row, judge_run, median_conditions
from kb.measure.schedule import schedule
from kb.records.case import Case, Job, Kind
from kb.records.folder import RUNS_FOLDER, RunFolder
from kb.records.infofile import INFO_FILE
from kb.records.run import LeftOut, Machine, Noise, RunInfo, new_run_name
from kb.records.statuses import Status
from kb.runtimes.catalogue import BadRuntime, load_runtime

#: The A/A check prefers a case of this runtime: it is the baseline of every ratio that is shown.
AA_RUNTIME = "torch-eager"


class ResumeError(ValueError):
    """A run that cannot be continued here. One line: why, and what to do instead."""


def new_run(
    settings: Settings,
    profile_name: str,
    profile: Profile,
    plan: Plan,
    machine: Machine,
    *,
    command: str,
    commit: str | None,
) -> RunFolder:
    """Make the folder of a new run, with everything in run.json that is needed to resume it."""
    return begin(
        settings, machine, command=command, commit=commit, profile=profile_name,
        disk_mib=_disk_mib({case.runtime for case in plan.cases}, settings.runtime_targets()),
        memory=profile.memory,
        percentiles=profile.percentiles,
        replicates=profile.replicates,
        cases=tuple(case.as_dict() for case in plan.cases),
        left_out=tuple(LeftOut(case=case.id, reason=reason) for case, reason in plan.left_out),
    )  # fmt: skip


def begin(
    settings: Settings,
    machine: Machine,
    *,
    command: str,
    commit: str | None,
    memory: bool = False,
    percentiles: bool = False,
    **planned: Any,
) -> RunFolder:
    """Make the folder of a run of any kind.

    Args:
        memory: whether peak memory is measured too.
        percentiles: whether single calls are timed too.
        planned: fields of `RunInfo` that say what is to be measured.
    """
    started = datetime.now(UTC).replace(microsecond=0)
    info = RunInfo(
        run=new_run_name(started, machine.id),
        kb_version=kb.__version__,
        kb_commit=commit,
        command=command,
        started=started,
        python=platform.python_version(),
        machine=machine,
        environments={"current": installed_versions()},
        settings={
            "timeout_s": settings.timeout_s,
            "memory_limit_mib": settings.memory_limit_mib,
            "pin": settings.pin,
            "memory": memory,
            "percentiles": percentiles,
        },
        seed=settings.seed if settings.seed is not None else random.SystemRandom().randrange(2**32),
        ci_url=_ci_url(),
        **{"cases": (), **planned},
    )
    return RunFolder.create(settings.results, info)


def _disk_mib(names: Iterable[str], targets: Mapping[str, str]) -> dict[str, float]:
    """Disk space by runtime. A runtime that cannot be loaded, or whose package is not installed, is not in it."""
    found = {}
    for name in sorted(names):
        try:
            size = disk_mib(load_runtime(targets[name]))
        except (UnknownPart, ImportError, BadRuntime):  # its cases get rows that say so
            continue
        if size is not None:
            found[name] = round(size, 1)
    return found


def find_run(results: Path, name: str) -> Path:
    """The folder of a run by its name, by the end of its name, or by its path.

    Raises:
        ResumeError: there is none, or more than one.
    """
    if (Path(name) / INFO_FILE).is_file():
        return Path(name).resolve()
    known = {path.name: path for path in sorted(results.glob(f"{RUNS_FOLDER}/*/*")) if (path / INFO_FILE).is_file()}
    found = [path for run, path in known.items() if run == name or run.endswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ResumeError(f"{name!r} may be {', '.join(path.name for path in found[:5])}; give more of the name")
    raise ResumeError(f"no run {name!r} in {results}; {nearest(name, list(known)[-5:])}")


def resume_run(path: Path, machine: Machine, settings: Settings) -> RunFolder:
    """Open an unfinished run on the machine, with the packages and parts that it was begun with.

    Raises:
        ResumeError: the machine, a package, a model or a runtime is another one, or gone.
        RunError: the run is finished, or another process is writing it.
    """
    folder = RunFolder.reopen(path)
    if complaint := _differs(folder.info, machine, settings):
        folder.release()
        raise ResumeError(f"{path.name} cannot be resumed: {complaint}; start a new run")
    return folder


def refuse_another_series(rows: Sequence[Row], columns: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse to go on with a run whose model, weights or protocol are not those of the rows that are there.

    Args:
        rows: of the run so far.
        columns: case id -> the hashes that new rows of the case would carry.

    Raises:
        ResumeError: they differ.
    """
    for row in rows:
        for name in ("model_hash", "weights_hash", "protocol_hash"):
            now = columns[case_id(row)].get(name)
            if row[name] is not None and now is not None and row[name] != now:
                raise ResumeError(f"{case_id(row)} has rows of {name} {row[name]}, now it is {now}; start a new run")


def _differs(info: RunInfo, machine: Machine, settings: Settings) -> str:
    """Why an unfinished run cannot be continued here; empty when it can."""
    if info.machine.id != machine.id:
        return f"it was begun on machine {info.machine.id}, this is {machine.id}"
    if changed := _changed(info.environments["current"], installed_versions()):
        return f"packages have changed since it was begun: {', '.join(changed[:5])}"
    for field, known in (("model", settings.model_names()), ("runtime", settings.runtime_targets())):
        if gone := sorted({split_size(str(case[field]))[0] for case in info.cases} - set(known)):
            return f"there is no {field} {gone[0]!r} any more"
    return ""


def installed_versions() -> dict[str, str]:
    """Every installed distribution with its version."""
    found = {str(part.metadata["Name"]).lower().replace("_", "-"): part.version for part in distributions()}
    return dict(sorted(found.items()))


def aa_case(cases: Sequence[Case]) -> Case | None:
    """The case that a run measures twice: the first of the baseline runtime, else the first."""
    return next((case for case in cases if case.runtime == AA_RUNTIME), cases[0] if cases else None)


def jobs_of(info: RunInfo, hopeless: Collection[Case]) -> Iterator[Job]:
    """The schedule of a run. A case that cannot work keeps one job: the row that says why."""
    cases = [Case.from_dict(case) for case in info.cases]
    twice = aa_case([case for case in cases if case not in hopeless])
    for job in schedule(cases, info.replicates, info.seed, twice, memory=bool(info.settings["memory"])):
        if job.case not in hopeless or (job.kind is Kind.LATENCY and job.replicate == 0):
            yield job


def conclude(info: RunInfo, rows: Sequence[Row]) -> dict[str, Any]:
    """What run.json says at the end: noise, conditions, validity with reasons."""
    noise = aa_noise(rows)
    conditions = median_conditions(rows)
    threads = max((int(case["threads"]) for case in info.cases), default=1)
    ok_rows = sum(row["status"] == Status.OK and row["kind"] == Kind.LATENCY for row in rows)
    validity, reasons = judge_run(noise, conditions, info.machine.usable_cores, threads, ok_rows)
    return {"noise": noise, "conditions": conditions, "validity": validity, "reasons": reasons}


def aa_noise(rows: Sequence[Row]) -> Noise | None:
    """The A/A check of a run: a case's latency rows against its second arm, round by round. None without one."""
    second = [row for row in rows if row["kind"] == Kind.AA]
    if not second:
        return None
    identity = case_id(second[0])
    first = [row for row in rows if row["kind"] == Kind.LATENCY and case_id(row) == identity]
    rounds = sorted({int(row["replicate"] or 0) for row in (*first, *second)})
    return Noise(case=identity, **asdict(compare(_by_round(first, rounds), _by_round(second, rounds))))


def _by_round(rows: Sequence[Row], rounds: Sequence[int]) -> list[float | None]:
    """The latency in each round, None where there is none."""
    ok = [row for row in rows if row["status"] == Status.OK]
    found = {int(row["replicate"] or 0): float(row["latency_p50_ms"] or 0) for row in ok}
    return [found.get(number) for number in rounds]


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    names = sorted(set(before) | set(now))
    return [f"{name} {before.get(name)} -> {now.get(name)}" for name in names if before.get(name) != now.get(name)]


def _ci_url() -> str | None:
    """Where the log of this run is, if GitHub runs it."""
    server, repository, run = (os.environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def case_id(row: Row) -> str:
    """Id of the case that a row belongs to."""
    return Case.from_dict({name: row[name] for name in Case.__dataclass_fields__}).id
