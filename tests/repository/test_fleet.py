"""Eight machines commit and push five runs each at the same time: nothing is lost, nobody's work is touched."""

from pathlib import Path

import pytest

from kb.repository import PushState
from tests.repository.clones import files_in, git
from tests.repository.fleet import MACHINES, RUNS, race


@pytest.mark.slow
def test_every_run_of_every_machine_arrives(tmp_path: Path):
    remote, reports = race(tmp_path)

    outcomes = [outcome for report in reports for outcome in report.outcomes]
    assert [outcome.sentence for outcome in outcomes if outcome.state is not PushState.PUSHED] == []
    assert len(outcomes) == MACHINES * RUNS
    expected = {f"machine{machine}-run{number}" for machine in range(MACHINES) for number in range(RUNS)}
    files = files_in(remote, "main")
    assert {name.split("/")[3] for name in files} == expected
    assert len(files) == 2 * len(expected)

    assert [report.machine for report in reports if not report.untouched] == []
    assert git(remote, "fsck", "--strict", "--no-dangling") == ""
    subjects = git(remote, "log", "--format=%s", "main").splitlines()
    assert len(subjects) == len(set(subjects)) == len(expected) + 1, "one commit for each run, and none twice"
    assert max(outcome.rejections for outcome in outcomes) > 0, "they did get in each other's way"
