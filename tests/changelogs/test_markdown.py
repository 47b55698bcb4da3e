"""Text from outside becomes words, code, and links that may be followed; never markup, and never slowly."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.changelogs import markdown
from kb.changelogs.blocks import Heading, Listing, Paragraph, Sample
from kb.changelogs.clean import MAX_LINE, MAX_LINES, clean
from kb.changelogs.entry import Entry, Inline, Span, plain
from kb.changelogs.projects import BUILT_IN
from kb.changelogs.reading import read
from tests.changelogs.samples import sections_of

MEGABYTES = 10_000_000
ALLOWED_S = 10.0  # what the issue allows; CPU seconds, which a busy machine does not stretch far


def spans(text: str) -> Inline:
    (block,) = markdown.read(text).blocks
    assert isinstance(block, Paragraph)
    return block.text


def texts_of(entry: Entry) -> list[Inline]:
    return [entry.text, *(item.text for item in entry.walk())]


def hostile() -> list[Entry]:
    return list(sections_of("hostile.md")["6.0.0"].entries)


def test_blocks_are_those_of_commonmark() -> None:
    document = markdown.read(
        "# A *b*\n\ntext\n\n- one\n  - two\n\n> quoted\n\n```py\ncode\n```\n\n| x | y |\n|---|---|\n| 1 | 2 |\n"
    )
    heading, paragraph, listing, quoted, sample, *rows = document.blocks
    assert heading == Heading((Span("A "), Span("b", em=True)), 1, 1, "a-b", "A *b*")
    assert paragraph == Paragraph((Span("text"),), 3)
    assert isinstance(listing, Listing)
    assert listing.items[0][1] == Listing(((Paragraph((Span("two"),), 6),),), 6)
    assert quoted == Paragraph((Span("quoted"),), 8)
    assert sample == Sample("code", 10)
    assert [plain(row.text) for row in rows if isinstance(row, Paragraph)] == ["x | y", "1 | 2"]


def test_looks_are_kept() -> None:
    assert spans("a `b` **c** *d* [e](http://f)") == (
        Span("a "),
        Span("b", code=True),
        Span(" "),
        Span("c", strong=True),
        Span(" "),
        Span("d", em=True),
        Span(" "),
        Span("e", url="http://f"),
    )


def test_the_name_of_a_role_is_no_word() -> None:
    assert spans("{func}`~a.b` {mod} `c` {ref}`words <target>` {x-issue}`#1`") == (
        Span("a.b", code=True),
        Span(" "),
        Span("c", code=True),
        Span(" words #1"),
    )


def test_headings_with_the_same_words_have_anchors_of_their_own() -> None:
    blocks = markdown.read("# A\n\n# A\n\n# A.b c\n").blocks
    assert [block.anchor for block in blocks if isinstance(block, Heading)] == ["a", "a-1", "ab-c"]


def test_a_heading_that_a_tool_has_escaped_is_one() -> None:
    (heading,) = markdown.read("\\## Bug Fixes\n").blocks
    assert isinstance(heading, Heading)
    assert (plain(heading.text), heading.level) == ("Bug Fixes", 2)


def test_no_html_is_left_and_what_scripts_and_frames_hold_is_no_text() -> None:
    assert plain(hostile()[0].text) == "Before bold and after"
    words = " ".join(plain(text) for entry in hostile() for text in texts_of(entry))
    for trace in ("alert", "x()", "inside", "drawn", "onload", "svg", "iframe", "pixel"):
        assert trace not in words


def test_links_lead_to_the_web_or_nowhere() -> None:
    urls = {span.text: span.url for span in hostile()[1].text if span.text.strip(" ,")}
    assert urls["fine"] == "https://example.com/a"
    assert [urls[name] for name in ("link", "data", "upper")] == ["", "", ""]


def test_templates_and_includes_are_words() -> None:
    assert (
        plain(hostile()[2].text)
        == '{{ 7*7 }} {% include "x" %} --8<-- "/etc/passwd" !!! note {: onclick=x } [TOC] [[wiki]]'
    )


def test_generics_stay() -> None:
    assert plain(hostile()[3].text) == "Vector<T> of Tensor<FP32> is Vector<T...> still"


def test_relative_links_lead_to_the_repository_at_the_tag() -> None:
    urls = {span.text: span.url for span in hostile()[-1].text if span.text.strip()}
    assert urls["file"] == "https://github.com/example/gadget/blob/v6.0.0/docs/a.md"
    assert (urls["up"], urls["host"], urls["encoded"]) == ("", "", "")


def test_what_cannot_be_seen_is_lost_and_lines_keep_their_numbers() -> None:
    assert clean("a\x00b\u202ec\u200bd\ufeff\r\ne\rf\u2028g").text == "abcd\ne\nf g"


def test_what_is_beyond_the_bounds_is_not_read_and_that_is_said() -> None:
    cleaned = clean("x" * (MAX_LINE + 1) + "\n" * (MAX_LINES + 1))
    assert len(cleaned.text.split("\n")[0]) == MAX_LINE
    assert len(cleaned.text.split("\n")) == MAX_LINES
    assert "lines" in cleaned.trouble
    assert read(f"{MEGABYTES * 'a'}", BUILT_IN["tensorflow"]).trouble


@given(st.text(alphabet="#*_`[]()<>!-+ \n\t|&;a1.:~{}\\\"'=", max_size=300))
def test_no_text_fails(text: str) -> None:
    for project in (BUILT_IN["tensorflow"], BUILT_IN["pytorch"]):
        for section in read(f"# Release 1.0.0\n\n{text}", project).sections:
            for entry in section.entries:
                assert entry.id
                urls = [span.url for text in texts_of(entry) for span in text if span.url]
                assert all(url.startswith(("http://", "https://", "mailto:")) for url in urls)


HEAD = "# Release 1.0.0\n\n"
HOSTILE = {
    "a line of stars": HEAD + "*" * 1_000_000,
    "stars, never closed": HEAD + ("*a " * 1_900 + "\n\n") * 1_700,
    "brackets in each other": HEAD + ("[" * 10_000 + "]" * 10_000 + "\n\n") * 450,
    "nearly too many brackets": HEAD + (("[" * 45 + "a" + "]" * 45) * 22 + "\n\n") * 4_500,
    "lines of 25,000": HEAD + ("word `x` [l](u) **b** " * 1_136 + "\n\n") * 400,
    "fences, never closed": "".join(f"# Release 1.{number}.0\n```\n" + "x = 1\n" * 10 for number in range(120_000)),
    "bullets": HEAD + "- a\n" * 2_500_000,
    "bullets in each other": HEAD + "".join("  " * min(depth, 2_000) + "- a\n" for depth in range(3_500)),
    "versions": "".join(f"# Release 1.{number}.0\n- a\n" for number in range(400_000)),
    "opened tags": HEAD + "<a " * 3_300_000,
    "comments, never closed": HEAD + "<!-- " * 2_000_000,
    "definitions": "".join(f"[a{number}]: http://x/{number}\n" for number in range(400_000)),
    "addresses": HEAD + "- https://a.b/c(d) #12 CVE-2031-11111 `f()`\n" * 220_000,
    "cells": HEAD + "|a|b|\n|-|-|\n" + "|a|b|\n" * 1_600_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_file_ends_in_time(text: str) -> None:
    start = time.process_time()
    read(text, BUILT_IN["tensorflow"])
    assert time.process_time() - start < ALLOWED_S
