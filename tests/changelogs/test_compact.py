"""JSON in a cell is read as strictly as the cell itself: it may have been edited by hand."""

import pytest

from kb.changelogs.compact import (
    MAX_JSON,
    BadJson,
    dump_items,
    dump_names,
    dump_references,
    dump_text,
    load_items,
    load_names,
    load_references,
    load_text,
)
from kb.changelogs.entry import Category, Item, Reference, Span
from kb.changelogs.inline import MAX_DEPTH


def test_plain_text_is_a_plain_string() -> None:
    text = (Span("see "), Span("f", code=True), Span("guide", strong=True, em=True, url="https://example.org/g"))
    assert dump_text(text) == '["see ",["f","c"],["guide","se","https://example.org/g"]]'
    assert load_text(dump_text(text)) == text


def test_items_say_what_they_are() -> None:
    sample = Item((Span("x = 1\ny = 2", code=True),), sample=True)
    items = (Item((Span("a"),), items=(sample,), category=Category.BREAKING),)
    assert dump_items(items) == '[{"text":["a"],"category":"breaking","items":[{"sample":"x = 1\\ny = 2"}]}]'
    assert load_items(dump_items(items)) == items


def test_references_and_names() -> None:
    references = (Reference("#1", "https://example.org/1"), Reference("#2", ""))
    assert load_references(dump_references(references)) == references
    assert load_names(dump_names(("a.b", "装"))) == ("a.b", "装")


def test_the_json_is_one_line_that_the_files_allow() -> None:
    text = (Span("a\u2028b\x85c\x7fd", code=True),)
    assert dump_text(text).isprintable()
    assert load_text(dump_text(text)) == text


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\\nscript:alert(1)",
            "data:text/html;base64,eA==",
            "vbscript:x",
        ),
        *(
            "//example.org",
            "/etc/passwd",
            "page.html",
            "",
            "https:",
            "https://",
            "http://[",
            "ftp://example.org",
            "mailto:",
        ),
        *("https://example.org/a b", "https://example.org/" + "a" * 3_000, "https://example.org/\\u202e"),
    ],
)
def test_no_other_link_than_http_https_and_mailto_comes_in(url: str) -> None:
    with pytest.raises(BadJson, match="http, https or mailto"):
        load_text(f'[["click","","{url}"]]')
    with pytest.raises(BadJson, match="http, https or mailto"):
        load_references(f'[["#1","{url}"]]')


@pytest.mark.parametrize("url", ["http://example.org", "https://例え.jp/x?a=1#b", "mailto:someone@example.org"])
def test_these_links_do(url: str) -> None:
    assert load_text(f'[["click","","{url}"]]') == (Span("click", url=url),)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "3", '["a"', "[1]", '[["a"]]', '[["a","x"]]', '[["a",1]]', '[["a","c","https://e.org",1]]', "[null]"],
)
def test_a_text_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(BadJson, match="expected"):
        load_text(text)


@pytest.mark.parametrize(
    "items",
    [
        "{}",
        "[1]",
        "[{}]",
        '[{"text":"a"}]',
        '[{"text":[],"sample":""}]',
        '[{"html":"<b>"}]',
        '[{"sample":[1]}]',
        '[{"text":[],"category":"nice"}]',
    ],
)
def test_items_of_another_shape_are_refused(items: str) -> None:
    with pytest.raises(BadJson, match="expected"):
        load_items(items)


@pytest.mark.parametrize("names", ["[1]", '"a"', '{"a":1}'])
def test_names_of_another_shape_are_refused(names: str) -> None:
    with pytest.raises(BadJson, match="expected"):
        load_names(names)


def test_depth_and_length_are_bounded() -> None:
    deep = '[{"text":[],"items":' * (MAX_DEPTH + 2) + "[]" + "}]" * (MAX_DEPTH + 2)
    with pytest.raises(BadJson, match="levels"):
        load_items(deep)
    with pytest.raises(BadJson, match="JSON"):
        load_items("[" * 100_000)
    with pytest.raises(BadJson, match="at most"):
        load_text(" " * (MAX_JSON + 1))
