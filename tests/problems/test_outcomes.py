"""What reproducers have shown: the newest answer in words, and what it contradicts in a note."""

import json
from pathlib import Path
from typing import Any

import pytest

from kb.problems.lint import lint
from kb.problems.note import Note
from kb.problems.outcomes import contradiction, latest, recorded
from kb.problems.reading import read_note
from kb.problems.signature import matches
from tests.problems.notes import TODAY, with_change, write_note


def row(outcome: str, day: str, torch: str = "2.9", **fields: Any) -> dict[str, Any]:
    """What a reproducer showed on one day."""
    versions = json.dumps({"onnxruntime": "1.27.0", "torch": torch} if torch else {})
    common = {"note": "KB-0001", "environment": "current", "reproducer_hash": "a", "reason": None}
    return {**common, "outcome": outcome, "started": f"{day}T10:00:00+00:00", "versions": versions, **fields}


def sentence(*rows: dict[str, Any]) -> str:
    [standing] = latest(rows)["KB-0001"]
    return standing.sentence


WITH = "with onnxruntime 1.27.0 and torch"


class TestInWords:
    def test_it_still_reproduces(self) -> None:
        assert sentence(row("reproduces", "2026-11-22", "2.13.0")) == f"still reproduces {WITH} 2.13.0 (2026-11-22)"

    def test_it_is_gone_since_it_was_first_seen_to_be(self) -> None:
        rows = [
            row("gone", "2026-08-01", "2.6"), row("reproduces", "2026-09-01", "2.7"), row("gone", "2026-10-01", "2.8"),
            row("unclear", "2026-10-15", "2.8"), row("gone", "2026-11-01", "2.9"),
        ]  # fmt: skip
        said = f"gone since 2026-10-01 {WITH} 2.8, last seen so 2026-11-01 {WITH} 2.9"
        assert sentence(*reversed(rows)) == said
        assert sentence(rows[2]) == f"gone since 2026-10-01 {WITH} 2.8"

    def test_in_an_environment_of_a_chosen_version_it_is_just_gone(self) -> None:
        assert sentence(row("gone", "2026-11-22", environment="torch==2.9")) == f"gone {WITH} 2.9 (2026-11-22)"

    def test_it_cannot_run_here(self) -> None:
        assert sentence(row("cannot_run", "2026-11-22", "", reason="needs a GPU")) == (
            "cannot run here: needs a GPU (2026-11-22)"
        )

    def test_it_is_unclear(self) -> None:
        assert sentence(row("unclear", "2026-11-22", reason="exit code 3")) == "unclear: exit code 3 (2026-11-22)"

    def test_a_machine_that_cannot_run_it_does_not_outweigh_one_that_can(self) -> None:
        rows = [row("reproduces", "2026-10-01"), row("cannot_run", "2026-11-01", reason="needs a GPU")]
        assert sentence(*rows).startswith("still reproduces")

    def test_another_script_is_another_question(self) -> None:
        rows = [row("reproduces", "2026-10-01"), row("cannot_run", "2026-11-01", reproducer_hash="b", reason="no GPU")]
        assert sentence(*rows).startswith("cannot run here: no GPU")

    def test_what_is_installed_comes_before_environments(self) -> None:
        rows = [row("gone", "2026-10-01", environment=name) for name in ("torch==2.4", "current", "onnx==1.1")]
        assert [one.environment for one in latest(rows)["KB-0001"]] == ["current", "onnx==1.1", "torch==2.4"]

    def test_nothing_was_verified(self, tmp_path: Path) -> None:
        assert (latest([]), recorded(tmp_path)) == ({}, [])


def note(tmp_path: Path, *changes: tuple[str, str]) -> Note:
    """About torch from 2.4 to before 2.10."""
    text = with_change("onnxruntime-gpu", "onnxruntime")
    for old, new in changes:
        text = with_change(old, new, text)
    found = read_note(write_note(tmp_path, text)).note
    assert found is not None
    return found


FIXED = ("status: workaround", "status: fixed")


class TestContradictions:
    @pytest.mark.parametrize(
        ("changes", "rows", "said"),
        [
            ((FIXED,), [row("reproduces", "2026-11-22", "2.10")], f"fixed, but it still reproduces {WITH} 2.10"),
            ((FIXED,), [row("reproduces", "2026-11-22", "2.9")], ""),  # as the range says
            ((FIXED,), [row("gone", "2026-11-22", "2.10")], ""),
            ((), [row("gone", "2026-11-22", "2.9")], f"workaround, but it is gone since 2026-11-22 {WITH} 2.9"),
            ((), [row("reproduces", "2026-11-22", "2.9")], ""),
            ((), [row("gone", "2026-11-22", "2.10")], ""),  # as the range says
            ((), [row("cannot_run", "2026-11-22", "2.9", reason="x"), row("unclear", "2026-11-23", "2.9")], ""),
            ((("status: workaround", "status: wontfix"),), [row("gone", "2026-11-22", "2.9")], ""),
        ],
    )
    def test_a_status_against_what_was_shown(
        self, tmp_path: Path, changes: tuple[tuple[str, str], ...], rows: list[dict[str, Any]], said: str
    ) -> None:
        found = contradiction(note(tmp_path, *changes), latest(rows)["KB-0001"])
        assert (found.message[: len(said)] if found else "") == said
        assert bool(found) is bool(said)

    def test_what_is_installed_counts_before_an_old_version_that_was_asked_for(self, tmp_path: Path) -> None:
        rows = [row("gone", "2026-11-22", "2.9"), row("reproduces", "2026-11-22", "2.4", environment="torch==2.4")]
        assert contradiction(note(tmp_path), latest(rows)["KB-0001"])

    def test_gone_in_one_environment_and_there_in_another_is_none(self, tmp_path: Path) -> None:
        rows = [
            row(what, "2026-11-22", v, environment=f"torch=={v}")
            for what, v in (("gone", "2.5"), ("reproduces", "2.6"))
        ]
        assert contradiction(note(tmp_path), latest(rows)["KB-0001"]) is None

    def test_lint_warns_at_the_line_of_the_status(self, tmp_path: Path) -> None:
        note(tmp_path)
        shown = latest([row("gone", "2026-11-22")])
        [found] = lint(tmp_path, matches, today=TODAY, shown=shown)
        assert (found.code.name, found.line, found.is_error) == ("KB072", 5, False)
        assert found.message.endswith(": see kb problem propose KB-0001")
