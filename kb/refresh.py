"""The monthly job and its parts: doctor, bench, commit, build; each stage isolated, one summary at the end."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kb.config import Settings
from kb.exits import Exit, exit_of
from kb.records.run import RunInfo, Validity
from kb.records.statuses import EXPECTED, Status

if TYPE_CHECKING:
    from kb.machine.findings import Diagnosis

#: Exit code of a stage that failed by a fault of kb itself, as Python ends after an exception.
FAULT = 1


@dataclass(frozen=True)
class Stage:
    """How one stage ended."""

    name: str
    code: int
    sentence: str
    seconds: float


@dataclass
class _Job:
    """The job while it runs: what a stage leaves for the next ones."""

    settings: Settings
    profile: str
    commit: bool
    push: bool
    diagnose: "Callable[[], Diagnosis]"
    show: "Callable[[Diagnosis], None]"
    run: Path | None = None
    info: RunInfo | None = None


def refresh(
    settings: Settings,
    profile: str,
    *,
    commit: bool,
    push: bool,
    diagnose: "Callable[[], Diagnosis]",
    show: "Callable[[Diagnosis], None]",
) -> list[Stage]:
    """Do all stages; one that fails does not keep the others from what they can still do.

    Args:
        diagnose: gives what `kb doctor` shows.
        show: prints it.
    """
    job = _Job(settings, profile, commit, push, diagnose, show)
    return list(_stages(job))


def summary(stages: Sequence[Stage]) -> tuple[list[str], int]:
    """One line per stage, and the exit code of the whole: what was measured decides before what came after it."""
    width = max(len(stage.name) for stage in stages)
    marks = {0: "ok  "}
    lines = [f"{marks.get(s.code, 'FAIL')} {s.name:<{width}} {s.seconds:6.0f} s  {s.sentence}" for s in stages]
    codes = [stage.code for stage in stages]
    first = (FAULT, Exit.NOTHING_MEASURED, Exit.ENVIRONMENT, Exit.USAGE, Exit.SOME_FAILED)
    return lines, next((int(code) for code in first if code in codes), 0)


def measure(
    settings: Settings, profile_name: str, select: Sequence[str] = (), *, resume: str | None = None, command: str
) -> tuple[RunInfo, Path]:
    """Plan and execute a run, or what is missing of one; also the whole of `kb bench`.

    Returns:
        run.json as it is at the end, and the run's folder.
    """
    from kb.machine.fingerprint import fingerprint
    from kb.measure.bench import Bench
    from kb.measure.plan import plan
    from kb.measure.progress import progress_for
    from kb.measure.runs import find_run, new_run, resume_run

    machine = fingerprint()
    if resume:
        folder = resume_run(find_run(settings.results, resume), machine, settings)
    else:
        profile = settings.profile(profile_name)
        planned = plan(
            profile_name, profile, settings.profile("full"), settings.model_names(), settings.runtime_targets(),
            machine.usable_cores, select,
        )  # fmt: skip
        commit = _head(settings.root)
        folder = new_run(settings, profile_name, profile, planned, machine, command=command, commit=commit)
    with folder:
        bench = Bench.from_settings(settings, progress_for(sys.stderr))
        return bench.execute(folder), folder.path


def build(settings: Settings) -> str:
    """Bring the pages up to date and build the site; also the whole of `kb build`. Returns what was done."""
    from kb.site.build import generate
    from kb.site.engine import run_mkdocs

    written = generate(settings.results, settings.docs)
    run_mkdocs(settings.root, settings.site)
    return f"Pages: {written.summary}. Open {settings.site / 'index.html'}"


def sentence_of_run(info: RunInfo) -> str:
    """What a run came to: rows by status, validity with reasons, what was left out."""
    counts = info.counts.get("benchmarks", {})
    rows = ", ".join(f"{number} {status}" for status, number in sorted(counts.items(), key=lambda item: -item[1]))
    left_out = f" {len(info.left_out)} cells of the full grid left out." if info.left_out else ""
    validity = "VALID" if info.validity is Validity.VALID else f"{info.validity}: {'; '.join(info.reasons)}"
    return f"Run {info.run}: {rows or 'no row'}.{left_out} {validity}."


def exit_of_run(info: RunInfo) -> Exit:
    """0, 4 where something failed, 5 where nothing was measured, 6 where no framework could even be imported."""
    counts = info.counts.get("benchmarks", {})
    if not counts.get(Status.OK):
        tried = set(counts) - {Status.UNSUPPORTED, Status.NOT_RUN}
        return Exit.ENVIRONMENT if tried == {Status.ENVIRONMENT_FAILED} else Exit.NOTHING_MEASURED
    return Exit.SOME_FAILED if set(counts) - EXPECTED else Exit.OK


def _stages(job: _Job) -> Iterator[Stage]:
    yield _isolated("doctor", lambda: _doctor(job))
    yield _isolated("bench", lambda: _bench(job))
    if job.commit and job.run:
        yield _isolated("commit", lambda: _commit(job))
    yield _isolated("build", lambda: (Exit.OK, build(job.settings)))


def _isolated(name: str, work: Callable[[], tuple[int, str]]) -> Stage:
    """Do a stage; whatever goes wrong is told, and becomes its exit code."""
    start = time.perf_counter()
    sys.stderr.write(f"\n== {name}\n")
    try:
        code, sentence = work()
    except Exception as error:  # noqa: BLE001 - announced here with its traceback, and in the summary and exit code
        known = exit_of(error)
        if known is None:
            traceback.print_exc()
        code, sentence = (
            (FAULT if known is None else known),
            f"{error}" if known else f"{type(error).__name__}: {error}",
        )
    return Stage(name, int(code), " ".join(sentence.split()), time.perf_counter() - start)


def _doctor(job: _Job) -> tuple[int, str]:
    diagnosis = job.diagnose()
    job.show(diagnosis)
    working = [
        framework.name for framework in diagnosis.frameworks if any(device.correct for device in framework.devices)
    ]
    if not diagnosis.usable:
        return Exit.ENVIRONMENT, 'no framework works here; install some: pip install "framework-kb[all]"'
    return Exit.OK, f"machine {diagnosis.machine.id}: {', '.join(working)} work"


def _bench(job: _Job) -> tuple[int, str]:
    job.info, job.run = measure(job.settings, job.profile, command="refresh")
    return exit_of_run(job.info), sentence_of_run(job.info)


def _commit(job: _Job) -> tuple[int, str]:
    from kb.records.describe import write_descriptions
    from kb.repository import Repository

    assert job.run is not None
    assert job.info is not None
    repository = Repository.find(job.settings.root)
    described = write_descriptions(job.settings.results)
    done = repository.commit([job.run, *described], _message(job.info))
    sentence = done.sentence if done else "Nothing to commit."
    if not job.push:
        return Exit.OK, sentence
    pushed = repository.push(job.settings.repository.remote, job.settings.repository.branch)
    return (Exit.OK if pushed.delivered else Exit.SOME_FAILED), f"{sentence} {pushed.sentence}"


def _message(info: RunInfo) -> str:
    """Subject and body of the commit of a run."""
    machine = info.machine
    return (
        f"Add the {info.profile} run of machine {machine.id} of {info.started:%Y-%m-%d}\n\n"
        f"{sentence_of_run(info)}\n{machine.cpu_model}, {machine.usable_cores} cores, {machine.os}\n"
    )


def _head(root: Path) -> str | None:
    """The commit that the run is made at; None outside a repository."""
    from kb.repository import Repository, RepositoryError

    try:
        return Repository.find(root).head()
    except RepositoryError:  # the commit stage says so; what is measured does not depend on it
        return None
