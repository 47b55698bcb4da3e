"""SIGKILL at a random moment: every row that was acknowledged is there, the run goes on, and no row is there twice."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb.records.folder import RunFolder
from kb.records.lines import normal_row
from kb.records.reading import read_run
from kb.records.run import Validity
from kb.records.schema import BENCHMARKS
from tests.records.synthetic import grid, make_info, make_rows

ROOT = Path(__file__).parents[2]
SEED = 11
REPLICATES = 200
KILLS = 8

#: Appends what is missing of a run, and says at the start and after each row how many rows are there.
WRITER = f"""
import sys
from pathlib import Path
from kb.records.folder import RunFolder
from kb.records.schema import BENCHMARKS
from tests.records.synthetic import grid, make_rows
rows = list(make_rows({SEED}, grid()[:5], {REPLICATES}))
with RunFolder.reopen(Path(sys.argv[1])) as run:
    present = len(run.rows(BENCHMARKS))
    print(present, flush=True)
    for number in range(present, len(rows)):
        run.append(BENCHMARKS, rows[number])
        print(number + 1, flush=True)
"""


def killed_after(path: Path, first_rows: int, pause: float) -> int:
    """Start the writer, let it acknowledge some rows, kill it a moment later, and return how many it said are there."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(first_rows)]
        time.sleep(pause)
        writer.kill()
        acknowledged += writer.stdout.readlines()
    return max((int(line) for line in acknowledged if line.endswith(b"\n")), default=0)


@pytest.mark.slow
def test_every_finished_row_survives_and_the_run_goes_on(tmp_path: Path) -> None:
    cases = grid()[:5]
    expected = [normal_row(BENCHMARKS, row) for row in make_rows(SEED, cases, REPLICATES)]
    run = RunFolder.create(tmp_path, make_info(SEED, cases, REPLICATES))
    run.release()
    chance = random.Random(SEED)
    present = 0
    for _ in range(KILLS):
        acknowledged = killed_after(run.path, chance.randint(0, 30), chance.uniform(0, 0.05))
        acknowledged = max(acknowledged, present)
        present = len(read_run(run.path).benchmarks)
        assert present in (acknowledged, acknowledged + 1)
        with RunFolder.reopen(run.path) as again:
            assert again.rows(BENCHMARKS) == expected[:present]
    with RunFolder.reopen(run.path) as last:
        for row in expected[len(last.rows(BENCHMARKS)) :]:
            last.append(BENCHMARKS, row)
        last.finish(validity=Validity.VALID)
    assert len(read_run(run.path).benchmarks) == len(expected)
