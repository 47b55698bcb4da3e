"""`kb problem verify`: what a reproducer shows, in real processes that fail in every way, as rows of a run."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kb.config import Settings, load_settings
from kb.machine.fingerprint import fingerprint
from kb.problems.arms import Arm, arm_of, requirements_of, stated
from kb.problems.errors import ProblemError
from kb.problems.note import Note
from kb.problems.outcomes import recorded
from kb.problems.reading import read_notes
from kb.problems.signature import matches
from kb.problems.verifying import chosen, find, hash_of, verify
from kb.records.run import RunInfo, Validity
from tests.problems.notes import with_change, write_note
from tests.workers.wheels import make_wheel

PRINTED = "RuntimeError: Unsupported onnx_opset_version: 24"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A knowledge base without notes, in a place of its own."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "base").mkdir()
    (tmp_path / "base/pyproject.toml").write_text("[tool.kb]\ntimeout_s = 30.0\nmemory_limit_mib = 300\n")
    return tmp_path / "base"


def add(base: Path, code: str, number: int = 1, *changes: tuple[str, str]) -> Path:
    """A note with a reproducer; the script."""
    text = with_change("repro.py", f"repro-{number}.py").replace("KB-0001", f"KB-{number:04}")
    for old, new in changes:
        text = with_change(old, new, text)
    write_note(base / "docs/problems", text, f"KB-{number:04}-x.md")
    script = base / f"docs/problems/repro-{number}.py"
    script.write_text(code)
    return script


def notes(base: Path) -> tuple[Note, ...]:
    log = read_notes(base / "docs/problems")
    assert not log.complaints, log.complaints
    return log.notes


def run(base: Path, *arms: str, ids: tuple[str, ...] = (), **settings: Any) -> tuple[RunInfo, list[dict[str, Any]]]:
    """Verify all notes: run.json, and the rows as the strict reader gives them."""
    found: Settings = load_settings(base).model_copy(update=settings)
    said: list[str] = []
    done = verify(
        found, notes(base), ids, [arm_of(arm) for arm in arms], matches, fingerprint(), commit=None, say=said.append
    )
    assert done is not None
    rows = [row for row in recorded(found.results) if row["run"] == done[0].run]
    assert len(said) == len(rows)
    return done[0], rows


def row_of(base: Path, code: str, **settings: Any) -> Mapping[str, Any]:
    add(base, code)
    _, [row] = run(base, **settings)
    return row


class TestOutcomes:
    def test_exit_code_0_means_gone(self, base: Path) -> None:
        row = row_of(base, f"print({PRINTED!r})")
        assert (row["outcome"], row["status"], row["reason"]) == ("gone", "ok", None)

    def test_a_failure_that_prints_the_signature_means_that_it_is_there(self, base: Path) -> None:
        row = row_of(base, "raise RuntimeError('Unsupported onnx_opset_version: 99')")
        assert (row["outcome"], row["status"], row["reason"]) == ("reproduces", "ok", None)
        assert row["output_tail"].endswith("RuntimeError: Unsupported onnx_opset_version: 99")

    def test_also_where_it_ends_in_a_crash(self, base: Path) -> None:
        row = row_of(base, f"import os\nprint({PRINTED!r})\nos.abort()")
        assert (row["outcome"], row["status"]) == ("reproduces", "ok")

    @pytest.mark.parametrize(
        ("code", "outcome", "status", "reason"),
        [
            ("print('needs a GPU')\nraise SystemExit(77)", "cannot_run", "unsupported", "needs a GPU"),
            ("raise SystemExit(77)", "cannot_run", "unsupported", "it does not say why"),
            ("import no_such_module", "cannot_run", "unsupported", "No module named 'no_such_module'"),
            (
                "raise ValueError('something else')", "unclear", "run_failed",
                "exit code 1, and printed none of the note's signatures: ValueError: something else",
            ),
            ("import os\nos.kill(os.getpid(), 9)", "unclear", "crashed", "killed by SIGKILL, and printed none"),
            ("def f(:", "unclear", "run_failed", "SyntaxError: invalid syntax"),
        ],
    )  # fmt: skip
    def test_everything_else_says_why_it_is_no_answer(
        self, base: Path, code: str, outcome: str, status: str, reason: str
    ) -> None:
        row = row_of(base, code)
        assert (row["outcome"], row["status"], row["stage"]) == (outcome, status, "run")
        assert reason in row["reason"]

    def test_one_that_hangs_is_a_timeout(self, base: Path) -> None:
        row = row_of(base, f"print({PRINTED!r})\nimport time\ntime.sleep(600)", timeout_s=2.0)
        assert (row["outcome"], row["status"], row["reason"]) == ("unclear", "timeout", "did not end within 2 s")
        assert row["output_tail"] == PRINTED

    def test_one_that_takes_all_memory_is_out_of_memory(self, base: Path) -> None:
        code = "import time\nkept = []\nwhile True:\n    kept.append(b'x' * 10_000_000)\n    time.sleep(0.01)"
        row = row_of(base, code)
        assert (row["outcome"], row["status"]) == ("unclear", "out_of_memory")

    def test_one_that_deletes_what_it_can_see_leaves_the_notes_alone(self, base: Path) -> None:
        code = "import os, pathlib, shutil\nhere = pathlib.Path(__file__).resolve()\nshutil.rmtree(here.parents[1])\n"
        script = add(base, code)
        _, [row] = run(base)
        assert row["outcome"] == "gone"
        assert script.read_text() == code
        assert (base / "docs/problems/KB-0001-x.md").exists()

    def test_a_note_without_a_signature_cannot_be_recognised(self, base: Path) -> None:
        add(base, "raise SystemExit(1)", 1, ('signatures:\n  - "Unsupported onnx_opset_version: {int}"\n', ""))
        _, [row] = run(base)
        assert row["outcome"] == "unclear"
        assert "the note has no signature to know it by" in row["reason"]

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("gone.py", "'gone.py' is no script beside the note"),
            ("../../pyproject.toml", "is no script beside the note"),
            ("data.bin", "'data.bin' is no Python script"),
        ],
    )
    def test_a_script_that_is_none_is_a_row_that_says_so(self, base: Path, name: str, reason: str) -> None:
        add(base, "", 1, ("reproducer: repro-1.py", f"reproducer: {name}"))
        (base / "docs/problems/data.bin").write_text("")
        info, [row] = run(base)
        assert (row["outcome"], row["status"], row["stage"]) == ("cannot_run", "not_run", "plan")
        assert reason in row["reason"]
        assert (info.validity, info.reasons) == (Validity.INVALID, ("no reproducer gave an answer",))


class TestRun:
    def test_one_that_fails_does_not_stop_the_others(self, base: Path) -> None:
        add(base, "import os\nos.kill(os.getppid(), 9)", 1)
        add(base, "", 2)
        info, rows = run(base)
        assert [(row["note"], row["outcome"]) for row in rows] == [("KB-0001", "unclear"), ("KB-0002", "gone")]
        assert (info.command, info.profile, info.validity) == ("verify", "reproducers", Validity.VALID)
        assert info.counts == {"reproducers": {"crashed": 1, "ok": 1}}

    def test_versions_of_the_packages_that_the_note_names_are_kept(self, base: Path) -> None:
        add(base, "", 1, ("package: torch", "package: click"))
        _, [row] = run(base)
        assert row["versions"].startswith('{"click":"')
        assert row["environment"] == "current"

    def test_paths_of_this_machine_are_not_published(self, base: Path) -> None:
        row = row_of(base, "import sys, json\nprint(sys.executable, json.__file__, __file__)\nraise SystemExit(1)")
        assert str(Path(sys.executable).parents[1]) not in row["output_tail"]
        assert "<python>/bin/" in row["output_tail"]

    def test_the_hash_is_of_what_the_script_means(self, base: Path) -> None:
        script = add(base, "x = 1\n")
        first = hash_of(script)
        script.write_text("# why\nx  =  1\n")
        assert hash_of(script) == first
        script.write_text("x = 2\n")
        assert hash_of(script) != first
        script.write_text("x = = 2\n")
        assert len(hash_of(script)) == 12

    def test_without_a_reproducer_there_is_no_run(self, base: Path) -> None:
        assert (
            verify(load_settings(base), (), (), (), matches, fingerprint(), commit=None, say=print),
            (base / "results").exists(),
        ) == (None, False)


class TestChoosing:
    def test_withdrawn_notes_are_run_only_when_asked_for(self, base: Path) -> None:
        add(base, "", 1, ("status: workaround", "status: withdrawn"))
        add(base, "", 2)
        assert [note.id for note in chosen(notes(base), ())] == ["KB-0002"]
        assert [note.id for note in chosen(notes(base), ("KB-0001", "KB-0001"))] == ["KB-0001"]

    def test_a_note_is_found_by_id_and_by_file(self, base: Path) -> None:
        add(base, "")
        write_note(base / "docs/problems", with_change("KB-0001", "KB-0000"), "new.md")
        log = notes(base)
        assert {find(log, wanted).id for wanted in ("KB-0001", "KB-0001-x.md", "docs/problems/KB-0001-x.md")} == {
            "KB-0001"
        }
        assert find(log, "new.md").id == "KB-0000"

    def test_what_is_not_there_is_told_with_what_is_near(self, base: Path) -> None:
        add(base, "", 1, ("reproducer: repro-1.py\n", ""))
        with pytest.raises(ProblemError, match="did you mean KB-0001"):
            find(notes(base), "KB-0002")
        with pytest.raises(ProblemError, match=r"KB-0001-x\.md names no reproducer"):
            chosen(notes(base), ("KB-0001",))


class TestArms:
    def test_one_or_several_packages_in_one_version_each(self) -> None:
        assert arm_of("torch==2.4.0").name == "torch==2.4.0"
        assert arm_of("Torch==2.4.0+cpu, onnx==1.16").name == "onnx==1.16,torch==2.4.0+cpu"

    @pytest.mark.parametrize("text", ["torch", "torch>=2", "torch==2.*", "torch=2", "", "torch==2,onnx"])
    def test_anything_else_is_refused_with_what_to_write(self, text: str) -> None:
        with pytest.raises(ProblemError, match="write"):
            arm_of(text)

    def test_what_note_and_script_need_comes_beside_the_pins(self, base: Path) -> None:
        script = add(base, '# /// script\n# dependencies = [\n#   "onnxscript>=0.5",\n#   "torch"\n# ]\n# ///\n')
        assert stated(script) == ["onnxscript>=0.5", "torch"]
        [note] = notes(base)
        here = {"onnxruntime-directml": "1.20"}
        wanted = requirements_of(note, script, Arm((("pytorch", "2.4"),)), here)
        assert wanted == ["pytorch==2.4", "onnxruntime-directml", "onnxscript>=0.5"]

    @pytest.mark.parametrize("text", ["", "# /// script\n# dependencies = 1\n# ///\n", "# /// script\n# [\n# ///\n"])
    def test_a_script_that_states_nothing_readable_states_nothing(self, base: Path, text: str) -> None:
        assert stated(add(base, text)) == []


class TestEnvironments:
    @pytest.fixture
    def wheels(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = tmp_path / "wheels"
        make_wheel(folder, "tiny-part", "1.0", code=f"def work():\n    raise RuntimeError({PRINTED[14:]!r})\n")
        make_wheel(folder, "tiny-part", "2.0", code="def work():\n    pass\n")
        make_wheel(folder, "onnxruntime-gpu", "1.0")
        for tool in ("PIP", "UV"):
            monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
            monkeypatch.setenv(f"{tool}_NO_INDEX", "1")

    @pytest.fixture
    def noted(self, base: Path, wheels: None, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr("kb.problems.verifying.installed", dict)
        add(base, "import tiny_part\ntiny_part.work()\n", 1, ("package: torch", "package: tiny-part"))
        return base

    def test_each_version_is_a_row(self, noted: Path) -> None:
        info, rows = run(noted, "tiny-part==1.0", "tiny-part==2.0")
        assert [(row["environment"], row["outcome"]) for row in rows] == [
            ("tiny-part==1.0", "reproduces"),
            ("tiny-part==2.0", "gone"),
        ]
        assert rows[0]["versions"] == '{"onnxruntime-gpu":"1.0","tiny-part":"1.0"}'
        assert info.environments["tiny-part==2.0"] == {"onnxruntime-gpu": "1.0", "tiny-part": "2.0"}

    def test_one_that_cannot_be_resolved_is_a_row_in_the_words_of_the_resolver(self, noted: Path) -> None:
        info, [row] = run(noted, "tiny-part==9.9")
        assert (row["outcome"], row["status"], row["stage"]) == ("cannot_run", "environment_failed", "environment")
        assert "tiny-part==9.9" in row["reason"]
        assert info.validity is Validity.INVALID

    def test_notes_about_other_packages_are_left_out_unless_asked_for(self, noted: Path) -> None:
        add(noted, "", 2)
        _, rows = run(noted, "tiny-part==2.0")
        assert [row["note"] for row in rows] == ["KB-0001"]
        _, rows = run(noted, "tiny-part==2.0", ids=("KB-0002",))
        assert (rows[-1]["note"], rows[-1]["status"]) == ("KB-0002", "environment_failed")
