"""reStructuredText is read by docutils, which can reach nothing and fail at nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("docutils")

from kb.changelogs import rst
from kb.changelogs.blocks import Heading, Listing, Paragraph, Sample
from kb.changelogs.entry import Span, plain
from kb.changelogs.projects import BUILT_IN
from kb.changelogs.reading import read
from tests.changelogs.test_markdown import ALLOWED_S

TITLE = "NumPy 1.0.0 Release Notes\n=========================\n\n"


def words(text: str) -> list[str]:
    return [plain(block.text) for block in rst.read(text).blocks if isinstance(block, Paragraph | Heading)]


def test_blocks() -> None:
    heading, paragraph, listing, sample = rst.read(
        "A ``b``\n=======\n\ntext *c*\n\n- one\n\n  - two\n\n::\n\n    code\n"
    ).blocks
    assert heading == Heading((Span("A "), Span("b", code=True)), 1, 1, "a-b", "A b")
    assert paragraph == Paragraph((Span("text "), Span("c", em=True)), 4)
    assert isinstance(listing, Listing)
    assert isinstance(listing.items[0][1], Listing)
    assert sample == Sample("code", 12)


def test_a_role_is_a_name_or_words() -> None:
    (block,) = rst.read(":func:`~a.b` `c` :ref:`words <t>` :nobody:`d`").blocks
    assert isinstance(block, Paragraph)
    assert [span.text for span in block.text if span.code] == ["a.b", "c", "d"]
    assert plain(block.text) == "a.b c words d"


def test_links_by_name_and_in_place() -> None:
    (block,) = rst.read("`x <http://a>`__ and y_\n\n.. _y: http://b\n").blocks
    assert isinstance(block, Paragraph)
    assert [(span.text, span.url) for span in block.text if span.url] == [("x", "http://a"), ("y", "http://b")]


def test_an_unknown_directive_gives_its_content_and_one_that_reaches_out_gives_nothing() -> None:
    text = (
        ".. versionadded:: 1\n\n   kept\n\n.. include:: /etc/hostname\n\n.. raw:: html\n\n   <script>x</script>\n\nend"
    )
    assert words(text) == ["kept", "end"]


def test_a_substitution_is_not_made() -> None:
    text = ".. |a| replace:: |b| |b|\n.. |b| replace:: |a| |a|\n\n|a| text\n"
    assert words(text) == ["a text"]


@given(st.text(alphabet="=-*`_|:.[]#<>+ \n\ta1", max_size=300))
def test_no_text_fails(text: str) -> None:
    read(TITLE + text, BUILT_IN["numpy"])


HOSTILE = {
    "stars": TITLE + ("*a " * 900 + "\n\n") * 3_000,
    "ticks": TITLE + ("`a " * 900 + "\n\n") * 3_000,
    "bullets": TITLE + "- a\n" * 2_500_000,
    "lists in each other": TITLE + "".join("  " * depth + "- a\n\n" for depth in range(3_000)),
    "directives": TITLE + ".. foo::\n\n   a\n\n" * 600_000,
    "substitutions": TITLE + ".. |a| replace:: |a| |a|\n" * 10_000 + "|a| " * 100_000,
    "lines of 25,000": TITLE + ("word ``x`` `l <u>`__ " * 1_190 + "\n\n") * 400,
}


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_file_ends_in_time(text: str) -> None:
    start = time.process_time()
    read(text, BUILT_IN["numpy"])
    assert time.process_time() - start < ALLOWED_S
