"""What both readers make of a text: blocks without any mark of the language that it was written in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.changelogs.entry import Inline, Span


@dataclass(frozen=True)
class Heading:
    text: Inline
    level: int  #: from 1
    line: int  #: from 1, as everywhere
    anchor: str = ""  #: the fragment that the host gives it
    source: str = ""  #: as written, without the marks of a heading


@dataclass(frozen=True)
class Paragraph:
    text: Inline
    line: int


@dataclass(frozen=True)
class Sample:
    """A block of code."""

    text: str
    line: int


@dataclass(frozen=True)
class Listing:
    """A list of either kind, each item a sequence of blocks."""

    items: tuple[tuple["Block", ...], ...]
    line: int


Block = Heading | Paragraph | Sample | Listing


@dataclass(frozen=True)
class Document:
    """A whole text."""

    blocks: tuple[Block, ...]
    unclosed: tuple[int, ...] = ()  #: lines of code blocks that nothing closed before the next version began


def first_text(blocks: Sequence[Block]) -> Inline:
    """The first paragraph of an item, which says what the rest of it is about."""
    return blocks[0].text if blocks and isinstance(blocks[0], Heading | Paragraph) else ()


def weight(block: Block) -> int:
    """Characters of text in a block and below it: the unit that coverage is counted in."""
    if isinstance(block, Sample):
        return len(block.text)
    if isinstance(block, Listing):
        return sum(weight(inner) for item in block.items for inner in item)
    return sum(len(span.text) for span in block.text)


def paragraphs(blocks: Sequence[Block]) -> Iterator[Paragraph]:
    """All paragraphs, in order, those of lists included."""
    for block in blocks:
        if isinstance(block, Paragraph):
            yield block
        elif isinstance(block, Listing):
            for item in block.items:
                yield from paragraphs(item)


def text_of(words: str) -> Inline:
    return (Span(words),) if words else ()
