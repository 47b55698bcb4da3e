"""`kb problem propose`: a patch that git applies, that settles the contradiction, and that a person may refuse."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from kb.problems.note import Note, State
from kb.problems.outcomes import contradiction, latest
from kb.problems.proposing import Proposal, propose
from kb.problems.reading import read_note
from tests.problems.notes import TODAY, with_change, write_note
from tests.problems.test_outcomes import row

BASE = with_change("modified: 2026-11-27", "modified: 2026-11-20", with_change("onnxruntime-gpu", "onnxruntime"))
FIXED = with_change("status: workaround", "status: fixed", BASE)
OPEN = with_change('        fixed: "2.10"\n', "", BASE)
GONE = row("gone", "2026-11-22", "2.11")


def noted(folder: Path, text: str) -> Note:
    found = read_note(write_note(folder / "docs/problems", text)).note
    assert found is not None
    return found


def proposed(folder: Path, text: str, *rows: dict[str, Any]) -> tuple[Proposal, Note]:
    """The patch, and the note as git makes it of that."""
    note = noted(folder, text)
    proposal = propose(note, latest(rows)["KB-0001"], folder, TODAY)
    assert proposal is not None
    assert note.path.read_bytes() == text.encode(), "a person's file was written to"
    subprocess.run(["git", "apply", "-"], input=proposal.patch.encode(), cwd=folder, check=True)
    reading = read_note(note.path)
    assert reading.note is not None, reading.complaints
    return proposal, reading.note


def changed(proposal: Proposal) -> list[str]:
    return [line for line in proposal.patch.splitlines()[2:] if line[0] in "+-"]


def test_an_open_note_whose_problem_is_gone_is_fixed(tmp_path: Path) -> None:
    proposal, after = proposed(tmp_path, OPEN, row("reproduces", "2026-10-01", "2.9"), GONE)
    assert changed(proposal) == [
        "-status: workaround", "+status: fixed", '+        fixed: "2.11"', "-modified: 2026-11-20",
        "+modified: 2026-11-27",
    ]  # fmt: skip
    assert proposal.patch.startswith("--- a/docs/problems/KB-0001-opset.md\n+++ b/docs/problems/KB-0001-opset.md\n")
    assert (after.status, after.affected[0].ranges[0].fixed) == (State.FIXED, "2.11")
    assert contradiction(after, latest([GONE])["KB-0001"]) is None
    assert any("write under ## Fix" in line for line in proposal.remarks)


def test_an_end_that_is_there_is_replaced(tmp_path: Path) -> None:
    text = with_change('fixed: "2.10"', 'last_affected: "2.12"  # so far', BASE)
    proposal, after = proposed(tmp_path, text, GONE)
    assert '+        fixed: "2.11"  # so far' in changed(proposal)
    assert after.affected[0].ranges[0].last_affected == ""


def test_the_package_that_changed_is_the_one_that_is_fixed(tmp_path: Path) -> None:
    text = with_change('        fixed: "2.10"\n', "", BASE)
    there = row(
        "reproduces", "2026-10-01", environment="onnxruntime==1.20", versions='{"onnxruntime":"1.20","torch":"2.9"}'
    )
    gone = row("gone", "2026-11-22", versions='{"onnxruntime":"1.27","torch":"2.9"}')
    _, after = proposed(tmp_path, text, there, gone)
    assert [part.fixed for part in after.affected[0].ranges] == ["", "1.27"]


def test_in_braces_too(tmp_path: Path) -> None:
    text = with_change(
        '      - package: torch\n        introduced: "2.4"\n', '      - {package: torch, introduced: "2.4"}\n', OPEN
    )
    _, after = proposed(tmp_path, text, GONE)
    assert after.affected[0].ranges[0].fixed == "2.11"


def test_a_fix_that_does_not_hold_opens_the_note_again(tmp_path: Path) -> None:
    back = row("reproduces", "2026-11-22", "2.11")
    proposal, after = proposed(tmp_path, FIXED, back)
    assert changed(proposal)[:3] == ["-status: fixed", "+status: workaround", '-        fixed: "2.10"']
    assert (after.status, after.affected[0].ranges[0].fixed) == (State.WORKAROUND, "")
    assert contradiction(after, latest([back])["KB-0001"]) is None


def test_also_in_braces_and_without_a_workaround(tmp_path: Path) -> None:
    text = with_change(
        '      - package: torch\n        introduced: "2.4"\n        fixed: "2.10"\n',
        '      - {package: torch, introduced: "2.4", fixed: "2.10"}\n',
        with_change("Ask for opset 20.\n", "", FIXED),
    )
    _, after = proposed(tmp_path, text, row("reproduces", "2026-11-22", "2.11"))
    assert (after.status, after.affected[0].ranges[0].fixed) == (State.OPEN, "")


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: text.rstrip("\n")])
def test_line_ends_stay_as_they_are(tmp_path: Path, change: Any) -> None:
    text = change(OPEN)
    _, after = proposed(tmp_path, text, GONE)
    written = after.path.read_bytes()
    assert written.count(b"\r\n") == (written.count(b"\n") if b"\r\n" in text.encode() else 0)
    assert written.endswith(b"\n") is text.endswith("\n")


def test_without_a_version_a_person_has_to_say_it(tmp_path: Path) -> None:
    gone = row("gone", "2026-11-22", versions='{"onnxruntime":"1.27","torch":"2.9"}')
    there = row("reproduces", "2026-10-01", environment="x==1", versions='{"onnxruntime":"1.27","torch":"2.9"}')
    proposal, after = proposed(tmp_path, OPEN, there, gone)
    assert after.status is State.FIXED
    assert any("no version can be named" in line for line in proposal.remarks)


def test_nothing_to_settle_is_no_patch(tmp_path: Path) -> None:
    assert propose(noted(tmp_path, OPEN), (), tmp_path, TODAY) is None
