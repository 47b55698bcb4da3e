"""Each code of `kb problem lint`: a note that brings it, at the line that has to change, and one that does not."""

from pathlib import Path

import pytest
import yaml

from kb.problems import frontmatter
from kb.problems.codes import CODES, table
from kb.problems.reading import read_note
from tests.problems.notes import complaints_of, told, with_change, write_note

SYMPTOM_BLOCK = "```\nRuntimeError: Unsupported onnx_opset_version: 24\n```\n"
RANGE = '        fixed: "2.10"'

#: Code, what is changed in the good note, into what, where the complaint stands (a part of the changed note), and what
#: it says. The good note brings none of them.
CASES = [
    ("KB005", "Ask for opset 20.", "Ask for \x1b[31mopset\x1b[0m.", "Ask for", "paste without colours"),
    ("KB005", "Ask for opset 20.", "Ask for \u202etespo.", "Ask for", "control character U+202E"),
    ("KB005", "linux", "li\u2028nux", "nux", "control character U+2028"),
    ("KB010", "---\nid: ", "id: ", "id: ", "begins with a line ---"),
    ("KB010", "modified: 2026-11-27\n---\n", "modified: 2026-11-27\n", None, "add a line --- after its fields"),
    ("KB011", "linux", "@linux", "@linux", "put the value in double quotes"),
    ("KB011", '">=17"', ">=17", "opset: >", "put the value in double quotes"),
    ("KB011", '"The exporter', "Exporter: the: exporter", "title", "put the value in double quotes if it has ': '"),
    ("KB011", '{int}"', "{int}", '- "Uns', "close the quotes"),
    ("KB011", "[Resize]", "[Resize", "operators:", "close the bracket"),
    ("KB011", "{int}", "\\d+", "\\d+", "write \\\\ for a backslash"),
    ("KB012", "  - all:", "\t- all:", "\t- all", "indented with spaces"),
    ("KB012", "      - package: torch\n", "\t- package: torch\n", "\t- package", "indented with spaces"),
    ("KB013", "linux", "!linux", "!linux", "put a value that begins with ! in quotes"),
    ("KB013", "linux", "*linux", "*linux", "put a value with * in quotes"),
    ("KB013", "[Resize]", "&all [Resize]", "&all", "put a value with & in quotes"),
    ("KB013", "[Resize]", "[" * 12 + "]" * 12, "operators", "nested more than 10 levels"),
    ("KB013", "related: []", "related: []\n--- x", "--- x", "a second document"),
    ("KB014", "related: []", "related: []\nstatus: open", "status: open", "is there already, in line 5"),
    ("KB014", RANGE, RANGE + '\n        fixed: "2.11"', '"2.11"', "is there already, in line 11"),
    ("KB015", '"The exporter does not know the opset"', "It fails #123 again", "title", "takes #123 for a comment"),
    ("KB015", '"Unsupported onnx_opset_version: {int}"', "Node #3", "Node", "put the whole value in double quotes"),
    ("KB020", "symbols:", "symbol:", "symbol:", "did you mean symbols?"),
    ("KB020", "        fixed:", "        fixd:", "fixd:", "did you mean fixed?"),
    ("KB020", "    when:", "    wen:", "wen:", "did you mean when?"),
    ("KB021", "severity: major\n", "", "id:", "severity is missing"),
    ("KB021", "major", "", "severity", "severity is empty"),
    ("KB021", '        introduced: "2.4"\n', "", "package: torch", "introduced is missing"),
    ("KB021", "    url: https://github.com/pytorch/pytorch/issues/1\n", "", "type: report", "url is missing"),
    ("KB022", "[Resize]", "Resize", "operators", "must be a list"),
    ("KB022", "Resize", "{a: 1}", "operators", "operators must be text"),
    ("KB022", "      - package: torch\n", "      - torch\n      - package: torch\n", "- torch\n", "a table of keys"),
    ("KB023", "kind: conversion", "kind: convertion", "kind", "did you mean conversion?"),
    ("KB023", "status: workaround", "status: closed", "status", "valid: fixed, open"),
    ("KB023", "type: report", "type: raport", "type:", "did you mean report?"),
    ("KB024", '"2.10"', "2.10", "fixed", 'YAML takes 2.10 for a number (2.10 is the number 2.1): write "2.10"'),
    ("KB024", '"0"', "0", 'introduced: 0', 'write "0", in quotes'),
    ("KB024", "linux", "no", "os:", 'YAML takes \'no\' for true or false: write "no"'),
    ("KB024", "os: linux", "python: 3.10", "python:", 'write "3.10", in quotes'),
    ("KB025", "2026-11-01", "1 November 2026", "created", "a date of the form 2026-11-27"),
    ("KB025", "2026-11-01", "2026-11-31", "created", "a date of the form 2026-11-27"),
    ("KB025", "2026-11-01", "2026-11-01T10:00:00Z", "created", "a date of the form 2026-11-27"),
    ("KB026", '"2.10"', '"<2.10"', "fixed", "without < or ="),
    ("KB026", '"2.10"', "main", "fixed", "'main' is no version"),
    ("KB030", "## Cause\n", "", None, "no section ## Cause"),
    ("KB031", "## Fix", "## Cause", "## Cause\n", "is there already, in line 37"),
    ("KB032", "## Cause", "## Causes", "## Causes", "did you mean Cause?"),
    ("KB033", "---\n\n## Symptom", "---\n\nHello.\n\n## Symptom", "Hello.", "move it under ## Symptom"),
    ("KB034", "24\n```\n", "24\n", "```\n", "end it with ```"),
    ("KB035", SYMPTOM_BLOCK, "", "## Symptom", "paste what one sees"),
    ("KB040", "KB-0001", "KB-1", "id: ", "write KB-0000"),
    ("KB042", "KB-0001", "KB-0002", "id: ", "is not KB-0002-short-title.md"),
    ("KB042", "KB-0001", "KB-0000", "id: ", "without a number"),
    ("KB043", "related: []", "related: [KB-0009]", "related", "there is no note 'KB-0009'"),
    ("KB043", "related: []", "related: [KB-0001]", "related", "is this note itself"),
    ("KB043", "related: []", "related: [KB-0000]", "related", "when it has its number"),
    ("KB044", "The exporter", "The exporter" * 20, "title", "at most 150"),
    ("KB050", '"2.10"', '"2.3"', "introduced: \"2.4\"", "introduced must be below fixed"),
    ("KB050", '"2.10"', '"2.4.0+cpu"', "introduced: \"2.4\"", "introduced must be below fixed"),
    ("KB051", RANGE, RANGE + '\n        last_affected: "2.9"', "last_affected", "keep fixed"),
    ("KB052", "package: torch", "package: troch", "troch", "did you mean torch?"),
    ("KB053", "os: linux", "os: linus", "os:", "did you mean linux?"),
    ("KB053", "os: linux", "systen: linux", "systen", "is no condition"),
    ("KB060", "Unsupported onnx_opset_version: {int}", "{any}{int} {path}", "{any}", "keep the words"),
    ("KB060", "Unsupported onnx_opset_version: {int}", "{int}" * 500, "{int}{int}" * 250, "500 placeholders is over"),
    ("KB060", "Unsupported onnx_opset_version: {int}", "long " * 200, "long", "1,000 characters is over the limit"),
    ("KB060", "Unsupported onnx_opset_version: {int}", "Unsupported {itn}", "{itn}", "is no placeholder"),
    ("KB061", "Unsupported onnx_opset_version: {int}", "Something else", "Something", "paste there what one"),
    ("KB070", "status: workaround", "status: fixed", "status", "nothing stands under ## Fix"),
    ("KB071", "\nAsk for opset 20.\n", "", "status", "nothing stands under ## Workaround"),
    ("KB080", "repro.py", "rapro.py", "rapro.py", "did you mean repro.py?"),
    ("KB081", "repro.py", "../../tests/repro.py", "../", "only the name of a script in the folder"),
    ("KB081", "repro.py", "/etc/passwd", "/etc", "only the name of a script in the folder"),
    ("KB081", "repro.py", "C:repro.py", "C:repro.py", "only the name of a script in the folder"),
    ("KB082", "https://github.com/pytorch", "javascript:alert(1)//pytorch", "javascript", "from https:// on"),
    ("KB082", "https://github.com", "github.com", "url: github", "from https:// on"),
    ("KB090", "2026-11-01", "2026-11-28", "modified", "is before created"),
    ("KB091", "modified: 2026-11-27", "modified: 2027-11-27", "modified", "is in the future"),
    ("KB099", "The exporter", "TODO: the exporter", "title", "still to do: the exporter"),
    ("KB099", "linux", "linux # TODO", "linux", "remove the TODO"),
]  # fmt: skip
#: Codes of a file that is no text, of several files, or of results: tested below or beside this, one by one.
ELSEWHERE = {"KB001", "KB002", "KB003", "KB004", "KB041", "KB072"}


