"""reStructuredText as blocks: docutils' parser, with all off that reaches out of the text, and nothing that fails.

Only the parser runs, none of the transforms that come after it: so no substitution grows and nothing is looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from docutils import frontend, nodes, utils
from docutils.parsers.rst import Parser, states

from kb.changelogs.blocks import Block, Document, Heading, Listing, Paragraph, Sample
from kb.changelogs.clean import MAX_LINE
from kb.changelogs.entry import Inline, Span, plain

#: Characters that are read: docutils reads some 500,000 in a second. The longest notes that were found have 65,560.
MAX_TEXT = 300_000

#: Lines that are read. The longest notes that were found have 1,500.
MAX_LINES = 10_000

#: Signs that begin and end a look, in one paragraph and in a text; what has more loses them, as docutils looks for the
#: end of each up to the end of the paragraph. The most that were found are 382 and 3,946.
MAX_SIGNS = 1_000
MAX_ALL_SIGNS = 15_000

#: Blanks at the begin of a line; docutils goes one call deeper for each step inwards, and Python's stack has an end.
MAX_INDENT = 100

#: Directives that docutils does not know inside one another, and in a text; what is beyond is dropped.
MAX_DEPTH = 3
MAX_UNKNOWN = 500

_SIGNS = "*`|_"
_WITHOUT_SIGNS = str.maketrans(_SIGNS, " " * len(_SIGNS))

#: Roles whose content is words; that of all others is the name of something.
_WORDS = frozenset({"ref", "doc", "term", "abbr", "math", "any", "download", "guilabel", "user", "title"})
_LOOKS = {"emphasis": nodes.emphasis, "strong": nodes.strong}

#: Hold no words of the text, or words that are not to be seen.
_SILENT = (nodes.comment, nodes.substitution_definition, nodes.target, nodes.pending, nodes.raw, nodes.image)

#: Directives that docutils leaves out because they would reach out of the text.
_REACHING = frozenset({"include", "raw", "csv-table", "literalinclude", "image", "figure"})

_SETTINGS: dict[str, object] = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 6,  # one above the worst: nothing halts
    "warning_stream": False,
    "line_length_limit": MAX_LINE,
    "syntax_highlight": "none",
}


def read(text: str) -> Document:
    """The blocks of a cleaned text."""
    return Document(tuple(_Walk(_parsed(_bounded(text))).top()))


def _bounded(text: str) -> str:
    """The text without what docutils takes more than its share of time for."""
    lines = text[:MAX_TEXT].split("\n")[:MAX_LINES]
    kept: list[str] = []
    paired = 0
    for _, group in groupby(lines, key=lambda line: not line.strip()):
        paragraph = [_indented(line) for line in group]
        signs = sum(line.count(sign) for line in paragraph for sign in _SIGNS)
        if signs > MAX_SIGNS or signs + paired > MAX_ALL_SIGNS:
            paragraph = [line.translate(_WITHOUT_SIGNS) for line in paragraph]
        else:
            paired += signs
        kept += paragraph
    return "\n".join(kept)


def _indented(line: str) -> str:
    return line if line[:MAX_INDENT].strip() else line.lstrip()


def _parsed(text: str) -> nodes.document:
    settings = frontend.get_default_settings(Parser)
    for name, value in _SETTINGS.items():
        setattr(settings, name, value)
    document = utils.new_document("changelog", settings)
    inliner = states.Inliner()
    inliner.interpreted = _interpreted  # not in a class below it: docutils looks for its own in that very class
    Parser(inliner=inliner).parse(text, document)
    return document


def _interpreted(rawsource: str, text: str, role: str, lineno: int) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Takes every role, known to docutils or not, for what its content is: a name, or words."""
    words = utils.unescape(text)
    if words.endswith(">") and " <" in words:
        words = words.rpartition(" <")[0]
    name = role.rpartition(":")[2]
    make = _LOOKS.get(name) or (nodes.inline if name in _WORDS else nodes.literal)
    return [make(rawsource, words.lstrip("~!"))], []


