"""Telling a person how far the bench is: a live display on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import IO, Protocol

from kb.records.case import Job, Kind
from kb.records.statuses import Status

#: Guess for a job before anything has been timed; only the first lines of a run show it.
FIRST_GUESS_S = 8.0


class Progress(Protocol):
    """What the bench reports. Called in this order and, but for `preparing`, from one thread."""

    def preparing(self, what: str) -> None:
        """Something that is made once per run begins; models are prepared side by side."""
        ...

    def begin(self, jobs: Sequence[Job], done: int) -> None:
        """The schedule begins: the jobs to come, and how many an earlier try had done."""
        ...

    def running(self, job: Job) -> None:
        """A worker process starts."""
        ...

    def finished(self, job: Job, row: Mapping[str, object], seconds: float) -> None:
        """Its row is on disk."""
        ...

    def end(self) -> None:
        """No more will come; also called after an error."""
        ...


class TimeLeft:
    """Seconds that the rest of a schedule will take, from what each runtime took so far."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._waiting: dict[tuple[str, Kind], int] = {}
        self._seen: dict[tuple[str, Kind], list[float]] = {}
        for job in jobs:
            key = (job.case.runtime, job.kind)
            self._waiting[key] = self._waiting.get(key, 0) + 1

    def finished(self, job: Job, seconds: float) -> None:
        key = (job.case.runtime, job.kind)
        self._waiting[key] -= 1
        self._seen.setdefault(key, []).append(seconds)

    def seconds(self) -> float:
        everything = [second for seconds in self._seen.values() for second in seconds]
        otherwise = fmean(everything) if everything else FIRST_GUESS_S
        return sum(
            count * (fmean(self._seen[key]) if key in self._seen else otherwise) for key, count in self._waiting.items()
        )


def describe_row(row: Mapping[str, object]) -> str:
    """The figure of a row, or its status with the reason, in one line."""
    if row["status"] != Status.OK:
        return f"{row['status']}: {str(row['reason'])[:100]}"
    if row["kind"] == Kind.MEMORY:
        return f"{row['peak_rss_mib']:.0f} MiB"
    return f"{row['latency_p50_ms']:.4g} ms"


def duration(seconds: float) -> str:
    """Minutes and seconds, e.g. ``3 min 05 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


class PlainProgress:
    """One line per event, for logs."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stderr
        self._done = self._total = 0
        self._left = TimeLeft(())

    def _say(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()

    def preparing(self, what: str) -> None:
        self._say(f"preparing {what}")

    def begin(self, jobs: Sequence[Job], done: int) -> None:
        self._done, self._total, self._left = done, done + len(jobs), TimeLeft(jobs)

    def running(self, job: Job) -> None:
        pass  # a log has one line per row, when it is there

    def finished(self, job: Job, row: Mapping[str, object], seconds: float) -> None:
        self._done += 1
        self._left.finished(job, seconds)
        left = duration(self._left.seconds())
        self._say(f"[{self._done}/{self._total}] {job.case.id} {job.kind} {describe_row(row)} ({left} left)")

    def end(self) -> None:
        pass


class LiveProgress:
    """A bar with the running case, the count and the time left; failures stay above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._console = Console(stderr=True)
        self._bar = Bar(
            SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"), TimeElapsedColumn(), console=self._console, transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("starting", total=None, left="")
        self._left = TimeLeft(())
        self._bar.start()

    def preparing(self, what: str) -> None:
        self._bar.update(self._task, description=f"preparing {what}")

    def begin(self, jobs: Sequence[Job], done: int) -> None:
        self._left = TimeLeft(jobs)
        self._bar.update(self._task, total=done + len(jobs), completed=done)

    def running(self, job: Job) -> None:
        what = "" if job.kind is Kind.LATENCY else f" ({job.kind})"
        self._bar.update(self._task, description=f"{job.case.id}{what}")

    def finished(self, job: Job, row: Mapping[str, object], seconds: float) -> None:
        self._left.finished(job, seconds)
        self._bar.update(self._task, advance=1, left=f"{duration(self._left.seconds())} left")
        if row["status"] != Status.OK:
            self._console.print(f"{job.case.id} {job.kind}: {describe_row(row)}", markup=False, highlight=False)

    def end(self) -> None:
        self._bar.stop()


def progress_for(stream: IO[str]) -> Progress:
    """Live on a terminal, plain lines elsewhere."""
    return LiveProgress() if stream.isatty() else PlainProgress(stream)
