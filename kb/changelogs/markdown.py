"""Markdown as blocks: CommonMark's own rules, bounded so that no text can make them slow."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kb.changelogs import html
from kb.changelogs.blocks import Block, Document, Heading, Listing, Paragraph, Sample
from kb.changelogs.entry import Inline, Span, plain

#: Lists, quotes and their items inside each other. Five lists in each other, the deepest that was found, make ten.
MAX_NESTING = 40

#: Signs of one kind in a paragraph; a paragraph with more is read as plain words. Pairing them takes time that grows
#: with the square of their number. The most that was found is 421 links in a paragraph.
MAX_SIGNS = 2_000

#: Signs of all kinds in a text; what follows is read as plain words. The most that were found are 49,000.
MAX_ALL_SIGNS = 150_000

#: Brackets open at once in a paragraph; one with more is read as plain words.
MAX_BRACKETS = 50

#: How often reading begins anew at a version's heading that an unclosed block would have swallowed.
MAX_RESTARTS = 20

#: Characters of a paragraph whose spans are kept for the next text that has the same.
MAX_KEPT = 2_000

_SIGNS = "[]*_`<!&\\"
_ROLE = re.compile(r"\{([A-Za-z][A-Za-z0-9:+._-]{0,40})\} ?$")
_TITLED = re.compile(r"(?P<title>[^<>]*[^<>\s])\s*<[^<>]+>$")
_PLAIN_ROLES = frozenset({"ref", "doc", "term", "abbr", "math", "numref", "any", "download", "guilabel"})
_NUMBER_ROLES = re.compile(r"issue|pr\b|pull|bug|gh\b|commit|cve|pep|user")
_ESCAPED = re.compile(r"\\(?P<marks>#{1,6}) (?P<text>[^\n]{1,100})")  # a heading that a tool has escaped
_ATX = re.compile(r" {0,3}#{1,6}[ \t]+(?P<text>.*)")

#: Whether a heading, given by its words, begins a version.
IsVersion = Callable[[str], bool]


def _engine() -> MarkdownIt:
    engine = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    # Inline text is parsed by `_inline`, which first looks whether it may be.
    engine.disable(["inline", "text_join"])
    # Where a link may lead, `links` says, which knows the version; markdown-it's own look takes a fifth of all time.
    engine.validateLink = lambda url: True  # type: ignore[method-assign]
    engine.normalizeLink = lambda url: url  # type: ignore[method-assign]
    engine.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    return engine


_ENGINE = _engine()


def read(text: str, is_version: IsVersion = lambda words: False) -> Document:
    """The blocks of a cleaned text.

    A code block or comment that nothing closes ends where the next version begins, not at the end of the file.
    """
    lines = text.split("\n")
    blocks: list[Block] = []
    unclosed: list[int] = []
    start, anchors = 0, _Anchors()
    for restart in range(MAX_RESTARTS + 1):
        tokens, environment = _tokens(lines[start:])
        swallowed = _swallowed(tokens, lines[start:], is_version) if restart < MAX_RESTARTS else None
        if swallowed is not None:
            unclosed.append(start + swallowed.line)
            tokens, environment = _tokens(lines[start : start + swallowed.heading])
        blocks += _Walk(tokens, environment, lines[start:], start, anchors).blocks()
        if swallowed is None:
            break
        start += swallowed.heading
    return Document(tuple(blocks), tuple(unclosed))


def _tokens(lines: Sequence[str]) -> tuple[list[Token], dict[str, Any]]:
    environment: dict[str, Any] = {}
    return _ENGINE.parse("\n".join(lines), environment), environment


@dataclass(frozen=True)
class _Swallowed:
    line: int  #: of the block that nothing closed, from 1
    heading: int  #: index of the line of the first version inside it


def _swallowed(tokens: Sequence[Token], lines: Sequence[str], is_version: IsVersion) -> _Swallowed | None:
    """A block that reaches the end of the text because nothing closed it, with a version's heading in it."""
    last = next((token for token in reversed(tokens) if token.map), None)
    if last is None or last.type not in ("fence", "html_block") or last.map is None:
        return None
    begin, end = last.map
    if last.type == "fence" and end - begin > 1 and lines[end - 1].strip().startswith(last.markup):
        return None
    if last.type == "html_block" and not lines[begin].lstrip().lower().startswith(_RUNNING):
        return None
    for index in range(begin + 1, end):
        heading = _ATX.match(lines[index])
        if heading and is_version(heading.group("text").strip()):
            return _Swallowed(begin + 1, index)
    return None


#: What begins HTML that ends at its own mark, not at a blank line.
_RUNNING = ("<!--", "<script", "<style", "<pre", "<textarea", "<?", "<![cdata[")


@dataclass
class _Anchors:
    """The fragments that GitHub gives to headings, counted over the file."""

    seen: dict[str, int] = field(default_factory=dict)

    def next(self, words: str) -> str:
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        times = self.seen.get(slug, 0)
        self.seen[slug] = times + 1
        return f"{slug}-{times}" if times else slug


