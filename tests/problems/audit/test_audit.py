"""`kb audit`: which notes apply, in which order, what is put off, and what the command ends with."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kb.config import ConfigError, load_settings
from kb.exits import Exit
from tests.problems.notes import GOOD, write_note


def kb(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kb.cli", "-C", str(folder), "audit", *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def note(number: int, affected: str, *, severity: str = "major", status: str = "open", operators: str = "[]") -> str:
    """A note about one combination, as YAML of one line."""
    before, _, rest = GOOD.partition("affected:\n")
    after = rest[rest.index("symbols:") :]
    text = f"{before}affected: [{affected}]\n{after}".replace("KB-0001", f"KB-{number:04}")
    text = text.replace("severity: major", f"severity: {severity}").replace("status: workaround", f"status: {status}")
    return text.replace("operators: [Resize]", f"operators: {operators}")


OLD_TORCH = '{all: [{package: torch, introduced: "2.4", fixed: "2.6"}]}'
ANY_NUMPY = '{all: [{package: numpy, introduced: "0"}]}'
AT_OPSET = '{all: [{package: torch, introduced: "0"}], when: {opset: ">=17"}}'


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.kb]\n")
    (tmp_path / "requirements.txt").write_text("# pins\ntorch==2.5\n")
    return tmp_path


def add(base: Path, number: int, *arguments: str, **fields: str) -> None:
    write_note(base / "docs/problems", note(number, *arguments, **fields), f"KB-{number:04}-x.md")


def findings(base: Path, *words: str) -> dict[str, str]:
    """Id -> yes or unknown, in the order of the output."""
    done = kb(base, "--format", "json", *(words or ("--requirements", str(base / "requirements.txt"))))
    assert done.returncode == Exit.OK, done.stderr
    return {one["id"]: one["applies"] for one in json.loads(done.stdout)["findings"]}


class TestWhatApplies:
    def test_versions_decide_and_the_worst_comes_first(self, base: Path) -> None:
        add(base, 1, OLD_TORCH, severity="minor")
        add(base, 2, OLD_TORCH, severity="critical")
        add(base, 3, AT_OPSET, severity="major")
        add(base, 4, '{all: [{package: torch, introduced: "2.6"}]}')
        assert list(findings(base).items()) == [("KB-0002", "yes"), ("KB-0003", "unknown"), ("KB-0001", "yes")]

    def test_a_withdrawn_note_never_applies_and_a_fixed_one_in_its_range(self, base: Path) -> None:
        add(base, 1, OLD_TORCH, status="withdrawn")
        add(base, 2, OLD_TORCH, status="fixed")
        assert findings(base) == {"KB-0002": "yes"}
        (base / "requirements.txt").write_text("torch==2.6\n")
        assert findings(base) == {}

    def test_a_version_that_is_not_pinned_is_not_known(self, base: Path) -> None:
        add(base, 1, OLD_TORCH)
        (base / "requirements.txt").write_text("torch>=2.4\n")
        done = kb(base, "--requirements", str(base / "requirements.txt"))
        assert "the version of torch is not known (>=2.4)" in done.stdout

    def test_what_a_lock_does_not_list_is_not_there(self, base: Path) -> None:
        add(base, 1, ANY_NUMPY)
        assert findings(base) == {"KB-0001": "unknown"}
        (base / "uv.lock").write_text('[[package]]\nname = "torch"\nversion = "2.5"\n')
        assert findings(base, "--requirements", str(base / "uv.lock")) == {}

    def test_this_environment(self, base: Path) -> None:
        add(base, 1, '{all: [{package: click, introduced: "0"}], when: {device: cpu, python: ">=3"}}')
        add(base, 2, '{all: [{package: click, introduced: "0"}], when: {os: windows}}')
        add(base, 3, '{all: [{package: no-such-package, introduced: "0"}]}')
        assert findings(base, "--fail-on", "critical") == {"KB-0001": "yes"}

    def test_a_model_is_compared_by_opset_and_operators(self, base: Path) -> None:
        pytest.importorskip("onnx")
        from tests.problems.audit.test_subject import save_model

        add(base, 1, AT_OPSET)
        add(base, 2, AT_OPSET.replace(">=17", ">=18"))
        add(base, 3, OLD_TORCH, operators="[Resize]")
        add(base, 4, OLD_TORCH, operators="[Conv]")
        add(base, 5, OLD_TORCH)
        model = str(save_model(base / "m.onnx"))
        words = ("--model", model, "--requirements", str(base / "requirements.txt"))
        assert findings(base, *words) == {"KB-0001": "yes", "KB-0003": "yes"}
        done = kb(base, *words)
        assert "torch 2.4.0 is in torch from 2.4 to before 2.6; the model has Resize" in done.stdout
        assert "Model m.onnx: opset 17, IR version 8, by pytorch 2.4.0;" in done.stdout


class TestExitCode:
    @pytest.mark.parametrize(("threshold", "code"), [("minor", 3), ("moderate", 3), ("major", 3), ("critical", 0)])
    def test_3_where_something_that_bad_applies(self, base: Path, threshold: str, code: int) -> None:
        add(base, 1, OLD_TORCH, severity="major")
        words = ("--requirements", str(base / "requirements.txt"), "--fail-on", threshold)
        assert kb(base, *words).returncode == code

    def test_what_only_may_apply_is_no_failure(self, base: Path) -> None:
        add(base, 1, AT_OPSET, severity="critical")
        done = kb(base, "--requirements", str(base / "requirements.txt"), "--fail-on", "minor")
        assert (done.returncode, done.stderr) == (Exit.OK, "1 note compared: none applies, 1 may apply\n")

    def test_5_without_notes(self, base: Path) -> None:
        done = kb(base)
        assert done.returncode == Exit.NOTHING_MEASURED
        assert "there are no notes" in done.stderr

    def test_a_note_that_cannot_be_read_is_told_and_no_gate_holds_without_it(self, base: Path) -> None:
        add(base, 1, OLD_TORCH, severity="minor")
        write_note(base / "docs/problems", "", "x.md")
        words = ("--requirements", str(base / "requirements.txt"))
        done = kb(base, *words)
        assert (done.returncode, "they cannot be read: 1" in done.stderr) == (Exit.OK, True)
        assert kb(base, *words, "--fail-on", "critical").returncode == Exit.SOME_FAILED

    def test_a_file_that_is_not_there_is_2_and_one_line(self, base: Path) -> None:
        add(base, 1, OLD_TORCH)
        done = kb(base, "--requirements", "gone.txt")
        assert (done.returncode, len(done.stderr.splitlines())) == (Exit.USAGE, 1)


class TestIgnores:
    def ignore(self, base: Path, number: int, until: str) -> None:
        text = f'[[tool.kb.audit.ignore]]\nid = "KB-{number:04}"\nuntil = {until}\nreason = "we wait for 2.6"\n'
        (base / "pyproject.toml").write_text("[tool.kb]\n" + text)

    def run(self, base: Path) -> "subprocess.CompletedProcess[str]":
        return kb(base, "--requirements", str(base / "requirements.txt"), "--fail-on", "minor")

    def test_a_note_is_put_off_until_a_day(self, base: Path) -> None:
        add(base, 1, OLD_TORCH)
        self.ignore(base, 1, "2999-01-31")
        done = self.run(base)
        assert done.returncode == Exit.OK
        assert (
            "Ignored until 2999-01-31: KB-0001, The exporter does not know the opset (we wait for 2.6)" in done.stdout
        )
        assert done.stderr == "1 note compared: none applies, 0 may apply, 1 ignored\n"

    def test_the_day_itself_still_counts(self, base: Path) -> None:
        add(base, 1, OLD_TORCH)
        self.ignore(base, 1, date.today().isoformat())
        assert self.run(base).returncode == Exit.OK

    def test_after_it_the_note_counts_again_and_that_is_told(self, base: Path) -> None:
        add(base, 1, OLD_TORCH)
        self.ignore(base, 1, "2020-01-31")
        done = self.run(base)
        assert done.returncode == Exit.AFFECTED
        assert "KB-0001 was ignored until 2020-01-31 and counts again" in done.stderr

    def test_an_unknown_id_is_told(self, base: Path) -> None:
        add(base, 1, OLD_TORCH)
        self.ignore(base, 2, "2999-01-31")
        done = self.run(base)
        assert done.returncode == Exit.AFFECTED
        assert "there is no note KB-0002; did you mean KB-0001?" in done.stderr

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            ('id = "KB-0001"\nreason = "x"', "tool.kb.audit.ignore[0].until is missing"),
            ('id = "KB-0001"\nuntil = 2027-01-31\nreason = " "', "must say why"),
            ('id = "KB-0001"\nuntil = "soon"\nreason = "x"', "must be a date such as 2027-01-31"),
            ('id = "KB-0001"\nuntil = 2027-01-31T10:00:00\nreason = "x"', "must be a date such as 2027-01-31"),
            ('ident = "KB-0001"', "tool.kb.audit.ignore[0].id is missing"),
        ],
    )
    def test_an_ignore_says_what_until_when_and_why(self, base: Path, lines: str, said: str) -> None:
        (base / "pyproject.toml").write_text(f"[tool.kb]\n[[tool.kb.audit.ignore]]\n{lines}\n")
        with pytest.raises(ConfigError) as caught:
            load_settings(base)
        assert said in str(caught.value)


class TestSarif:
    def sarif(self, base: Path) -> Any:
        done = kb(base, "--requirements", str(base / "requirements.txt"), "--format", "sarif")
        return json.loads(done.stdout)["runs"][0]

    def test_a_result_points_to_the_line_of_the_package(self, base: Path) -> None:
        add(base, 1, OLD_TORCH)
        run = self.sarif(base)
        [result] = run["results"]
        [location] = result["locations"]
        assert location["physicalLocation"] == {
            "artifactLocation": {"uri": "requirements.txt"}, "region": {"startLine": 2},
        }  # fmt: skip
        assert (result["ruleId"], result["kind"], result["level"]) == ("KB-0001", "fail", "error")
        [rule] = run["tool"]["driver"]["rules"]
        assert rule["helpUri"] == "https://github.com/pytorch/pytorch/issues/1"

    def test_what_may_apply_is_for_review_and_what_is_ignored_is_suppressed(self, base: Path) -> None:
        add(base, 1, AT_OPSET)
        add(base, 2, OLD_TORCH)
        TestIgnores().ignore(base, 2, "2999-01-31")
        first, second = self.sarif(base)["results"]
        assert (second["kind"], second["level"]) == ("review", "none")
        assert first["suppressions"] == [{"kind": "external", "justification": "we wait for 2.6 (until 2999-01-31)"}]
