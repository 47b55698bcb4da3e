"""An entry's text, items and references as compact JSON for one cell, and back without trusting who edited it."""

import json
import re
from collections.abc import Iterable
from typing import Any

from kb.changelogs.entry import Category, Inline, Item, Reference, Span
from kb.changelogs.inline import MAX_DEPTH
from kb.outside_text import safe_url

#: Longest JSON of a cell, in characters: what Python's csv module reads, with some room.
MAX_JSON = 120_000

#: Letter of each look of a span.
_LOOKS = {"c": "code", "s": "strong", "e": "em"}
_KEYS = frozenset({"text", "sample", "category", "items"})
#: What JSON allows in a string and the files do not: further controls, lone surrogates, line separators.
_TO_ESCAPE = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class BadJson(ValueError):
    """A cell that holds something else than was written. The message says what was expected."""


def dump_text(text: Inline) -> str:
    """A span is its text where it has no look and no link; else `[text, looks]` or `[text, looks, url]`."""
    return _dump([_span(span) for span in text])


def dump_items(items: tuple[Item, ...]) -> str:
    """An item is an object: `text` (or `sample`, a block of code), `category` and `items` where there are some."""
    return _dump(_items(items))


def dump_references(references: tuple[Reference, ...]) -> str:
    """A reference is `[label]` or `[label, url]`."""
    return _dump([[each.label, each.url] if each.url else [each.label] for each in references])


def dump_names(names: tuple[str, ...]) -> str:
    return _dump(list(names))


def load_text(json_text: str) -> Inline:
    """The text that `dump_text` wrote.

    Raises:
        BadJson: it did not write this, or a link is neither http, https nor mailto.
    """
    return _load_inline(_list(_parse(json_text)))


def load_items(json_text: str) -> tuple[Item, ...]:
    """The items that `dump_items` wrote; raises as `load_text` does."""
    return _load_items(_parse(json_text), MAX_DEPTH + 1)


def load_references(json_text: str) -> tuple[Reference, ...]:
    """The references that `dump_references` wrote; raises as `load_text` does."""
    return tuple(_load_reference(value) for value in _list(_parse(json_text)))


def load_names(json_text: str) -> tuple[str, ...]:
    """The names that `dump_names` wrote; raises as `load_text` does."""
    return tuple(_string(value) for value in _list(_parse(json_text)))


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _span(span: Span) -> object:
    looks = "".join(letter for letter, look in _LOOKS.items() if getattr(span, look))
    if span.url:
        return [span.text, looks, span.url]
    return [span.text, looks] if looks else span.text


def _items(items: Iterable[Item]) -> list[dict[str, Any]]:
    return [_item(item) for item in items]


def _item(item: Item) -> dict[str, Any]:
    text = (
        {"sample": "".join(span.text for span in item.text)}
        if item.sample
        else {"text": [_span(span) for span in item.text]}
    )
    category = {"category": item.category.value} if item.category else {}
    below = {"items": _items(item.items)} if item.items else {}
    return {**text, **category, **below}


def _parse(text: str) -> object:
    if len(text) > MAX_JSON:
        raise BadJson(f"expected at most {MAX_JSON} characters of JSON")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadJson(f"expected JSON ({error})") from None


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise BadJson("expected a JSON list")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise BadJson("expected a string in the JSON")
    return value


def _url(value: object) -> str:
    url = _string(value)
    if not safe_url(url):
        raise BadJson("expected an http, https or mailto link in the JSON")
    return url


def _load_inline(values: list[object]) -> Inline:
    return tuple(_load_span(value) for value in values)


def _load_span(value: object) -> Span:
    if isinstance(value, str):
        return Span(value)
    parts = _list(value)
    if len(parts) not in (2, 3):
        raise BadJson("expected a span of two or three parts in the JSON")
    looks = _string(parts[1])
    if set(looks) - set(_LOOKS):
        raise BadJson(f"expected looks of {', '.join(_LOOKS)} in the JSON")
    url = _url(parts[2]) if len(parts) == 3 else ""
    return Span(_string(parts[0]), **{_LOOKS[letter]: True for letter in looks}, url=url)


def _load_items(value: object, depth: int) -> tuple[Item, ...]:
    if depth == 0:
        raise BadJson(f"expected at most {MAX_DEPTH} levels of items in the JSON")
    return tuple(_load_item(item, depth) for item in _list(value))


def _load_item(value: object, depth: int) -> Item:
    if not isinstance(value, dict) or set(value) - _KEYS or ("text" in value) == ("sample" in value):
        raise BadJson("expected items of `text` or `sample`, `category` and `items`, in the JSON")
    category = _category(value["category"]) if "category" in value else None
    below = _load_items(value["items"], depth - 1) if "items" in value else ()
    if "sample" in value:
        return Item((Span(_string(value["sample"]), code=True),), True, below, category)
    return Item(_load_inline(_list(value["text"])), False, below, category)


def _category(value: object) -> Category:
    try:
        return Category(_string(value))
    except ValueError:
        raise BadJson("expected a category in the JSON") from None


def _load_reference(value: object) -> Reference:
    parts = _list(value)
    if len(parts) not in (1, 2):
        raise BadJson("expected references of one or two parts in the JSON")
    return Reference(_string(parts[0]), _url(parts[1]) if len(parts) == 2 else "")
