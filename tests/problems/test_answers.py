"""`kb explain` and `kb search` from outside: what is printed, the exit codes, and pastes of every encoding."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from kb.cli import main
from kb.config import ConfigError
from kb.exits import Exit
from kb.problems.answers import notes_folder, read_paste
from tests.problems.synthetic import SKETCHES, notes
from tests.problems.test_ranking import UNRELATED, traceback_of


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A knowledge base with the small log, and a reader that knows it."""
    (tmp_path / "pyproject.toml").write_text("[tool.kb]\n")
    folder = tmp_path / "docs" / "problems"
    folder.mkdir(parents=True)
    made = notes(folder)
    for note in made:
        note.path.write_text(note.title, encoding="utf-8")
    reading = ModuleType("kb.problems.reading")
    by_path = {note.path: note for note in made}
    reading.read_note = lambda path: SimpleNamespace(note=by_path[path])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kb.problems.reading", reading)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def kb(base: Path, *words: str, paste: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ["-C", str(base), *words], input=paste)


def test_explain_reads_standard_input_and_says_why(base: Path) -> None:
    done = kb(base, "explain", paste=traceback_of(SKETCHES[9]))
    assert done.exit_code == Exit.OK
    first = done.output.split("\n\n")[0].splitlines()
    assert first[0] == f"KB-0010  {SKETCHES[9].title}"
    assert "bf16-gemm.md  (conversion, open, major, onnxruntime)" in first[1]
    assert first[2] == f"  signature: {SKETCHES[9].signatures[0]}"
    assert "(title" in first[3]


def test_explain_reads_a_file(base: Path) -> None:
    (base / "error.txt").write_text(traceback_of(SKETCHES[9]))
    piped = kb(base, "explain", paste=traceback_of(SKETCHES[9]))
    assert kb(base, "explain", str(base / "error.txt")).output == piped.output


def test_search_takes_words_also_with_hyphens_before_them(base: Path) -> None:
    assert "KB-0027" in kb(base, "search", "--shm-size").output
    assert "~ grouped" in kb(base, "search", "grupped", "Conv2D").output


def test_json_has_the_same_hits_with_their_reasons(base: Path) -> None:
    hits = json.loads(kb(base, "explain", "--format", "json", paste=traceback_of(SKETCHES[9])).output)["hits"]
    assert hits[0]["id"] == "KB-0010"
    assert hits[0]["match"] == "signature"
    assert hits[0]["signatures"] == list(SKETCHES[9].signatures)
    assert {"word", "found", "fields"} == set(hits[0]["words"][0])


def test_the_limit_holds(base: Path) -> None:
    assert len(json.loads(kb(base, "search", "export", "--format", "json", "--limit", "2").output)["hits"]) == 2


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("text", [*UNRELATED, ""])
def test_finding_nothing_is_no_success(base: Path, form: str, text: str) -> None:
    done = kb(base, "explain", "--format", form, paste=text)
    assert done.exit_code == Exit.NOTHING_FOUND
    assert "kb problem new" in done.output


def test_without_a_knowledge_base_the_error_is_one_line(tmp_path: Path) -> None:
    done = kb(tmp_path, "search", "gelu")
    assert done.exit_code == Exit.USAGE
    assert "no pyproject.toml with a [tool.kb] table" in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_the_folder_of_the_notes_may_have_another_name(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.kb]\nproblems = "handbook/trouble"\n')
    (tmp_path / "sub").mkdir()
    assert notes_folder(tmp_path / "sub") == tmp_path / "handbook" / "trouble"


def test_odd_settings_are_read_in_full_and_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.kb]\nproblems = 3\n")
    with pytest.raises(ConfigError, match="problems"):
        notes_folder(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "Fehler: größer 量化".encode(),
        b"\xef\xbb\xbf" + "Fehler: größer 量化".encode(),
        b"\xff\xfe" + "Fehler: größer 量化".encode("utf-16-le"),
        b"\xfe\xff" + "Fehler: größer 量化".encode("utf-16-be"),
    ],
)
def test_a_paste_may_be_in_any_of_these_encodings(content: bytes) -> None:
    assert read_paste(io.BytesIO(content)) == "Fehler: größer 量化"


def test_an_answer_from_the_cache_imports_nothing_heavy(base: Path) -> None:
    """Nor what reads notes: half of the 0.3 s that an answer may take would be gone."""
    kb(base, "search", "gelu")
    code = (
        f"import sys\nfrom kb.cli import main\ntry: main(['-C', {str(base)!r}, 'search', 'gelu'])\n"
        "except SystemExit as done: assert done.code == 0, done.code\nprint(*sys.modules, sep='\\n')"
    )
    for note in (base / "docs" / "problems").iterdir():
        os.utime(note, ns=(10**18, 10**18))  # long ago, so that nothing is looked at again
    kb(base, "search", "gelu")
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    modules = {name.partition(".")[0] for name in printed.splitlines()} | set(printed.splitlines())
    assert not modules & {"pydantic", "rich", "numpy", "pandas", "yaml", "kb.config", "kb.problems.reading"}


def test_bytes_that_are_no_text_are_read_as_far_as_they_are(base: Path) -> None:
    paste = b"\xc3\x28\x00\xff\xfe" + traceback_of(SKETCHES[9]).encode() + b"\x80\x81"
    assert "KB-0010" in kb(base, "explain", paste=paste).output


def test_a_paste_of_ten_megabytes_is_answered(base: Path) -> None:
    start = time.process_time()
    done = kb(base, "explain", paste="INFO:train:step 1\n" * 600_000 + traceback_of(SKETCHES[9]))
    assert "KB-0010" in done.output
    assert time.process_time() - start < 5


def test_a_note_cannot_write_to_the_terminal(base: Path) -> None:
    hostile = SimpleNamespace(note=_hostile(base))
    sys.modules["kb.problems.reading"].read_note = lambda path: hostile  # type: ignore[attr-defined]
    output = kb(base, "search", "zebra").output
    assert "zebra" in output
    assert "\x1b" not in output


def _hostile(base: Path) -> object:
    from dataclasses import replace

    first = notes(base / "docs" / "problems")[0]
    return replace(first, title="zebra \x1b[2J\x1b]0;owned\x07\nsecond line")
