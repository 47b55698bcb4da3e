"""The text of an entry as plain text, in one line or by statement: what words are looked for in, and what is shown."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote

from kb.changelogs.entry import Entry, Inline, Item, Span, plain
from kb.changelogs.links import allowed
from kb.outside_text import one_line

#: Characters of an entry's text that a report shows; the source has the rest.
MAX_SHOWN = 600

#: What stands above a code sample and says nothing without it.
_LABEL_OF_SAMPLE = re.compile(
    r"(?:(?:in|version|before|after)\s+)*v?\d+(?:\.\d+)*:?|(?:before|after|output|example):?", re.I
)


def said(entry: Entry) -> Inline:
    """What an entry says, its items behind it, in one run of spans; its heading where it says nothing itself."""
    spans: list[Span] = []
    for text in statements(entry):
        if (words := plain(text)) and not _LABEL_OF_SAMPLE.fullmatch(words):
            spans += [Span(" – "), *text] if spans else text
    return tuple(spans) or (Span(entry.heading),)


def title(entry: Entry) -> str:
    """What an entry says, in one line that is not too long."""
    return one_line(plain(said(entry)), MAX_SHOWN)


def shortened(text: Inline, limit: int = MAX_SHOWN) -> Inline:
    """The beginning of a text, its spans in one line each."""
    kept: list[Span] = []
    left = limit
    for span in text:
        line = _same_edges(span.text, one_line(span.text, left))
        kept.append(replace(span, text=line))
        left -= len(line)
        if left <= 1:
            break
    return tuple(kept)


def linkable(url: str) -> str:
    """The address as it can stand in a link of any format, also between Markdown's parentheses, or nothing."""
    return quote(allowed(url), safe="%/:?#@!$&*+,;=~-._")


def statements(entry: Entry) -> Iterator[Inline]:
    """The texts of an entry and of the items below it, from top to bottom. Code samples state nothing."""
    yield entry.text
    yield from _texts(entry.items)


def _texts(items: Iterable[Item]) -> Iterator[Inline]:
    for item in items:
        if not item.sample:
            yield item.text
        yield from _texts(item.items)


def listed(words: Iterable[object], last: str = "and") -> str:
    """``a, b and c``."""
    *others, final = map(str, words)
    return f"{', '.join(others)} {last} {final}" if others else final


def _same_edges(text: str, line: str) -> str:
    """Keep one space where the text begins or ends with white space: a span is a part of a sentence."""
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() else ""
    return f"{before}{line}{after}" if line else before or after
