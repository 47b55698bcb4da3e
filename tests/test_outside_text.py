"""Somebody else's text on a page or in a terminal: nothing hides, nothing breaks the line, no link leads astray."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.outside_text import MAX_URL, one_line, safe_url, visible


@given(st.text())
def test_all_that_stays_prints_and_stands_in_one_line(text: str) -> None:
    line = one_line(text)
    assert not line or line.isprintable() or {unicodedata.category(c) for c in line if not c.isprintable()} == {"Zs"}
    assert len(visible(text)) == len(text)


def test_what_hides_or_reorders_becomes_a_space() -> None:
    assert one_line("a\u202eb\u200bc\x1b[31md\n e") == "a b c [31md e"


def test_a_long_line_is_cut_with_a_mark() -> None:
    assert one_line("one two three", 9) == "one two …"
    assert one_line("one two", 7) == "one two"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.b/c", True),
        ("http://a.b", True),
        ("mailto:a@b.c", True),
        ("mailto:nobody", False),
        ("https:evil", False),
        ("//a.b/c", False),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("https://a.b/c d", False),
        ("http://[", False),
        ("https://a.b/" + "c" * MAX_URL, False),
        ("", False),
    ],
)
def test_which_links_may_be_shown(url: str, safe: bool) -> None:
    assert safe_url(url) is safe