def test_nothing_is_wrong_with_the_good_note(tmp_path: Path) -> None:
    write_note(tmp_path)
    assert told(tmp_path) == []


def test_every_code_is_tested() -> None:
    assert {case[0] for case in CASES} | ELSEWHERE == set(CODES)


@pytest.mark.parametrize(
    ("code", "old", "new", "at", "says"), CASES, ids=[f"{case[0]}-{case[4][:24]}" for case in CASES]
)
def test_what_is_wrong_is_told_at_its_line(
    tmp_path: Path, code: str, old: str, new: str, at: str | None, says: str
) -> None:
    text = with_change(old, new)
    path = write_note(tmp_path, text)
    found = [one for one in complaints_of(tmp_path) if one.code.name == code]
    assert any(says in one.message for one in found), complaints_of(tmp_path)
    assert {one.path for one in found} == {path}
    if at is not None:
        assert found[-1].line == text.count("\n", 0, text.rindex(at)) + 1
    assert all(one.message.isprintable() for one in found)


@pytest.mark.parametrize(
    ("code", "old", "new", "at", "says"),
    [case for case in CASES if case[0] < "KB020"],
    ids=[f"{case[0]}-{case[4][:24]}" for case in CASES if case[0] < "KB020"],
)
def test_the_same_is_told_where_the_parser_in_c_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, old: str, new: str, at: str | None, says: str
) -> None:
    path = write_note(tmp_path, with_change(old, new))
    fast = read_note(path).complaints
    monkeypatch.setattr(frontmatter, "_LOADER", yaml.SafeLoader)
    slow = read_note(path).complaints
    assert [(one.line, one.code) for one in slow] == [(one.line, one.code) for one in fast]
    assert any(says in one.message for one in slow)


