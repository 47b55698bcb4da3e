"""The words in HTML that people write between their Markdown; nothing of the HTML itself is kept."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Cannot run past the next tag, so that a text of nothing but `<` takes time in proportion to its length.
_TAG = re.compile(r"<[^<>]*>")
_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)(?=[\s/>]|$)")

#: What such a tag encloses is no text.
_HIDDEN = frozenset(
    {"script", "style", "iframe", "svg", "object", "template", "noscript", "textarea", "title", "select"}
)

#: Tags that part a paragraph from the next.
_PARTING = frozenset(
    {"p", "div", "table", "thead", "tbody", "tr", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "hr", "summary"}
    | {"details", "section", "center", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "caption", "figure"}
)

#: Tags that change the look of the words between them, or nothing at all.
_QUIET = frozenset(
    {"a", "b", "i", "u", "s", "em", "strong", "code", "kbd", "samp", "tt", "var", "sub", "sup", "small", "big", "del"}
    | {"ins", "mark", "span", "font", "br", "wbr", "td", "th", "img", "picture", "source", "video", "input", "label"}
    | {"button", "form", "embed", "link", "meta", "base", "body", "head", "html", "nobr", "abbr", "cite", "q", "audio"}
)
_KNOWN = _HIDDEN | _PARTING | _QUIET
_SPACED = frozenset({"br", "td", "th"})  #: stand where a blank would


@dataclass(frozen=True)
class Piece:
    """A paragraph's words, or a sample of code from a `<pre>`."""

    text: str
    sample: bool = False


def tag_name(tag: str) -> str:
    """Name of an HTML tag, in lower case; empty for all that only looks like one: `<T>`, `<INSERT HERE>`."""
    found = _NAME.match(tag)
    name = found.group(1).lower() if found else ""
    return name if name in _KNOWN else ""


def hides(tag: str) -> bool:
    """Whether what follows an opening tag is no text until it is closed."""
    return tag_name(tag) in _HIDDEN and not tag.startswith("</")


def words_of_tag(tag: str) -> str:
    """What stands for a tag in the middle of a line: nothing, a blank, or itself where it is none."""
    if tag.startswith(("<!", "<?")):
        return ""
    name = tag_name(tag)
    if not name:
        return tag
    return " " if name in _SPACED else ""


def without_comments(text: str) -> str:
    """A comment that nothing closes runs to the end."""
    kept, start = [], 0
    while (begin := text.find("<!--", start)) >= 0:
        kept.append(text[start:begin])
        end = text.find("-->", begin)
        if end < 0:
            return "".join(kept)
        start = end + 3
    return "".join([*kept, text[start:]])


def pieces(text: str) -> Iterator[Piece]:
    """The paragraphs and samples of a block of HTML."""
    text = without_comments(text)
    hidden, sample, words = "", False, ""
    position = 0
    for tag in _TAG.finditer(text):
        words += "" if hidden else text[position : tag.start()]
        position = tag.end()
        name, closing = tag_name(tag.group()), tag.group().startswith("</")
        if hidden:
            hidden = "" if closing and name == hidden else hidden
        elif name in _HIDDEN:
            hidden = "" if closing else name
        elif name in _PARTING:
            yield from _piece(words, sample)
            words, sample = "", name == "pre" and not closing
        else:
            words += words_of_tag(tag.group())
    yield from _piece(words if hidden else words + text[position:], sample)


def _piece(words: str, sample: bool) -> Iterator[Piece]:
    words = html.unescape(words).strip("\n")
    if words.strip():
        yield Piece(words if sample else " ".join(words.split()), sample)
