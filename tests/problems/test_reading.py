"""Reading notes: what a good one becomes, and that no file, however damaged, stops the others."""

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.problems.note import Affected, Kind, Range, Reference, Severity, State
from kb.problems.reading import MAX_BYTES, Reading, read_note, read_notes
from tests.problems.notes import GOOD, told, with_change, write_note


def read(folder: Path, text: str | bytes) -> Reading:
    path = folder / "note.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_note(path)


def test_a_note_says_what_its_file_says(tmp_path: Path) -> None:
    note = read(tmp_path, GOOD).note
    assert note is not None
    assert (note.id, note.kind, note.status, note.severity) == (
        "KB-0001",
        Kind.CONVERSION,
        State.WORKAROUND,
        Severity.MAJOR,
    )
    assert note.title == "The exporter does not know the opset"
    assert note.affected == (
        Affected((Range("torch", "2.4", "2.10"), Range("onnxruntime-gpu", "0")), {"opset": ">=17", "os": "linux"}),
    )
    assert note.signatures == ("Unsupported onnx_opset_version: {int}",)
    assert note.references == (Reference("report", "https://github.com/pytorch/pytorch/issues/1"),)
    assert (note.symbols, note.operators, note.aliases) == (("torch.onnx.export",), ("Resize",), ("pytorch/pytorch#1",))
    assert (note.related, note.reproducer) == ((), "repro.py")
    assert (note.created, note.modified) == (date(2026, 11, 1), date(2026, 11, 27))
    assert note.sections == {
        "Symptom": "```\nRuntimeError: Unsupported onnx_opset_version: 24\n```",
        "Cause": "It was not written yet.",
        "Workaround": "Ask for opset 20.",
        "Fix": "",
    }


def test_every_field_and_section_knows_its_line(tmp_path: Path) -> None:
    note = read(tmp_path, GOOD).note
    assert note is not None
    lines = GOOD.split("\n")
    for field, part in (
        ("id", "id: KB-0001"),
        ("signatures[0]", "Unsupported"),
        ("affected[0].all[1].introduced", '"0"'),
        ("affected[0].when.os", "linux"),
        ("references[0].url", "https:"),
        ("Workaround", "## Workaround"),
    ):
        assert part in lines[note.lines[field] - 1]


def test_line_ends_of_windows_change_nothing(tmp_path: Path) -> None:
    unix, windows = read(tmp_path, GOOD), read(tmp_path, GOOD.replace("\n", "\r\n"))
    assert windows == unix


def test_a_byte_order_mark_is_told_and_the_note_is_read(tmp_path: Path) -> None:
    reading = read(tmp_path, "\ufeff" + GOOD)
    assert reading.note is not None
    assert [(one.line, one.code.name, one.is_error) for one in reading.complaints] == [(1, "KB004", False)]


def test_fields_that_may_be_left_away_may_be_empty(tmp_path: Path) -> None:
    text = with_change("[Resize]", "", with_change("reproducer: repro.py", "reproducer:", with_change("[]", "~")))
    note = read(tmp_path, text.replace("related: ~\n", "related:\n")).note
    assert note is not None
    assert (note.operators, note.reproducer, note.related) == ((), "", ())


@pytest.mark.parametrize(
    ("symptom", "cause", "workaround", "fix"),
    [
        ("现象", "原因", "规避", "修复"),
        ("症状", "原因", "临时方案", "解决"),
        ("symptom", "CAUSE:", "Workaround ##", "Fix"),
    ],
)
def test_the_four_sections_have_chinese_names_too(
    tmp_path: Path, symptom: str, cause: str, workaround: str, fix: str
) -> None:
    text = GOOD.replace("## Symptom", f"## {symptom}").replace("## Cause", f"## {cause}")
    text = text.replace("## Workaround", f"## {workaround}").replace("## Fix", f"## {fix}")
    reading = read(tmp_path, text)
    assert reading.complaints == ()
    assert reading.note is not None
    assert list(reading.note.sections) == ["Symptom", "Cause", "Workaround", "Fix"]


def test_a_complaint_about_one_section_does_not_hide_the_note(tmp_path: Path) -> None:
    reading = read(tmp_path, with_change("## Fix\n", "## Repair\n"))
    assert [one.code.name for one in reading.complaints] == ["KB030", "KB032"]
    assert reading.note is not None