@pytest.mark.parametrize(
    "title", ['"It fails" # 2 of 3', "It fails # 2 of 3", '"It fails" #2', "It fails#2", "'It #2'"]
)
def test_a_comment_that_is_meant_as_one_is_none_of_kbs_business(tmp_path: Path, title: str) -> None:
    write_note(tmp_path, with_change('"The exporter does not know the opset"', title))
    assert told(tmp_path) == []


class TestNotes:
    """What needs more than one change."""

    def test_a_fixed_note_says_where_it_ended_and_how(self, tmp_path: Path) -> None:
        text = with_change("## Fix\n", "## Fix\n\nUpgrade.\n", with_change("status: workaround", "status: fixed"))
        write_note(tmp_path, text)
        assert told(tmp_path) == []
        write_note(tmp_path, with_change('fixed: "2.10"', 'last_affected: "2.9"', text))
        assert told(tmp_path) == []
        write_note(tmp_path, with_change('        fixed: "2.10"\n', "", text))
        assert told(tmp_path) == [("KB-0001-opset.md", 5, "KB070")]

    def test_two_notes_with_one_id(self, tmp_path: Path) -> None:
        write_note(tmp_path)
        write_note(tmp_path, name="KB-0001-other.md")
        [found] = complaints_of(tmp_path)
        assert (found.path.name, found.line, found.code.name) == ("KB-0001-other.md", 2, "KB041")
        assert "is the id of KB-0001-opset.md already" in found.message

    def test_any_number_of_notes_may_wait_for_a_number(self, tmp_path: Path) -> None:
        for name in ("one.md", "two.md", "三.md"):
            write_note(tmp_path, with_change("KB-0001", "KB-0000"), name)
        assert told(tmp_path) == []

    def test_a_file_name_can_be_linked_to(self, tmp_path: Path) -> None:
        write_note(tmp_path, name="KB-0001-it's broken.md")
        assert told(tmp_path) == [("KB-0001-it's broken.md", 2, "KB042")]

    def test_a_note_may_relate_to_one_that_cannot_be_read(self, tmp_path: Path) -> None:
        write_note(tmp_path, with_change("related: []", "related: [KB-0002]"))
        write_note(tmp_path, "", "KB-0002-empty.md")
        assert told(tmp_path) == [("KB-0002-empty.md", 1, "KB010")]

    def test_a_package_of_ones_own_can_be_made_known(self, tmp_path: Path) -> None:
        write_note(tmp_path, with_change("package: torch", "package: our_runtime"))
        [found] = complaints_of(tmp_path)
        assert (found.code.name, found.is_error) == ("KB052", False)
        assert "tool.kb.packages" in found.message
        assert complaints_of(tmp_path, packages=("Our-Runtime",)) == []

    def test_a_package_that_two_notes_name_is_known(self, tmp_path: Path) -> None:
        write_note(tmp_path, with_change("package: torch", "package: our-runtime"))
        text = with_change("package: torch", "package: our-runtime", with_change("KB-0001", "KB-0002"))
        write_note(tmp_path, text, "KB-0002-x.md")
        assert told(tmp_path) == []

    def test_a_reproducer_that_is_a_link_is_none(self, tmp_path: Path) -> None:
        write_note(tmp_path)
        (tmp_path / "repro.py").unlink()
        (tmp_path / "repro.py").symlink_to("/etc/hostname")
        assert told(tmp_path) == [("KB-0001-opset.md", 21, "KB080")]

    def test_all_that_is_wrong_in_one_note_is_told_at_once(self, tmp_path: Path) -> None:
        text = with_change(
            "kind: conversion", "kind: x", with_change("2026-11-01", "soon", with_change("[Resize]", "no"))
        )
        write_note(tmp_path, with_change("## Fix\n", "", text))
        assert [code for _, _, code in told(tmp_path)] == ["KB023", "KB022", "KB025", "KB030"]

    def test_tomorrow_in_the_east_is_not_the_future(self, tmp_path: Path) -> None:
        write_note(tmp_path, with_change("modified: 2026-11-27", "modified: 2026-11-28"))
        assert told(tmp_path) == []


