"""Many machines that commit and push to one remote at the same time, each in a clone with somebody's work in it.

`python -m tests.repository.fleet 10` does it ten times and prints how many pushes were rejected how often.
"""

import multiprocessing
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from kb.repository import PushOutcome, Repository
from tests.repository.clones import begin_work, files_in, git, new_clone, new_remote, state, write_run

MACHINES, RUNS = 8, 5
#: No push may take longer, however unlucky: five waits of 4 to 64 s, and the pushes.
LIMIT_S = 300.0


@dataclass(frozen=True)
class Report:
    """What one machine saw."""

    machine: int
    outcomes: list[PushOutcome]
    untouched: bool  #: somebody's staged, changed and untracked files are as they were


def work(machine: int, clone: Path, barrier: Barrier, reports: "Queue[Report]") -> None:
    """One machine: as soon as all are ready, commit and push its runs one after the other."""
    repository = Repository.find(clone)
    before = state(clone)
    outcomes = []
    barrier.wait(LIMIT_S)
    for number in range(RUNS):
        run = write_run(clone, f"machine{machine}-run{number}")
        assert repository.commit([run], f"Add run {number} of machine {machine}") is not None
        outcomes.append(repository.push())
    reports.put(Report(machine, outcomes, state(clone) == before))


def race(folder: Path) -> tuple[Path, list[Report]]:
    """The remote after all machines are done, and what each of them saw."""
    remote = new_remote(folder)
    context = multiprocessing.get_context("spawn")
    barrier, reports = context.Barrier(MACHINES), context.Queue()
    processes = []
    for machine in range(MACHINES):
        clone = new_clone(remote, folder / f"machine{machine}")
        begin_work(clone)
        processes.append(context.Process(target=work, args=(machine, clone, barrier, reports)))
    try:
        for process in processes:
            process.start()
        seen = [reports.get(timeout=RUNS * LIMIT_S) for _ in processes]
    finally:
        for process in processes:
            process.join(5)
            process.kill()
    return remote, sorted(seen, key=lambda report: report.machine)


def main(jobs: int) -> None:
    for _ in range(jobs):
        with tempfile.TemporaryDirectory() as folder:
            remote, reports = race(Path(folder))
            outcomes = [outcome for report in reports for outcome in report.outcomes]
            rejections = sorted(Counter(outcome.rejections for outcome in outcomes).items())
            sys.stdout.write(
                f"{len(files_in(remote, 'main')) // 2} runs arrived; "
                f"delivered {sum(outcome.delivered for outcome in outcomes)} of {len(outcomes)}; "
                f"work untouched on {sum(report.untouched for report in reports)} of {len(reports)} machines; "
                f"rejected n times: {', '.join(f'{n}: {times}' for n, times in rejections)}; "
                f"{git(remote, 'fsck', '--no-dangling') or 'sound'}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
