"""The monthly job and its parts, from doctor to build; each stage isolated, one summary at the end."""

import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kb.config import Settings
from kb.exits import Exit, exit_of
from kb.records.run import RunInfo, Validity
from kb.records.statuses import EXPECTED, Status

if TYPE_CHECKING:
    from kb.changelogs.collect import Outcome
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
    replicates: int | None
    commit: bool
    push: bool
    diagnose: "Callable[[], Diagnosis]"
    show: "Callable[[Diagnosis], None]"
    offline: bool = False
    runs: list[tuple[RunInfo, Path]] = field(default_factory=list)
    changelogs: "list[Outcome]" = field(default_factory=list)


def refresh(
    settings: Settings,
    profile: str,
    *,
    commit: bool,
    push: bool,
    diagnose: "Callable[[], Diagnosis]",
    show: "Callable[[Diagnosis], None]",
    replicates: int | None = None,
    offline: bool = False,
) -> list[Stage]:
    """Do all stages; one that fails does not keep the others from what they can still do.

    Args:
        replicates: instead of the profile's.
        diagnose: gives what `kb doctor` shows.
        show: prints it.
        offline: ask no server for changelogs.
    """
    job = _Job(settings, profile, replicates, commit, push, diagnose, show, offline)
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
    settings: Settings,
    profile_name: str,
    select: Sequence[str] = (),
    *,
    replicates: int | None = None,
    resume: str | None = None,
    command: str,
) -> tuple[RunInfo, Path]:
    """Plan and execute a run, or what is missing of one; also the whole of `kb bench`.

    Args:
        replicates: instead of the profile's.

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
        if replicates:
            profile = profile.model_copy(update={"replicates": replicates})
        planned = plan(
            profile_name, profile, settings.profile("full"), settings.model_names(), settings.runtime_targets(),
            machine.usable_cores, select,
        )  # fmt: skip
        commit = _head(settings.root)
        folder = new_run(settings, profile_name, profile, planned, machine, command=command, commit=commit)
    with folder:
        bench = Bench.from_settings(settings, progress_for(sys.stderr))
        return bench.execute(folder), folder.path


def measure_practices(
    settings: Settings,
    select: Sequence[str] = (),
    *,
    replicates: int | None = None,
    resume: str | None = None,
    command: str = "practices",
) -> tuple[RunInfo, Path]:
    """Measure the practices, or what is missing of such a run; also the whole of `kb practices`.

    Returns:
        run.json as it is at the end, and the run's folder.
    """
    from kb.machine.fingerprint import fingerprint
    from kb.measure.runs import find_run, resume_run
    from kb.practices.catalogue import installed, practices
    from kb.practices.measuring import Measuring, new_run
    from kb.practices.plan import trials
    from kb.practices.progress import PlainProgress

    machine = fingerprint()
    if resume:
        folder = resume_run(find_run(settings.results, resume), machine, settings)
    else:
        known = practices()
        planned = trials(known, machine.usable_cores, select)
        most = max(known[trial.practice].replicates for trial in planned)
        folder = new_run(
            settings, planned, min(most, replicates or most), machine, command=command, commit=_head(settings.root)
        )
    with folder:
        measuring = Measuring.from_settings(settings, installed(), PlainProgress(sys.stderr))
        return measuring.execute(folder), folder.path


def measure_conversions(
    settings: Settings,
    profile_name: str,
    select: Sequence[str] = (),
    *,
    resume: str | None = None,
    command: str = "convert",
) -> tuple[RunInfo, Path]:
    """Check the conversions of a profile, or what is missing of such a run; also the whole of `kb convert`.

    Returns:
        run.json as it is at the end, and the run's folder.
    """
    from kb.convert.converting import Converting, new_run, refuse_another_series
    from kb.convert.plan import conversions_of
    from kb.convert.progress import PlainProgress
    from kb.machine.fingerprint import fingerprint
    from kb.measure.runs import find_run, resume_run
    from kb.records.schema import CONVERSIONS

    machine = fingerprint()
    if resume:
        folder = resume_run(find_run(settings.results, resume), machine, settings)
        refuse_another_series(folder.rows(CONVERSIONS), settings.route_targets())
    else:
        planned = conversions_of(settings, profile_name, select)
        folder = new_run(settings, profile_name, planned, machine, command=command, commit=_head(settings.root))
    with folder:
        converting = Converting.from_settings(settings, machine.usable_cores, PlainProgress(sys.stderr))
        return converting.execute(folder), folder.path


def verify_problems(
    settings: Settings, ids: Sequence[str], arms: Sequence[str], say: Callable[[str], None]
) -> tuple[RunInfo, Path] | None:
    """Run the reproducers of notes; the whole of `kb problem verify`.

    Returns:
        run.json as it is at the end and the run's folder; None where there is no reproducer to run.
    """
    from kb.problems.verbs import verified

    return verified(settings, ids, arms, commit=_head(settings.root), say=say)


def build(settings: Settings) -> str:
    """Bring the pages up to date and build the site; also the whole of `kb build`. Returns what was done."""
    from kb.site.build import generate, read_log
    from kb.site.engine import run_mkdocs

    log = read_log(settings.problems, settings.results, settings.root)
    written = generate(settings.results, settings.docs, log)
    run_mkdocs(settings.root, settings.site)
    return f"Pages: {written.summary}. Open {settings.site / 'index.html'}"


def row_counts(info: RunInfo) -> dict[str, int]:
    """Status -> rows, over all tables of the run."""
    total: Counter[str] = Counter()
    for counts in info.counts.values():
        total.update(counts)
    return dict(total)


def sentence_of_run(info: RunInfo) -> str:
    """What a run came to: rows by status, validity with reasons, what was left out."""
    counts = row_counts(info)
    rows = ", ".join(f"{number} {status}" for status, number in sorted(counts.items(), key=lambda item: -item[1]))
    left_out = f" {len(info.left_out)} cells of the full grid left out." if info.left_out else ""
    validity = "VALID" if info.validity is Validity.VALID else f"{info.validity}: {'; '.join(info.reasons)}"
    return f"Run {info.run}: {rows or 'no row'}.{left_out} {validity}."


def exit_of_run(info: RunInfo) -> Exit:
    """0, 4 where something failed, 5 where nothing was measured, 6 where no framework could even be imported."""
    counts = row_counts(info)
    if not counts.get(Status.OK):
        tried = set(counts) - {Status.UNSUPPORTED, Status.NOT_RUN}
        return Exit.ENVIRONMENT if tried == {Status.ENVIRONMENT_FAILED} else Exit.NOTHING_MEASURED
    return Exit.SOME_FAILED if set(counts) - EXPECTED else Exit.OK


def _stages(job: _Job) -> Iterator[Stage]:
    yield _isolated("doctor", lambda: _doctor(job))
    yield _isolated("bench", lambda: _bench(job))
    if job.settings.profile(job.profile).practices:
        yield _isolated("practices", lambda: _practices(job))
    if job.settings.profile(job.profile).conversions:
        yield _isolated("convert", lambda: _convert(job))
    if job.settings.profile(job.profile).reproducers:
        yield _isolated("problems", lambda: _problems(job))
    yield _isolated("changelog", lambda: _changelog(job))
    if job.commit and (job.runs or job.changelogs):
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
    info, path = measure(job.settings, job.profile, replicates=job.replicates, command="refresh")
    job.runs.append((info, path))
    return exit_of_run(info), sentence_of_run(info)


def _practices(job: _Job) -> tuple[int, str]:
    info, path = measure_practices(job.settings, replicates=job.replicates, command="refresh")
    job.runs.append((info, path))
    return exit_of_run(info), sentence_of_run(info)


def _convert(job: _Job) -> tuple[int, str]:
    info, path = measure_conversions(job.settings, job.profile, command="refresh")
    job.runs.append((info, path))
    return exit_of_run(info), sentence_of_run(info)


def _problems(job: _Job) -> tuple[int, str]:
    """Whether the problems that notes tell of are still there; that they are is no failure."""

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    done = verify_problems(job.settings, (), (), say)
    if done is None:
        return Exit.OK, "no note has a reproducer"
    job.runs.append(done)
    return exit_of_run(done[0]), sentence_of_run(done[0])


def read_changelogs(settings: Settings, names: Sequence[str] = (), *, offline: bool) -> "list[Outcome]":
    """Read the changelogs of projects and keep what they say; also the whole of `kb changelog`.

    Raises:
        ConfigError: a name is neither a project's nor a package's.
    """
    from kb.changelogs.collect import collect
    from kb.changelogs.described import read_document

    return collect(settings, names, read=read_document, offline=offline)


def exit_of_changelogs(outcomes: "Sequence[Outcome]") -> Exit:
    """0, 4 where a file here is damaged or kb has a fault, 5 where nothing was read although it was asked for."""
    from kb.changelogs.collect import State

    states = {outcome.state for outcome in outcomes}
    if State.FAILED in states:
        return Exit.SOME_FAILED
    return Exit.NOTHING_MEASURED if states == {State.UNREACHABLE} else Exit.OK


def _changelog(job: _Job) -> tuple[int, str]:
    """A source that is out of reach is a warning: what was read before stays."""
    job.changelogs += read_changelogs(job.settings, offline=job.offline)
    for outcome in job.changelogs:
        sys.stderr.write(f"{outcome.line}\n{outcome.fault}")
    code = exit_of_changelogs(job.changelogs)
    new = sum(outcome.new_entries for outcome in job.changelogs)
    warnings = "; ".join(outcome.line for outcome in job.changelogs if not outcome.was_read)
    sentence = f"{len(job.changelogs)} projects, {new} new entries"
    return (Exit.SOME_FAILED if code is Exit.SOME_FAILED else Exit.OK), (
        f"{sentence}; WARNING: {warnings}" if warnings else sentence
    )


def _commit(job: _Job) -> tuple[int, str]:
    from kb.changelogs.store import CHANGELOGS_FOLDER
    from kb.records.describe import write_descriptions
    from kb.repository import Repository

    repository = Repository.find(job.settings.root)
    described = write_descriptions(job.settings.results)
    written = [path for outcome in job.changelogs for path in outcome.written]
    removed = [path for outcome in job.changelogs for path in outcome.removed]
    paths = [*(path for _, path in job.runs), *described, *written]
    done = repository.commit(paths, _message([info for info, _ in job.runs], job.changelogs), removed)
    sentence = done.sentence if done else "Nothing to commit."
    if not job.push:
        return Exit.OK, sentence
    derived = [job.settings.results / CHANGELOGS_FOLDER]  # each machine reads them for itself
    pushed = repository.push(job.settings.repository.remote, job.settings.repository.branch, derived=derived)
    return (Exit.OK if pushed.delivered else Exit.SOME_FAILED), f"{sentence} {pushed.sentence}"


def _message(infos: Sequence[RunInfo], changelogs: "Sequence[Outcome]") -> str:
    """Subject and body of the commit of the runs and changelogs of one job."""
    said = "".join(f"Changelog of {outcome.line}.\n" for outcome in changelogs if outcome.written or outcome.removed)
    if not infos:
        return f"Add what changelogs say that is new\n\n{said}"
    first = infos[0]
    what = " and ".join(info.profile for info in infos)
    sentences = "\n".join(sentence_of_run(info) for info in infos)
    machine = first.machine
    return (
        f"Add the {what} run of machine {machine.id} of {first.started:%Y-%m-%d}\n\n"
        f"{sentences}\n{machine.cpu_model}, {machine.usable_cores} cores, {machine.os}\n{said}"
    )


def _head(root: Path) -> str | None:
    """The commit that the run is made at; None outside a repository."""
    from kb.repository import Repository, RepositoryError

    try:
        return Repository.find(root).head()
    except RepositoryError:  # the commit stage says so; what is measured does not depend on it
        return None
