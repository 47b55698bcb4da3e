"""Complaints as a person, a program and GitHub read them."""

import json
from pathlib import Path

from kb.problems.codes import UNKNOWN_PACKAGE, WRONG_ID
from kb.problems.complaint import complaint
from kb.problems.telling import as_github, as_json, as_text, summary

ROOT = Path("/base")
WRONG = complaint(ROOT / "docs/problems/x.md", 2, WRONG_ID, "'1' is no id: write KB-0000")
ODD = complaint(ROOT / "docs/problems/a,b:c.md", 7, UNKNOWN_PACKAGE, "100 % wrong\n::error::pwned\x1b[31m")


def test_text_is_one_line_for_each_as_editors_link_it() -> None:
    assert as_text([WRONG], ROOT) == "docs/problems/x.md:2: KB040 error: '1' is no id: write KB-0000"


def test_nothing_in_a_note_can_add_a_line_or_colour() -> None:
    assert len(as_text([ODD], ROOT).splitlines()) == 1
    assert "\x1b" not in as_text([ODD], ROOT)


def test_json_is_a_list_of_objects() -> None:
    assert json.loads(as_json([WRONG], ROOT)) == [
        {
            "file": "docs/problems/x.md",
            "line": 2,
            "code": "KB040",
            "level": "error",
            "message": "'1' is no id: write KB-0000",
        }
    ]
    assert json.loads(as_json([], ROOT)) == []


def test_github_gets_workflow_commands_that_a_note_cannot_break_out_of() -> None:
    assert as_github([WRONG], ROOT) == (
        "::error file=docs/problems/x.md,line=2,title=KB040::'1' is no id: write KB-0000"
    )
    [line] = as_github([ODD], ROOT).splitlines()
    assert line.startswith("::warning file=docs/problems/a%2Cb%3Ac.md,line=7,title=KB052::100 %25 wrong\\n::error")


def test_the_end_says_how_much_was_checked_and_found() -> None:
    assert summary([WRONG, WRONG, ODD], 12) == "12 notes: 2 errors, 1 warning"
    assert summary([], 1) == "1 note: nothing to complain of"


def test_a_file_that_lies_elsewhere_keeps_its_whole_path() -> None:
    assert as_text([complaint(Path("/other/x.md"), 1, WRONG_ID, "x")], ROOT).startswith("/other/x.md:1: ")
