"""What is kept of somebody else's text: clean, joined, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.changelogs.compact import MAX_JSON, dump_items, dump_text, load_items, load_text
from kb.changelogs.entry import Category, Entry, Item, Reference, Span
from kb.changelogs.inline import CUT, MAX_DEPTH, MAX_ITEMS, MAX_TEXT, tidy, tidy_text

spans = st.builds(
    Span,
    st.text(st.characters(), max_size=20) | st.sampled_from(["a  b", " ", "\n", "x\u202ey"]),
    code=st.booleans(),
    strong=st.booleans(),
    url=st.sampled_from(["", "https://example.org/x", "javascript:alert(1)"]),
)
texts = st.lists(spans, max_size=6).map(tuple)
items = st.recursive(
    st.builds(Item, texts, st.booleans()),
    lambda inner: st.builds(Item, texts, st.booleans(), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=8,
)


def entry(text: tuple[Span, ...] = (), below: tuple[Item, ...] = (), references: tuple[Reference, ...] = ()) -> Entry:
    return Entry(Category.CHANGE, "", Category.CHANGE, "", text, items=below, references=references)


def nested(depth: int) -> Item:
    item = Item((Span("deepest"),))
    for level in range(depth - 1):
        item = Item((Span(f"level {level}"),), items=(item,))
    return item


def plain(*texts: str) -> list[str]:
    return [span.text for span in tidy_text(tuple(map(Span, texts)), MAX_TEXT)]


class TestText:
    def test_white_space_is_single_blanks_and_none_at_the_ends(self) -> None:
        assert plain("  reads\n   tars ") == ["reads tars"]

    def test_a_blank_between_two_looks_is_kept_once(self) -> None:
        text = (Span("reads "), Span(" tars", strong=True), Span("  "), Span(" now"))
        assert tidy_text(text, MAX_TEXT) == (Span("reads "), Span("tars", strong=True), Span(" now"))

    def test_neighbours_of_one_look_are_joined(self) -> None:
        assert plain("re", "ads ", "", "tars") == ["reads tars"]

    def test_what_cannot_be_seen_is_left_out(self) -> None:
        assert plain("read\u202es\u2066 \x1b[31mtars\u200b\ud800") == ["reads [31mtars"]

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "docs/guide.md", "//example.org", "#a"])
    def test_a_link_that_is_not_safe_is_taken_off_and_its_text_stays(self, url: str) -> None:
        assert tidy_text((Span("guide", url=url),), MAX_TEXT) == (Span("guide"),)

    def test_an_overlong_text_is_cut_and_says_so(self) -> None:
        (only,) = plain("word " * MAX_TEXT)
        assert len(only) <= MAX_TEXT
        assert only.endswith(CUT)

    @given(texts)
    def test_tidying_twice_changes_nothing(self, text: tuple[Span, ...]) -> None:
        once = tidy_text(text, MAX_TEXT)
        assert tidy_text(once, MAX_TEXT) == once


class TestEntry:
    def test_samples_keep_their_lines(self) -> None:
        kept = tidy(entry(below=(Item((Span("if x:\r\n    go()\n", code=True),), sample=True),)))
        assert kept.items == (Item((Span("if x:\n    go()", code=True),), sample=True),)

    def test_empty_items_are_left_out(self) -> None:
        assert tidy(entry(below=(Item(()), Item((Span(" "),))))).items == ()

    def test_too_deep_and_too_many_items_end_in_a_mark(self) -> None:
        deep = tidy(entry(below=(nested(MAX_DEPTH + 5),))).items
        for _ in range(MAX_DEPTH):
            (deepest,) = deep
            deep = deepest.items
        assert deep == (Item((Span(CUT),)),)
        many = tidy(entry(below=tuple(Item((Span(f"item {number}"),)) for number in range(MAX_ITEMS)))).items
        assert many[-1] == Item((Span(CUT),))
        assert len(many) < MAX_ITEMS / 10

    def test_the_largest_entry_fits_into_a_cell(self) -> None:
        worst = '"\\' * MAX_ITEMS
        kept = tidy(entry((Span(worst),), (Item((Span(worst),)), nested(MAX_DEPTH + 5))))
        assert load_text(dump_text(kept.text)) == kept.text
        assert load_items(dump_items(kept.items)) == kept.items
        assert len(dump_items(kept.items)) < MAX_JSON

    def test_references_come_once_and_only_with_safe_links(self) -> None:
        twice = Reference("#1", "https://example.org/1")
        kept = tidy(entry(references=(twice, twice, Reference("#2", "javascript:x"), Reference(" ", ""))))
        assert kept.references == (twice, Reference("#2", ""))

    @given(texts, st.lists(items, max_size=3).map(tuple))
    def test_comes_back_from_json_as_it_was_kept(self, text: tuple[Span, ...], below: tuple[Item, ...]) -> None:
        kept = tidy(entry(text, below))
        assert load_text(dump_text(kept.text)) == kept.text
        assert load_items(dump_items(kept.items)) == kept.items
