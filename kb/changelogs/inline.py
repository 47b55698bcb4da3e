"""The normal form of an entry's text, so that the same entry is the same file: clean, joined, bounded, safe to link."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from kb.changelogs.clean import UNSEEN
from kb.changelogs.entry import Entry, Inline, Item, Reference, Span
from kb.outside_text import safe_url

#: Most that is kept of an entry's own text, and of all that stands below it, in characters with links. The longest
#: real line that was found has 25,540; what is beyond is a click away. Written as JSON and escaped, the larger one is
#: at most twice as long, and Python's csv reads no cell beyond 131,072.
MAX_TEXT = 30_000
MAX_ITEMS = 50_000
#: Levels of nested items; real ones have five.
MAX_DEPTH = 10
#: Symbols, references and CVEs of one entry; a release names up to 114 CVEs in one.
MAX_NAMES = 300
MAX_NAME = 200  #: characters of one of them, of a component or a version
MAX_LINE = 400  #: characters of a heading, or of a sentence about a whole section
CUT = "…"

#: What a span costs beside its text and link.
_OVERHEAD = 12
_SPACE = re.compile(r"\s+")


def tidy(entry: Entry) -> Entry:
    """The entry as it is kept."""
    return replace(
        entry,
        heading=short_line(entry.heading, MAX_LINE),
        component=short_line(entry.component),
        text=tidy_text(entry.text, MAX_TEXT),
        items=_tidy_items(entry.items, MAX_ITEMS, 1)[0],
        symbols=short_lines(entry.symbols),
        references=tuple(_references(entry.references)),
        cves=short_lines(entry.cves),
        anchor=short_line(entry.anchor),
    )


def clean(text: str) -> str:
    """The text without what cannot be seen."""
    return text if text.isascii() and text.isprintable() else UNSEEN.sub("", text)


def tidy_text(text: Inline, limit: int) -> Inline:
    """White space as single blanks and none at the ends, neighbours of one look joined, unsafe links taken off."""
    spans = _joined(_safe(text))
    spans = _joined(_single_blanks(spans))
    return tuple(_cut(spans, limit))


def _safe(text: Inline) -> Iterator[Span]:
    for span in text:
        url = span.url if safe_url(span.url) else ""
        yield replace(span, text=clean(span.text), url=url)


def _single_blanks(spans: Iterable[Span]) -> Iterator[Span]:
    """A blank at the end of one span swallows the one at the beginning of the next; the last one's end is bare."""
    kept: list[Span] = []
    after_blank = True
    for span in spans:
        text = _SPACE.sub(" ", span.text)
        if after_blank:
            text = text.lstrip()
        if text:
            kept.append(replace(span, text=text))
            after_blank = text.endswith(" ")
    while kept and (bare := kept[-1].text.rstrip()) != kept[-1].text:
        last = kept.pop()
        if bare:
            kept.append(replace(last, text=bare))
    yield from kept


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    looks = groupby(spans, key=lambda span: replace(span, text=""))
    for look, group in looks:
        text = "".join(span.text for span in group)
        if text:
            yield replace(look, text=text)


def _cut(spans: Iterable[Span], limit: int) -> Iterator[Span]:
    left = limit
    for span in spans:
        room = left - len(span.url) - _OVERHEAD
        if len(span.text) > room:
            yield replace(span, text=span.text[: max(room - 1, 0)].rstrip() + CUT, url="")
            return
        yield span
        left = room - len(span.text)


def _cost(text: Inline) -> int:
    return sum(len(span.text) + len(span.url) + _OVERHEAD for span in text) + _OVERHEAD


def _tidy_items(items: Iterable[Item], limit: int, depth: int) -> tuple[tuple[Item, ...], int]:
    """The items that the limit has room for, and what it has left; where some are left out, a last one says so."""
    kept: list[Item] = []
    left = limit
    for item in items:
        if left <= _OVERHEAD or depth > MAX_DEPTH:
            return (*kept, Item((Span(CUT),))), left - _OVERHEAD
        text = _sample(item.text, left) if item.sample else tidy_text(item.text, left)
        left -= _cost(text)
        below, left = _tidy_items(item.items, left, depth + 1)
        if text or below:
            kept.append(replace(item, text=text, sample=item.sample and bool(text), items=below))
    return tuple(kept), left


def _sample(text: Inline, limit: int) -> Inline:
    """A block of code: its line breaks and blanks are meant."""
    lines = "".join(span.text for span in text).replace("\r\n", "\n").replace("\r", "\n")
    whole = clean(lines).strip("\n")
    room = limit - _OVERHEAD
    return (Span(whole if len(whole) <= room else whole[: max(room - 1, 0)] + CUT, code=True),) if whole else ()


def _references(references: Iterable[Reference]) -> Iterator[Reference]:
    unlike = dict.fromkeys(
        Reference(short_line(each.label), each.url if safe_url(each.url) else "")
        for each in references
        if short_line(each.label)
    )
    yield from list(unlike)[:MAX_NAMES]


def short_lines(names: Iterable[str], limit: int = MAX_NAME) -> tuple[str, ...]:
    """Each name once, as `short_line` gives it, and none that is empty."""
    return tuple(dict.fromkeys(short for name in names if (short := short_line(name, limit))))[:MAX_NAMES]


def short_line(text: str, limit: int = MAX_NAME) -> str:
    """The text as one clean line of at most `limit` characters."""
    text = _SPACE.sub(" ", clean(text)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + CUT
