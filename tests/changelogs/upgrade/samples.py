"""Small changelogs, written for these tests: no sentence of anyone's release notes is in them."""

from collections.abc import Sequence
from typing import Any

from kb.changelogs.entry import Category, Entry, Inline, Item, Reference, Section, Span, Stage


def inline(text: str) -> Inline:
    """Spans of a text whose code stands in backticks."""
    parts = text.split("`")
    return tuple(Span(part, code=index % 2 == 1) for index, part in enumerate(parts) if part)


def entry(text: str, category: Category = Category.BREAKING, **more: Any) -> Entry:
    """An entry under a heading of its own category, whose symbols are its code spans."""
    symbols = more.pop("symbols", tuple(span.text for span in inline(text) if span.code))
    numbers: Sequence[str] = more.pop("numbers", ())
    references = tuple(Reference(f"#{number}", f"https://example.org/pull/{number}") for number in numbers)
    return Entry(
        category=category,
        heading=more.pop("heading", category.value),
        heading_category=more.pop("heading_category", category),
        component=more.pop("component", ""),
        text=inline(text),
        items=tuple(Item(inline(item)) for item in more.pop("items", ())),
        symbols=symbols,
        references=references,
        **more,
    )


def section(
    version: str, *entries: Entry, package: str = "torch", stage: Stage = Stage.RELEASED, **more: Any
) -> Section:
    return Section(package, version, f"# {version}", 1, stage=stage, entries=entries, **more)
