"""An entry stays the same entry while only its layout changes."""

import pytest

from kb.changelogs.entry import Category, Entry, Span
from kb.changelogs.identity import DIGITS, identified, identity


def entry(*text: Span | str, category: Category = Category.CHANGE) -> Entry:
    spans = tuple(Span(part) if isinstance(part, str) else part for part in text)
    return Entry(category, heading="Changes", heading_category=category, component="", text=spans)


class TestIdentity:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("the loader reads tars", "the loader\n    reads   tars"),
            ("the loader reads tars", "- the loader reads tars"),
            ("the loader reads `tars`", "the loader reads tars"),
            ("the loader **must** read", "the loader must read"),
            ("装载器读取文件", "装载器\n读取文件"),
            ("the loader\u200b reads", "the loader reads"),
            ("cafe\u0301", "café"),
        ],
    )
    def test_layout_does_not_count(self, before: str, after: str) -> None:
        assert identity(before) == identity(after)

    @pytest.mark.parametrize(
        ("before", "after"),
        [("reads Tar", "reads tar"), ("reads tar.", "reads tar"), ("load_x", "loadx"), ("float16", "float32")],
    )
    def test_words_case_and_punctuation_count(self, before: str, after: str) -> None:
        assert identity(before) != identity(after)

    def test_it_is_short_and_hexadecimal(self) -> None:
        assert len(identity("")) == DIGITS
        assert int(identity("anything"), 16) >= 0

    def test_a_lone_surrogate_has_one_too(self) -> None:
        assert identity("\ud83d") != identity("")


class TestEntry:
    def test_looks_and_link_targets_do_not_count(self) -> None:
        plain = entry("see ", "the guide")
        linked = entry("see ", Span("the guide", strong=True, url="https://example.org/new"))
        assert plain.id == linked.id

    def test_equal_texts_of_one_category_are_numbered(self) -> None:
        same = entry("Fixes a leak.")
        other = entry("Fixes a leak.", category=Category.BUGFIX)
        ids = [name for name, _ in identified([same, other, same, same])]
        assert ids == [same.id, same.id, f"{same.id}-2", f"{same.id}-3"]