@dataclass
class _Walk:
    """One pass over the tree of a text."""

    document: nodes.document
    depth: int = 0  #: of the directives that this text stands in
    unknown: int = 0  #: directives whose content was read
    targets: dict[str, str] = field(default_factory=dict)  #: addresses by the names that the text gives them

    def __post_init__(self) -> None:
        for target in self.document.findall(nodes.target):
            if target.get("refuri"):
                self.targets.update(dict.fromkeys(target["names"], target["refuri"]))

    def top(self) -> list[Block]:
        return self._children(self.document, 0)

    def _children(self, node: nodes.Element, level: int) -> list[Block]:
        return [block for child in node.children for block in self._block(child, level)]

    def _block(self, node: nodes.Node, level: int) -> Iterator[Block]:
        line = node.line or 1
        if isinstance(node, _SILENT):
            return
        if isinstance(node, nodes.section):
            yield self._heading(node, level + 1)
            yield from self._children(nodes.Element("", *node.children[1:]), level + 1)
        elif isinstance(node, nodes.bullet_list | nodes.enumerated_list):
            yield Listing(tuple(tuple(self._children(item, level)) for item in node.children), line)
        elif isinstance(node, nodes.literal_block | nodes.doctest_block):
            yield Sample(node.astext(), line)
        elif isinstance(node, nodes.row):
            yield from self._row(node, line)
        elif isinstance(node, nodes.system_message):
            yield from self._directive(node)
        elif isinstance(node, nodes.TextElement):
            words = self._inline(node)
            if plain(words):
                yield Paragraph(words, line)
        elif isinstance(node, nodes.Element):
            yield from self._children(node, level)

    def _heading(self, section: nodes.section, level: int) -> Heading:
        title = section.children[0]
        anchor = section["ids"][0] if section["ids"] else ""
        # docutils counts the line below the title, its underline.
        return Heading(self._inline(title), level, max((section.line or 2) - 1, 1), anchor, title.astext())

    def _row(self, row: nodes.row, line: int) -> Iterator[Block]:
        cells = [block.text for block in self._children(row, 0) if isinstance(block, Paragraph)]
        words: list[Span] = []
        for cell in cells:
            words += [Span(" | "), *cell] if words else cell
        if words:
            yield Paragraph(tuple(words), line)

    def _directive(self, message: nodes.system_message) -> Iterator[Block]:
        """The content of a directive that docutils does not know: it is given back as it stands in the text."""
        source = next((child.astext() for child in message.children if isinstance(child, nodes.literal_block)), "")
        first, _, rest = source.partition("\n")
        name = first.removeprefix(".. ").partition("::")[0].strip()
        if not first.startswith(".. ") or name in _REACHING or self.depth >= MAX_DEPTH:
            return
        self.unknown += 1
        if self.unknown > MAX_UNKNOWN:
            return
        lines = rest.split("\n")
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        content = [line[indent:] for line in lines]
        while content and (not content[0].strip() or content[0].startswith(":")):
            content.pop(0)
        yield from _Walk(_parsed("\n".join(content)), self.depth + 1, self.unknown, self.targets).top()

    def _inline(self, node: nodes.Node) -> Inline:
        return tuple(span for span in self._spans(node, Span("")) if span.text)

    def _spans(self, node: nodes.Node, look: Span) -> Iterator[Span]:
        """Runs of text below a node, each with the look that the nodes around it give."""
        for child in node.children:
            if isinstance(child, nodes.Text):
                yield Span(str(child).replace("\n", " "), look.code, look.strong, look.em, look.url)
            elif isinstance(child, _SILENT):
                continue
            else:
                yield from self._spans(child, self._looking(child, look))

    def _looking(self, node: nodes.Node, look: Span) -> Span:
        code = look.code or isinstance(node, nodes.literal)
        strong = look.strong or isinstance(node, nodes.strong)
        em = look.em or isinstance(node, nodes.emphasis)
        url = look.url
        if isinstance(node, nodes.reference):
            url = node.get("refuri") or self.targets.get(node.get("refname", ""), "")
        return Span("", code, strong, em, url)
