"""Text from outside cannot become markup, hide, grow without bound, or choose a file's place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.site.text import MAX_SHOWN, clean, in_markdown, slug, slugs
from tests.site.sample import HOSTILE


def rendered(text: str) -> str:
    """A paragraph as the engine's Markdown renders it, with the extensions that mkdocs.yml switches on."""
    markdown = pytest.importorskip("markdown")
    html: str = markdown.markdown(str(in_markdown(text)), extensions=["attr_list", "tables", "admonition"])
    return html


@pytest.mark.parametrize(
    "text",
    [HOSTILE, "# heading", "- item", "1. item", "> quote", "    code", "a_b_c*d*", "!!! note", "&lt;", "[a]: b", "\\*"],
)
def test_hostile_text_renders_as_itself(text: str) -> None:
    import html

    shown = rendered(text)
    assert re.findall(r"<[^>]*>", shown) == ["<p>", "</p>"]
    assert html.unescape(shown[3:-4]) == " ".join(text.split())


@given(st.text(max_size=60))
def test_any_text_renders_without_a_tag_of_its_own(text: str) -> None:
    tags = set(re.findall(r"</?([a-z0-9]+)", rendered(text)))
    assert tags <= {"p"}


def test_what_does_not_print_becomes_a_space() -> None:
    assert clean("a\x00b\u202ec\u200bd\n\te") == "a b c d e"


def test_long_text_keeps_its_ends() -> None:
    short = clean("begin " + "x" * 10_000 + " end")
    assert len(short) == MAX_SHOWN
    assert short.startswith("begin ")
    assert short.endswith(" end")


@given(st.text())
def test_a_slug_is_a_safe_file_name(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_.-]*", slug(text))
    assert ".." not in slug(text).strip(".") or "/" not in slug(text)


def test_names_that_would_share_a_file_get_different_ones() -> None:
    made = slugs(["Model A", "model-a", "model a", "other"])
    assert len(set(made.values())) == 4
    assert made["other"] == "other"
    assert all(name.startswith("model-a-") for key, name in made.items() if key != "other")


@given(st.lists(st.text(), unique=True, max_size=8))
def test_slugs_are_always_different(names: list[str]) -> None:
    assert len(set(slugs(names).values())) == len(names)
