"""`kb problem`: what each verb prints, writes and ends with."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kb.config import load_settings
from kb.exits import Exit
from kb.problems.telling import as_text
from kb.problems.verbs import check
from tests.problems.notes import GOOD, with_change, write_note

ERROR = """\
Traceback (most recent call last):
  File "x.py", line 1, in f
RuntimeError: Unsupported onnx_opset_version: 30
"""


def kb(folder: Path, *words: str, stdin: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kb.cli", "-C", str(folder), "problem", *words]
    environment = {**os.environ, "EDITOR": "", "VISUAL": "", **variables}
    return subprocess.run(command, capture_output=True, text=True, input=stdin, env=environment, timeout=120)


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A knowledge base with one good note."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "pyproject.toml").write_text("[tool.kb]\n")
    write_note(tmp_path / "docs/problems")
    return tmp_path


def test_nothing_is_wrong_with_the_notes_of_this_repository(repo_root: Path) -> None:
    complaints, _ = check(load_settings(repo_root))
    assert as_text(complaints, repo_root) == ""


class TestLint:
    def test_a_good_log_is_told_in_one_line(self, base: Path) -> None:
        done = kb(base, "lint")
        assert (done.returncode, done.stdout, done.stderr) == (Exit.OK, "", "1 note: nothing to complain of\n")

    def test_an_error_ends_with_4_and_one_line_that_says_where(self, base: Path) -> None:
        write_note(base / "docs/problems", with_change("kind: conversion", "kind: convertion"), "x.md")
        done = kb(base, "lint")
        assert done.returncode == Exit.SOME_FAILED
        assert done.stdout == (
            "docs/problems/x.md:4: KB023 error: kind: 'convertion' is none of the valid ones; "
            "did you mean conversion?\n"
        )
        assert done.stderr == "2 notes: 1 error, 0 warnings\n"

    def test_a_warning_is_told_and_is_no_failure(self, base: Path) -> None:
        write_note(base / "docs/problems", with_change("package: torch", "package: our-runtime"))
        done = kb(base, "lint")
        assert (done.returncode, "KB052 warning" in done.stdout) == (Exit.OK, True)
        (base / "pyproject.toml").write_text('[tool.kb]\npackages = ["our-runtime"]\n')
        assert kb(base, "lint").stdout == ""

    def test_json_and_github(self, base: Path) -> None:
        assert json.loads(kb(base, "lint", "--format", "json").stdout) == []
        write_note(base / "docs/problems", "", "x.md")
        [found] = json.loads(kb(base, "lint", "--format", "json").stdout)
        assert (found["file"], found["line"], found["code"]) == ("docs/problems/x.md", 1, "KB010")
        assert kb(base, "lint", "--format", "github").stdout.startswith("::error file=docs/problems/x.md,line=1,")

    def test_only_some_files_can_be_asked_for(self, base: Path) -> None:
        path = write_note(base / "docs/problems", "", "x.md")
        good = base / "docs/problems/KB-0001-opset.md"
        assert kb(base, "lint", str(good)).returncode == Exit.OK
        assert kb(base, "lint", str(path)).returncode == Exit.SOME_FAILED
        done = kb(base, "lint", str(base / "pyproject.toml"))
        assert (done.returncode, "is no note" in done.stderr) == (Exit.USAGE, True)

    def test_no_notes_are_nothing_wrong(self, base: Path) -> None:
        (base / "pyproject.toml").write_text('[tool.kb]\nproblems = "nowhere"\n')
        assert kb(base, "lint").returncode == Exit.OK


class TestAssignIds:
    def test_check_changes_nothing_and_ends_with_4(self, base: Path) -> None:
        path = write_note(base / "docs/problems", with_change("KB-0001", "KB-0000"), "x.md")
        done = kb(base, "assign-ids", "--check")
        assert done.returncode == Exit.SOME_FAILED
        assert done.stdout.startswith("to do: x.md: KB-0000 -> KB-0002, as KB-0002-x.md, since it had no number\n")
        assert path.exists()

    def test_numbers_are_given_once(self, base: Path) -> None:
        write_note(base / "docs/problems", with_change("KB-0001", "KB-0000"), "x.md")
        assert kb(base, "assign-ids").returncode == Exit.OK
        assert (base / "docs/problems/KB-0002-x.md").exists()
        done = kb(base, "assign-ids", "--check")
        assert (done.returncode, done.stdout.splitlines()[0]) == (Exit.OK, "Every note has a number of its own.")


class TestNew:
    def test_a_note_from_a_pipe_whose_path_is_printed(self, base: Path) -> None:
        done = kb(base, "new", "--from", "-", "--no-edit", stdin=ERROR)
        assert done.returncode == Exit.OK, done.stderr
        path = Path(done.stdout.strip())
        assert path == base / "docs/problems/unsupported-onnx_opset_version.md"
        assert "Unsupported onnx_opset_version: 30" in path.read_text()

    def test_what_is_known_already_comes_first_and_what_is_left_to_do_last(self, base: Path) -> None:
        said = kb(base, "new", "--from", "-", "--no-edit", stdin=ERROR).stderr
        known, _, left = said.partition("\n\nStill to do (kb problem lint):\n")
        assert known.splitlines()[:2] == [
            "Perhaps known already:",
            "KB-0001  The exporter does not know the opset",
        ]
        assert "docs/problems/KB-0001-opset.md  (conversion, workaround, major, " in known
        assert "\n  signature: Unsupported onnx_opset_version: {int}\n" in known
        assert left
        assert all("KB099" in line for line in left.splitlines())

    def test_the_best_three_are_shown_and_a_note_that_shares_only_words_says_which(self, base: Path) -> None:
        for number in range(2, 6):
            other = with_change("KB-0001", f"KB-000{number}")
            for text in ("Unsupported onnx_opset_version: {int}", "Unsupported onnx_opset_version: 24"):
                other = with_change(text, "onnx_opset_version is unsupported", other)
            write_note(base / "docs/problems", other, f"KB-000{number}-other.md")
        said = kb(base, "new", "--from", "-", "--no-edit", stdin=ERROR).stderr
        assert [line[:7] for line in said.splitlines() if line.startswith("KB-")] == ["KB-0001", "KB-0002", "KB-0003"]
        assert "  some words: " in said

    def test_without_an_error_notes_with_the_words_of_the_title_are_shown(self, base: Path) -> None:
        said = kb(base, "new", "--no-edit", "--title", "The exporter and the opset").stderr
        assert "KB-0001  The exporter does not know the opset" in said
        assert "  all words: " in said

    def test_what_no_note_is_about_is_written_at_once(self, base: Path) -> None:
        said = kb(base, "new", "--from", "-", "--no-edit", stdin="ZzzzError: qqqq").stderr
        assert said.startswith("Still to do")

    def test_the_first_note_of_a_log_has_none_before_it(self, base: Path) -> None:
        (base / "pyproject.toml").write_text('[tool.kb]\nproblems = "docs/others"\n')
        done = kb(base, "new", "--from", "-", "--no-edit", stdin=ERROR)
        assert done.returncode == Exit.OK, done.stderr
        assert Path(done.stdout.strip()).parent == base / "docs/others"
        assert done.stderr.startswith("Still to do")

    def test_no_file_is_overwritten(self, base: Path) -> None:
        paths = [Path(kb(base, "new", "--from", "-", stdin=ERROR).stdout.strip()) for _ in range(3)]
        assert len(set(paths)) == 3
        assert (base / "docs/problems/KB-0001-opset.md").read_text() == GOOD

    def test_the_editor_gets_the_file_and_what_it_leaves_is_checked(self, base: Path, tmp_path: Path) -> None:
        editor = tmp_path / "my editor.sh"
        editor.write_text('#!/bin/sh\nsed -i "s/ *# TODO.*//" "$1"\n')
        editor.chmod(0o755)
        done = kb(base, "new", "--from", "-", stdin=ERROR, EDITOR=f"'{editor}'")
        assert done.returncode == Exit.OK
        assert "TODO" not in Path(done.stdout.strip()).read_text()
        assert "Still to do" not in done.stderr

    def test_an_editor_that_fails_is_told_and_the_note_is_there(self, base: Path) -> None:
        done = kb(base, "new", "--from", "-", stdin=ERROR, EDITOR="/no/such/editor")
        assert "$EDITOR (/no/such/editor) cannot be started" in done.stderr
        assert Path(done.stdout.strip()).exists()

    def test_without_an_error_it_is_an_empty_note(self, base: Path) -> None:
        done = kb(base, "new", "--no-edit", "--title", "Wrong numbers after fp16")
        assert Path(done.stdout.strip()).name == "wrong-numbers-after-fp16.md"

    @pytest.mark.parametrize(
        ("words", "stdin", "said"),
        [
            (("--from", "-"), "", "nothing stands in standard input"),
            (("--from", "no-such-file"), "", "no-such-file cannot be read: No such file"),
            (("--from", "-", "--clipboard"), "", "either --from a file or from the --clipboard"),
        ],
    )
    def test_what_cannot_be_read_is_one_line_and_2(
        self, base: Path, words: tuple[str, ...], stdin: str, said: str
    ) -> None:
        done = kb(base, "new", *words, stdin=stdin)
        assert (done.returncode, said in done.stderr) == (Exit.USAGE, True)
        assert len(list((base / "docs/problems").glob("*.md"))) == 1


class TestVerifyAndPropose:
    @pytest.fixture
    def gone(self, base: Path) -> Path:
        """A note about click, open and without an end, whose reproducer finds nothing."""
        text = with_change("package: torch", "package: click", with_change('        fixed: "2.10"\n', ""))
        text = with_change('      - package: onnxruntime-gpu\n        introduced: "0"\n', "", text)
        write_note(base / "docs/problems", text)
        return base

    def test_rows_are_kept_and_lint_and_propose_know_of_them(self, gone: Path) -> None:
        done = kb(gone, "verify")
        assert done.returncode == Exit.OK, done.stderr
        assert done.stderr == "KB-0001 in current: gone\n"
        assert done.stdout.startswith("Run 2")
        assert list(gone.glob("results/runs/*/*/reproducers.csv"))
        assert "KB072 warning: workaround, but it is gone since" in kb(gone, "lint").stdout
        proposed = kb(gone, "propose", "KB-0001")
        assert "+status: fixed" in proposed.stdout
        assert proposed.stderr.startswith("KB-0001-opset.md: workaround, but it is gone since")

    def test_what_reproduces_is_an_answer_too(self, base: Path) -> None:
        write_note(base / "docs/problems")
        (base / "docs/problems/repro.py").write_text("raise RuntimeError('Unsupported onnx_opset_version: 1')")
        assert kb(base, "verify", "KB-0001").returncode == Exit.OK
        done = kb(base, "propose", "KB-0001")
        assert (done.returncode, done.stdout) == (Exit.OK, "")
        assert done.stderr == "nothing that was verified contradicts the note\n"

    def test_what_gave_no_answer_is_no_success(self, base: Path) -> None:
        write_note(base / "docs/problems")
        (base / "docs/problems/repro.py").write_text("raise SystemExit(77)")
        assert kb(base, "verify").returncode == Exit.NOTHING_MEASURED

    def test_without_a_reproducer_nothing_is_measured(self, base: Path) -> None:
        write_note(base / "docs/problems", with_change("reproducer: repro.py\n", ""))
        done = kb(base, "verify")
        assert (done.returncode, "no note has a reproducer" in done.stderr) == (Exit.NOTHING_MEASURED, True)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("verify", "KB-0002"), "there is no note 'KB-0002'; did you mean KB-0001?"),
            (("verify", "--with", "torch"), "write one version, such as torch==2.13.0"),
            (("propose", "KB-0002"), "there is no note 'KB-0002'"),
        ],
    )
    def test_bad_input_is_one_line_and_2(self, base: Path, words: tuple[str, ...], said: str) -> None:
        done = kb(base, *words)
        assert (done.returncode, said in done.stderr, len(done.stderr.splitlines())) == (Exit.USAGE, True, 1)