class TestDamagedFiles:
    """Each is told with its file and line; the note beside it is read."""

    @pytest.fixture(autouse=True)
    def _a_good_note_beside_it(self, tmp_path: Path) -> None:
        write_note(tmp_path)

    def told(self, folder: Path) -> list[tuple[str, int, str]]:
        assert [note.id for note in read_notes(folder).notes] == ["KB-0001"]
        return told(folder)

    def test_a_file_of_5_mb(self, tmp_path: Path) -> None:
        write_note(tmp_path, GOOD + "x" * 5_000_000, "big.md")
        assert self.told(tmp_path) == [("big.md", 1, "KB002")]

    def test_a_file_of_just_the_size(self, tmp_path: Path) -> None:
        text = with_change("KB-0001", "KB-0002")
        write_note(tmp_path, text + "x" * (MAX_BYTES - len(text)), "KB-0002-x.md")
        assert told(tmp_path) == []

    def test_a_file_that_is_not_utf_8(self, tmp_path: Path) -> None:
        (tmp_path / "latin.md").write_bytes(GOOD.replace("written", "größer").encode("latin-1"))
        assert self.told(tmp_path) == [("latin.md", 39, "KB003")]

    def test_a_file_in_utf_16(self, tmp_path: Path) -> None:
        (tmp_path / "wide.md").write_text(GOOD, encoding="utf-16")
        assert self.told(tmp_path) == [("wide.md", 1, "KB003")]

    def test_an_empty_file(self, tmp_path: Path) -> None:
        write_note(tmp_path, "", "empty.md")
        assert self.told(tmp_path) == [("empty.md", 1, "KB010")]

    def test_front_matter_without_fields(self, tmp_path: Path) -> None:
        write_note(tmp_path, "---\n---\n" + GOOD.partition("\n---\n")[2], "bare.md")
        assert self.told(tmp_path) == [("bare.md", 2, "KB011")]

    def test_front_matter_that_is_a_list(self, tmp_path: Path) -> None:
        write_note(tmp_path, "---\n- id\n---\n" + GOOD.partition("\n---\n")[2], "list.md")
        assert self.told(tmp_path) == [("list.md", 2, "KB011")]

    def test_a_bomb_of_aliases(self, tmp_path: Path) -> None:
        bomb = "a: &a [x, x]\n" + "".join(
            f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        )
        write_note(tmp_path, with_change("related: []\n", bomb), "bomb.md")
        assert self.told(tmp_path) == [("bomb.md", 26, "KB013")]

    def test_a_well_of_brackets(self, tmp_path: Path) -> None:
        write_note(tmp_path, with_change("related: []\n", f"related: {'[' * 100_000}\n"), "deep.md")
        assert self.told(tmp_path) == [("deep.md", 26, "KB013")]

    def test_a_tag_that_would_run_something(self, tmp_path: Path) -> None:
        text = with_change("related: []", "related: !!python/object/apply:os.system [exit]")
        write_note(tmp_path, text, "tag.md")
        assert self.told(tmp_path) == [("tag.md", 26, "KB013")]

    def test_a_link_to_somewhere_else(self, tmp_path: Path) -> None:
        (tmp_path / "link.md").symlink_to("/etc/hostname")
        assert self.told(tmp_path) == [("link.md", 1, "KB001")]

    def test_a_folder_and_a_pipe(self, tmp_path: Path) -> None:
        (tmp_path / "folder.md").mkdir()
        os.mkfifo(tmp_path / "pipe.md")
        assert self.told(tmp_path) == [("folder.md", 1, "KB001"), ("pipe.md", 1, "KB001")]

    def test_colours_in_every_line_are_told_three_times(self, tmp_path: Path) -> None:
        text = with_change("It was not written yet.", "\x1b[31mred\x1b[0m\n" * 100)
        write_note(tmp_path, text, "red.md")
        assert self.told(tmp_path) == [("red.md", 39, "KB005"), ("red.md", 40, "KB005")]


def test_what_explains_the_folder_is_no_note(tmp_path: Path) -> None:
    for name in ("README.md", "index.md", ".unfinished-x.md", "TEMPLATE.txt", "repro.py"):
        (tmp_path / name).write_text("not a note")
    assert read_notes(tmp_path) == read_notes(tmp_path / "missing")


@given(st.text(alphabet=st.sampled_from("-:[]{}&*!|>'\"%@`#\t\n \\x0.é\u2028"), max_size=60))
def test_no_front_matter_whatever_it_is_raises(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    reading = read(folder, f"---\n{text}\n---\n")
    assert reading.note is None
    lines = text.count("\n") + 4
    assert all(1 <= one.line <= lines and one.message.isprintable() for one in reading.complaints)


@given(st.integers(0, len(GOOD) - 1), st.text(max_size=3), st.integers(0, 40))
def test_no_change_to_a_good_note_raises(
    tmp_path_factory: pytest.TempPathFactory, at: int, put: str, take: int
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "x.md").write_bytes((GOOD[:at] + put + GOOD[at + take :]).encode("utf-8", "surrogatepass"))
    lines = GOOD.count("\n") + 6
    for name, line, code in told(folder):
        assert (name, code[:2]) == ("x.md", "KB")
        assert 1 <= line <= lines
