"""The identity of an entry is in its words, not in their layout."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.changelogs.entry import Category, Entry, Item, Span
from kb.changelogs.identity import DIGITS
from kb.changelogs.reading import read
from tests.changelogs.samples import PROJECTS, text_of


def entry(*texts: str) -> Entry:
    first, *others = texts
    items = tuple(Item((Span(text),)) for text in others)
    return Entry(Category.CHANGE, "Changes", Category.CHANGE, "", (Span(first),), items)


def ids(text: str, name: str) -> list[tuple[str, list[str]]]:
    return [
        (section.version, [entry.id for entry in section.entries]) for section in read(text, PROJECTS[name]).sections
    ]


def test_the_words_and_their_order_make_the_id() -> None:
    assert entry("a b").id == entry("a  b ").id == entry("a\nb").id
    assert len({entry("a b").id, entry("b a").id, entry("a").id}) == 3


def test_what_stands_below_an_entry_does_not_count() -> None:
    """An entry that gains an item is the same one, changed: not news."""
    assert entry("a", "b").id == entry("a").id


def test_look_and_links_do_not_count() -> None:
    plain = Entry(Category.CHANGE, "", Category.CHANGE, "", (Span("see this"),))
    linked = Entry(
        Category.BUGFIX, "x", Category.CHANGE, "y", (Span("see ", strong=True), Span("this", url="https://a.b"))
    )
    assert plain.id == linked.id


@given(st.text())
def test_any_text_has_an_id(text: str) -> None:
    assert re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", entry(text).id)


@pytest.mark.parametrize("name", [name for name in PROJECTS if name.endswith(".md")])
def test_line_ends_change_no_id(name: str) -> None:
    text = text_of(name)
    assert ids(text, name) == ids(text.replace("\n", "\r\n"), name) == ids(text.replace("\n", "\r"), name)


def test_a_re_flow_changes_no_id() -> None:
    wide = "# Release 1.0.0\n\n## Bug Fixes\n\n* Some words `code span` and [a link](http://a.b/c) that go on and on.\n"
    narrow = (
        "# Release 1.0.0\n\n## Bug Fixes\n\n-   Some words `code\n    span` and [a\n    link](https://a.b/c) that\n"
        "    go on and\n    on.\n"
    )
    assert ids(wide, "tensorflow_like.md") == ids(narrow, "tensorflow_like.md")