@dataclass
class _Walk:
    """One pass over the tokens of a text."""

    tokens: Sequence[Token]
    environment: dict[str, Any]
    lines: Sequence[str]
    offset: int  #: lines before these
    anchors: _Anchors
    position: int = 0
    signs: int = 0  #: that were paired

    def blocks(self, end: str = "") -> list[Block]:
        """The blocks up to the token of type `end`, which is passed over."""
        found: list[Block] = []
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            self.position += 1
            if token.type == end:
                break
            found += self._block(token)
        return found

    def _block(self, token: Token) -> list[Block]:
        line = self.offset + (token.map[0] if token.map else 0) + 1
        if token.type == "heading_open":
            return self._heading(token, line)
        if token.type == "inline":
            escaped = _ESCAPED.fullmatch(token.content)
            if escaped:
                words = self._inline(escaped["text"])
                return [Heading(words, len(escaped["marks"]), line, "", token.content)]
            words = self._inline(token.content)
            return [Paragraph(words, line)] if plain(words) else []
        if token.type in ("fence", "code_block"):
            return [Sample(token.content.rstrip("\n"), line)]
        if token.type == "html_block":
            return [_of_html(piece, line) for piece in html.pieces(token.content)]
        if token.type in ("bullet_list_open", "ordered_list_open"):
            return self._list(token.type.replace("open", "close"), line)
        if token.type == "tr_open":
            return self._row(line)
        return []  # what opens or closes a quote, a paragraph or a table adds nothing to its content

    def _heading(self, token: Token, line: int) -> list[Block]:
        content = self.tokens[self.position].content
        self.position += 2  # its inline token and its end
        words = self._inline(content)
        if token.markup == "-" and token.map and self.lines[token.map[1] - 1].strip() == "-":
            return [Paragraph(words, line)]  # CommonMark's heading is to its author a sentence and an empty bullet
        return [Heading(words, int(token.tag[1:]), line, self.anchors.next(plain(words)), " ".join(content.split()))]

    def _list(self, end: str, line: int) -> list[Block]:
        items = []
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            self.position += 1
            if token.type == end:
                break
            items.append(tuple(self.blocks("list_item_close")))
        return [Listing(tuple(items), line)]

    def _row(self, line: int) -> list[Block]:
        cells = [block.text for block in self.blocks("tr_close") if isinstance(block, Paragraph)]
        row: list[Span] = []
        for cell in cells:
            row += [Span(" | "), *cell] if row else cell
        return [Paragraph(tuple(row), line)] if row else []

    def _inline(self, content: str) -> Inline:
        signs = sum(map(content.count, _SIGNS))
        self.signs += signs
        if not signs or self.signs > MAX_ALL_SIGNS or not _bounded(content):
            return (Span(" ".join(content.split())),)
        if len(content) <= MAX_KEPT and not self.environment.get("references"):
            return _kept_spans(content)
        return _spans(content, self.environment)


def _spans(content: str, environment: dict[str, Any]) -> Inline:
    tokens: list[Token] = []
    _ENGINE.inline.parse(content, _ENGINE, environment, tokens)
    return _Spans().of(tokens)


@lru_cache(maxsize=8192)
def _kept_spans(content: str) -> Inline:
    """Patch releases of several lines repeat each other's entries, and a file repeats that of last month."""
    return _spans(content, {})


def _of_html(piece: html.Piece, line: int) -> Block:
    return Sample(piece.text, line) if piece.sample else Paragraph((Span(piece.text),), line)


def _bounded(content: str) -> bool:
    """Whether pairing the signs of a paragraph takes a reasonable time."""
    if any(content.count(sign) > MAX_SIGNS for sign in _SIGNS):
        return False
    if content.count("[") <= MAX_BRACKETS:
        return True
    depth = 0
    for sign in re.findall(r"[\[\]]", content):
        depth = depth + 1 if sign == "[" else max(depth - 1, 0)
        if depth > MAX_BRACKETS:
            return False
    return True


@dataclass
class _Spans:
    """From the tokens of a paragraph to runs of text, each with its look."""

    spans: list[Span] = field(default_factory=list)
    strong: int = 0
    em: int = 0
    url: str = ""
    hidden: str = ""  #: the tag whose content is being passed over

    def of(self, tokens: Sequence[Token]) -> Inline:
        for token in tokens:
            self._take(token)
        return tuple(span for span in self.spans if span.text)

    def _take(self, token: Token) -> None:
        if self.hidden and token.type != "html_inline":
            return
        if token.type in ("text", "text_special"):
            self._add(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            self._add(" ")
        elif token.type == "code_inline":
            self._code(token.content)
        elif token.type in ("strong_open", "strong_close"):
            self.strong += token.nesting
        elif token.type in ("em_open", "em_close"):
            self.em += token.nesting
        elif token.type == "link_open":
            self.url = str(token.attrs.get("href", ""))
        elif token.type == "link_close":
            self.url = ""
        elif token.type == "html_inline":
            self._tag(token.content)

    def _tag(self, tag: str) -> None:
        if self.hidden:
            closes = tag.startswith("</") and html.tag_name(tag) == self.hidden
            self.hidden = "" if closes else self.hidden
        elif html.hides(tag):
            self.hidden = html.tag_name(tag)
        else:
            self._add(html.words_of_tag(tag))

    def _code(self, content: str) -> None:
        role = self._role()
        if not role:
            self._add(content, code=True)
            return
        titled = _TITLED.match(content)
        words = (titled.group("title") if titled else content).lstrip("~!")
        name = role.rpartition(":")[2]
        self._add(words, code=name not in _PLAIN_ROLES and not _NUMBER_ROLES.search(name))

    def _role(self) -> str:
        """The MyST role before a code span, taken off the words that it stands at the end of."""
        if not self.spans or self.spans[-1].code:
            return ""
        last = self.spans[-1]
        found = _ROLE.search(last.text[-60:])
        if not found:
            return ""
        kept = last.text[: len(last.text) - len(found.group())]
        self.spans[-1] = Span(kept, False, last.strong, last.em, last.url)
        return found.group(1)

    def _add(self, words: str, code: bool = False) -> None:
        strong, em = self.strong > 0, self.em > 0
        last = self.spans[-1] if self.spans and not code else None
        same = last and not last.code and last.strong == strong and last.em == em and last.url == self.url
        if last and same:
            self.spans[-1] = Span(last.text + words, False, strong, em, self.url)
        else:
            self.spans.append(Span(words, code, strong, em, self.url))
