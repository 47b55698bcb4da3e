"""A new note: what is known is filled in, what is not is marked, and kb's own check finds nothing else to say."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from kb.problems.drafting import Draft, draft, fenced, proposed_kind, proposed_name, proposed_title, suspect
from kb.problems.note import Kind
from kb.problems.pasted import Pasted, last_error
from kb.problems.reading import KEYS, read_note
from kb.problems.signature import propose
from kb.problems.surroundings import Place
from tests.problems.notes import TODAY, complaints_of, write_note

PLACE = Place(
    {"torch": "2.13.0+cpu", "numpy": "2.4.6"}, "AMD EPYC, x86_64", "Debian GNU/Linux 12, Python 3.11.7", ("torch",)
)
ERROR = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\nRuntimeError: Unsupported opset_version: 24\n'
NASTY = 'RuntimeError: it\'s "quoted" \\d {brace} [x] # : - \u2028 ``` ```` 精度 {{int}} %s &a *b !c\n## Cause\n---\n'


def made(error: str) -> Draft:
    return draft(last_error(error), PLACE, propose, TODAY)


@pytest.mark.parametrize(
    "error", [ERROR, NASTY, "Segmentation fault", ERROR + NASTY], ids=["plain", "nasty", "none", "2"]
)
def test_only_what_a_person_must_decide_is_left_to_do(tmp_path: Path, error: str) -> None:
    note = made(error)
    path = write_note(tmp_path, note.text, f"{note.name}.md")
    found = complaints_of(tmp_path)
    assert {one.code.name for one in found} == {"KB099"}, found
    assert read_note(path).note is not None
    for one in found:
        assert "TODO" in note.text.split("\n")[one.line - 1]


def test_an_empty_note_asks_for_its_title_and_symptom_too(tmp_path: Path) -> None:
    note = draft(None, PLACE, propose, TODAY)
    write_note(tmp_path, note.text, f"{note.name}.md")
    assert {one.code.name for one in complaints_of(tmp_path)} == {"KB099"}
    assert len(complaints_of(tmp_path)) == 4
    assert draft(None, PLACE, propose, TODAY, title="给 opset 24: no").text.count("TODO") == 3


def test_the_note_says_what_was_seen_where(tmp_path: Path) -> None:
    note = read_note(write_note(tmp_path, made(ERROR).text)).note
    assert note is not None
    assert note.title == "RuntimeError: Unsupported opset_version: 24"
    assert note.affected[0].ranges[0].package == "torch"
    assert note.affected[0].ranges[0].introduced == "2.13.0"
    assert (note.created, note.modified) == (TODAY, TODAY)
    assert "Unsupported opset_version: 24\n```" in note.sections["Symptom"]
    assert "torch 2.13.0+cpu, numpy 2.4.6 (Debian GNU/Linux 12, Python 3.11.7; AMD EPYC" in note.sections["Symptom"]


def test_its_fields_are_those_of_the_template_in_that_order(repo_root: Path) -> None:
    template = (repo_root / "docs/problems/TEMPLATE.txt").read_text(encoding="utf-8")
    fields = [list(yaml.safe_load(text.split("---\n")[1])) for text in (template, made(ERROR).text)]
    assert fields[0] == fields[1] == list(KEYS)
    headings = [[line for line in text.split("\n") if line.startswith("## ")] for text in (template, made(ERROR).text)]
    assert headings[0] == headings[1]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ModuleNotFoundError: No module named 'onnxscript'", Kind.INSTALL),
        ("ImportError: libcudnn.so.9: cannot open shared object file", Kind.INSTALL),
        ("Segmentation fault (core dumped)", Kind.CRASH),
        ("torch.OutOfMemoryError: CUDA out of memory.", Kind.CRASH),
        ("RuntimeError: Unsupported onnx_opset_version: 24\n torch/onnx/utils.py", Kind.CONVERSION),
        ("AssertionError: Tensor-likes are not close!", Kind.ACCURACY),
        ("TypeError: forward() missing 1 required positional argument", Kind.USAGE),
    ],
)
def test_the_kind_is_guessed_from_the_words(text: str, kind: Kind) -> None:
    assert proposed_kind(text) is kind


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Unsupported onnx_opset_version: 24", "unsupported-onnx_opset_version"),
        ("No module named 'onnxscript'", "no-module-named-onnxscript"),
        ("精度丢失 after fp16", "精度丢失-after-fp16"),
        ("x" * 300, "x" * 48),
        ("../../etc/passwd", "etc-passwd"),
        ("24 %", "new-note"),
        ("", "new-note"),
    ],
)
def test_the_file_is_named_by_the_words(title: str, name: str) -> None:
    assert proposed_name(title) == name


def test_a_long_message_makes_a_title_that_ends_at_a_word() -> None:
    title = proposed_title(Pasted("", "RuntimeError", "many words " * 40))
    assert len(title) <= 110
    assert title.endswith(("words…", "many…"))
    assert len(proposed_title(Pasted("", "RuntimeError", "x" * 400))) == 110


@pytest.mark.parametrize(
    ("versions", "suspects", "found"),
    [
        (
            {"our-tool": "1.0", "onnxruntime-gpu": "1.30.0"},
            ("our-tool", "onnxruntime-gpu"),
            ("onnxruntime-gpu", "1.30.0"),
        ),
        ({"torch": "2.13.0+cpu", "onnx": "1.23.2"}, ("onnx",), ("onnx", "1.23.2")),
        ({"torch": "2.13.0+cpu", "onnx": "1.23.2"}, (), ("torch", "2.13.0")),
        ({"torch": "unknown"}, ("torch",), ("torch", "0")),
        ({}, (), ("torch", "0")),
    ],
)
def test_the_suspect_is_what_the_error_names_and_notes_know(
    versions: dict[str, str], suspects: tuple[str, ...], found: tuple[str, str]
) -> None:
    assert suspect(Place(versions, "", "", suspects)) == found


def test_where_the_error_names_no_package_a_person_must_say_which() -> None:
    text = draft(last_error("ValueError: x y z"), Place({"torch": "2.13.0"}, "", ""), propose, TODAY).text
    assert "package: torch  # TODO: which package?" in text
    assert "which package" not in made(ERROR).text


def test_where_a_logger_was_is_no_part_of_the_title() -> None:
    message = "[E:onnxruntime:Default, provider_bridge_ort.cc:1992 Try] Failed to load libcudnn.so.9"
    assert proposed_title(Pasted("", "", message)) == "Failed to load libcudnn.so.9"
    assert proposed_title(Pasted("", "Fail", "[ONNXRuntimeError] : 1 : FAIL")) == "Fail: [ONNXRuntimeError] : 1 : FAIL"


def test_a_code_block_ends_where_it_should() -> None:
    assert fenced("a") == "```\na\n```"
    assert fenced("````\nx") == "`````\n````\nx\n`````"


def test_a_day_is_written_as_yaml_reads_it() -> None:
    assert "created: 2026-01-02\n" in draft(None, PLACE, propose, date(2026, 1, 2)).text
