"""The workflows: that they parse, run nothing unpinned, may do no more than they must, and call what exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def parse(path: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text())
    content["on"] = content.pop(True)  # YAML 1.1 reads a bare `on` as true
    return content


def named(name: str) -> dict[Any, Any]:
    return parse(ROOT / ".github/workflows" / name)


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def test_there_is_one_for_tests_and_one_for_the_monthly_job() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "refresh.yml"]


@every_workflow
def test_every_action_is_pinned_by_its_full_commit_and_says_its_version(path: Path) -> None:
    uses = [line.strip().removeprefix("- ") for line in path.read_text().splitlines() if "uses:" in line]
    assert uses
    assert [line for line in uses if not PINNED.match(line)] == []


def test_one_action_is_pinned_to_one_version_everywhere() -> None:
    pins = {pin for path in WORKFLOWS for pin in re.findall(r"uses: (\S+@\S+)", path.read_text())}
    assert len(pins) == len({pin.partition("@")[0] for pin in pins})


@every_workflow
def test_nothing_may_write_unless_its_job_says_so(path: Path) -> None:
    assert parse(path)["permissions"] == {"contents": "read"}


@every_workflow
def test_every_job_ends_some_time_and_runs_are_kept_apart(path: Path) -> None:
    workflow = parse(path)
    assert workflow["concurrency"]["group"]
    assert all(0 < job["timeout-minutes"] <= 360 for job in workflow["jobs"].values())


@every_workflow
def test_no_expression_is_pasted_into_a_script(path: Path) -> None:
    """Text from outside reaches a script by its environment, where it cannot become a command."""
    for job in parse(path)["jobs"].values():
        assert "${{" not in commands(job)


@every_workflow
def test_make_is_asked_for_targets_that_it_has(path: Path) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for job in parse(path)["jobs"].values():
        assert set(re.findall(r"\bmake ([\w-]+)", commands(job))) <= set(targets)


def test_the_monthly_job_is_monthly_off_the_hour_and_can_be_started_by_hand() -> None:
    on = named("refresh.yml")["on"]
    ((schedule),) = on["schedule"]
    minute, hour, day, month, weekday = schedule["cron"].split()
    assert int(minute) % 2 == 1
    assert (int(hour) < 24, int(day) <= 28, month, weekday) == (True, True, "*", "*")
    assert set(on["workflow_dispatch"]["inputs"]) == {"profile"}


def test_each_machine_measures_alone_and_pushes_and_a_run_that_measured_nothing_fails() -> None:
    measure = named("refresh.yml")["jobs"]["measure"]
    assert measure["strategy"]["fail-fast"] is False
    assert len(measure["strategy"]["matrix"]["runner"]) >= 3
    assert measure["permissions"] == {"contents": "write"}
    script = commands(measure)
    assert "kb refresh" in script
    assert "--push" in script
    assert re.findall(r'"\$status" -eq (\d)', script) == ["4"]  # the only failure that passes: some cases failed
    assert script.rstrip().endswith('exit "$status"')


def test_one_job_publishes_what_all_machines_pushed() -> None:
    publish = named("refresh.yml")["jobs"]["publish"]
    assert publish["needs"] == "measure"
    assert publish["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    assert publish["steps"][0]["with"]["ref"] == "${{ github.ref_name }}"  # not the commit that the run started from
    assert publish["environment"]["name"] == "github-pages"


def test_tests_run_on_every_push_and_pull_request_with_each_supported_python() -> None:
    workflow = named("ci.yml")
    assert {"push", "pull_request"} <= set(workflow["on"])
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12"]
    assert commands(workflow["jobs"]["test"]).splitlines()[-1] == ".ci/run"


def test_what_ci_runs_is_executable_and_is_make_test() -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111 == 0o111
    assert {"make test", "make audit"} <= set(re.findall(r"make \w+", script.read_text()))
