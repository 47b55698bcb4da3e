"""The page of a note: what it says, as text alone, whatever was written there."""

from datetime import date
from pathlib import Path

import pytest

from kb.problems.endings import REPRODUCES
from kb.problems.note import Affected, Kind, Note, Range, Reference, Severity, State
from kb.problems.outcomes import Standing
from kb.site.pages.notes import affected_words, pages, path_of

pytest.importorskip("jinja2")

DAY = date(2026, 11, 27)
BODY = """\
Words with `code`, **strong** ones and [a link](https://example.org/x).

- one
- two

```
x = 1
y = {{ 7*7 }}
```
"""
HOSTILE = """\
<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) ![p](https://example.org/p.png)

<iframe src="https://example.org"></iframe>

# A heading

{% include "mkdocs.yml" %} {: #planted } [TOC]

--8<-- "mkdocs.yml"
"""


def note(id: str = "KB-0001", body: str = BODY, folder: Path = Path("docs/problems"), **fields: object) -> Note:
    plain: dict[str, object] = {
        "path": folder / f"{id}-short.md",
        "id": id,
        "title": f"Title of {id}",
        "kind": Kind.CRASH,
        "status": State.OPEN,
        "severity": Severity.MAJOR,
        "affected": (Affected((Range("torch", "2.4", fixed="2.6"),), {"opset": ">=17"}),),
        "created": DAY,
        "modified": DAY,
        "sections": {"Symptom": body, "Cause": "", "Fix": "None."},
    }
    return Note(**{**plain, **fields})  # type: ignore[arg-type]


def page(*notes: Note, **shown: object) -> str:
    return pages(notes, shown, {})[0].text  # type: ignore[arg-type]


def test_sections_are_shown_in_their_order_and_empty_ones_are_not() -> None:
    text = page(note())
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Symptom { #symptom }",
        "## Fix { #fix }",
    ]
    assert "<code>code</code>" in text
    assert "<strong>strong</strong>" in text
    assert "<ul><li><p>one</p></li><li><p>two</p></li></ul>" in text
    assert "x &#61; 1&#10;y &#61; &#123;&#123; 7&#42;7 &#125;&#125;</code></pre>" in text


def test_what_is_affected_is_told_in_words() -> None:
    assert affected_words(note().affected[0]) == "torch from 2.4 to before 2.6, where opset is >=17"
    both = Affected((Range("torch", "0"), Range("onnxruntime", "1.20", last_affected="1.22")))
    assert affected_words(both) == "torch of any version, with onnxruntime from 1.20 up to 1.22"


def test_the_reproducer_is_offered_with_what_it_showed(tmp_path: Path) -> None:
    (tmp_path / "KB-0001-short.py").write_text("print('gone')\n")
    shown = Standing("KB-0001", "current", REPRODUCES, DAY, {"torch": "2.13.0"})
    made = pages([note(folder=tmp_path, reproducer="KB-0001-short.py")], {"KB-0001": (shown,)}, {})[0]
    assert "still reproduces with torch 2.13.0 (2026-11-27)" in made.text
    assert made.files == {"data/problems/KB-0001-short.py.txt": b"print('gone')\n"}


def test_notes_that_name_each_other_are_linked_both_ways() -> None:
    first, second = note(related=("KB-0002", "KB-9999")), note("KB-0002")
    made = {each.path: each.text for each in pages([first, second], {}, {})}
    assert 'related: <a href="KB-0002-short.html">KB-0002</a>' in made[path_of(first)]
    assert 'referenced by: <a href="KB-0001-short.html">KB-0001</a>' in made[path_of(second)]
    assert "KB-9999" not in made[path_of(first)]


def test_nothing_of_a_hostile_note_is_markup() -> None:
    bad = Reference("report", "javascript:alert(1)")
    text = page(note(body=HOSTILE, title="<b>{{ 7*7 }}</b> --8<-- x", symbols=("<i>",), references=(bad,)))
    for live in (
        "<script",
        "<img",
        "<iframe",
        "javascript:",
        "{{",
        "{%",
        "--8<--",
        "[TOC]",
        "<b>",
        "<i>",
        "{: #planted",
    ):
        assert live not in text.partition("---\n")[2].partition("---\n")[2], live