@pytest.mark.parametrize(
    "symptom",
    [
        "~~~\nUnsupported onnx_opset_version: 24\n## Cause\n~~~",
        "````\n```\n## Cause\nUnsupported onnx_opset_version: 24\n````",
        "It says `Unsupported onnx_opset_version: 24`.",
        "``` `not a fence` Unsupported onnx_opset_version: 24",
        "- ```\n  ## Cause\n  ```\n\nUnsupported onnx_opset_version: 24",
        "```\nTODO(somebody): Unsupported onnx_opset_version: 24\n```",
    ],
)
def test_headings_and_todos_in_code_are_none(tmp_path: Path, symptom: str) -> None:
    write_note(tmp_path, with_change(SYMPTOM_BLOCK, symptom + "\n"))
    assert told(tmp_path) == []


def test_the_table_in_the_readme_is_the_one_in_the_code(repo_root: Path) -> None:
    assert table() in (repo_root / "docs/problems/README.md").read_text(encoding="utf-8")


def test_the_template_is_a_note_that_only_lacks_its_reproducer(tmp_path: Path, repo_root: Path) -> None:
    write_note(tmp_path, (repo_root / "docs/problems/TEMPLATE.txt").read_text(encoding="utf-8"), "x.md")
    assert told(tmp_path) == [("x.md", 20, "KB080")]
