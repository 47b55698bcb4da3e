"""From the blocks of one version to its entries: which heading, bullet or paragraph is what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kb.changelogs import categories, contents, links, references
from kb.changelogs.blocks import Block, Heading, Listing, Paragraph, Sample, first_text
from kb.changelogs.coverage import Coverage
from kb.changelogs.entry import Category, Entry, Inline, Item, Section, Span, Stage, plain
from kb.changelogs.fillings import is_placeholder, says_nothing
from kb.changelogs.projects import Bullets, Project, Titles
from kb.changelogs.sections import Part
from kb.changelogs.symbols import symbols

MAX_LABEL = 5  # words of a paragraph or bullet that names what the list below it is about
SENTENCE = 5  # words from which on a heading reads like an entry

_SEPARATOR = " > "
_PREFIX = re.compile(r"\s*(?:\((?P<round>[^()]{1,40})\)|\[(?P<square>[^\[\]#!\d][^\[\]#!]{0,40})\])(?=\s)")
_MATURITY = re.compile(r"stable|beta|alpha|demo|preview|experimental|wip|rfc-?\d*|\d+|stable\W+.*", re.IGNORECASE)
_SECURITY = re.compile(r"\b(?:vulnerabilit(?:y|ies)|security (?:fix|fixes|patches|updates|issues))\b", re.IGNORECASE)
_LEAD_WORDS = re.compile(
    r"(?:add|fix|remov|updat|chang|support|us|mov|renam|deprecat|introduc|mak|improv|enabl|allow|set|drop|refactor)"
    r"(?:e|es|s|ed|d|ing|t|able|ment)*",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"\b(?:add|fix|remov|updat|chang|mov|renam|deprecat|introduc|improv|enabl|drop|delet)ed\b", re.IGNORECASE
)

#: Ends the notes of a release, after its entries.
_TAIL = re.compile(
    r"\W*(?:full change ?log|thanks?|contributions|see (?:also|the)|for (?:more|a full|the full))\b", re.IGNORECASE
)

#: A sentence that says what kind of release this is, and names no change.
_TELLS_ITS_KIND = re.compile(
    r"\W*(?:this (?:is|was) )?(?:an? |the )?(?:first |initial |patch |maintenance |bug-?\s?fix |minor |re-?)*release\b"
    r"(?! (?:fixes|adds|removes))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Open:
    """A heading whose content is being read."""

    level: int
    words: str
    category: Category | None
    component: bool  #: names a part of the package below a category


@dataclass(frozen=True)
class _Label:
    """A paragraph or a bullet in the place of a heading."""

    words: str = ""
    category: Category | None = None  #: None of one that names a component
    heading: bool = False  #: counts as a heading though it names no category


@dataclass
class _Draft:
    """An entry while blocks are still being put below it."""

    entry: Entry
    items: list[Item]


@dataclass
class _Title:
    """A heading that is an entry, and what has been found below it."""

    heading: Heading
    blocks: list[Block] = field(default_factory=list)
    closed: bool = False  #: by a paragraph of references: what follows is the next entry


def section_of(part: Part, project: Project) -> Section:
    """Read one version."""
    builder = _Builder(part, project)
    builder.run()
    stage = part.stage
    if builder.placeholders > len(builder.drafts):
        stage = Stage.UPCOMING
    return Section(
        package=part.package,
        version=part.version,
        heading=part.heading.source,
        line=part.heading.line,
        date=part.date,
        stage=stage,
        entries=builder.finished(),
        coverage=builder.coverage.share,
    )


class _Builder:
    """One pass over the blocks of a version."""

    def __init__(self, part: Part, project: Project) -> None:
        self.project = project
        self.blocks = part.blocks
        self.base = project.files_at(part.written)
        self.anchor = part.heading.anchor
        self.drafts: list[_Draft] = []
        self.coverage = Coverage()
        self.placeholders = 0
        self._stack: list[_Open] = []
        self._label = _Label()
        self._title: _Title | None = None
        self._dropping: int | None = None  # level of the heading below which nothing is a change
        self._security = False  # what stands before any heading is said to be security fixes
        self._entered = False  # an entry was found since the last heading
        headings = any(isinstance(block, Heading) for block in part.blocks)
        self._sums_up = headings and not project.preamble  # a list before the first heading repeats what follows
        self._prose = not headings and not any(isinstance(block, Listing) for block in part.blocks)

    def run(self) -> None:
        for index, block in enumerate(self.blocks):
            if isinstance(block, Heading):
                self._heading(index, block)
            elif self._dropping is not None:
                self.coverage.placed(block)
            elif self._title is not None and not (self._title.closed and isinstance(block, Listing)):
                self._below_title(block)
            elif isinstance(block, Listing):
                self._list(block)
            elif isinstance(block, Paragraph):
                self._paragraph(index, block)
            else:
                self._sample(block)
        self._end_title()

    def finished(self) -> tuple[Entry, ...]:
        """The entries; those before any heading are security fixes where a sentence says so."""
        return tuple(self._complete(draft) for draft in self.drafts)

    def _complete(self, draft: _Draft) -> Entry:
        """The entry with what its words name."""
        entry = replace(draft.entry, items=tuple(draft.items))
        if self._security and not entry.heading and entry.heading_category is Category.UNCATEGORIZED:
            entry = replace(entry, heading_category=Category.SECURITY, category=Category.SECURITY)
        texts = [entry.text, *(item.text for item in entry.walk() if not item.sample)]
        return replace(
            entry,
            symbols=symbols(texts, self.project.roots),
            references=references.references(texts, self.project.repository),
            cves=references.cves(texts),
        )

    # Headings

    def _heading(self, index: int, heading: Heading) -> None:
        self.coverage.placed(heading)
        words = plain(heading.text).rstrip(":： ")
        if self._dropping is not None and heading.level > self._dropping:
            return
        self._dropping = None
        if self._title is not None and heading.level > self._title.heading.level:
            self._title.blocks.append(heading)
            return
        self._end_title()
        self._label, self._entered = _Label(), False
        self._stack = [opened for opened in self._stack if opened.level < heading.level]
        if self.project.single:  # in a file that grows at the top, only the anchor of the version stays where it is
            self.anchor = heading.anchor or self.anchor
        inside = any(opened.category for opened in self._stack)
        if self.project.dropped_heading.fullmatch(words):
            self._dropping = heading.level
        elif inside and self._is_title(index, heading):
            self._title = _Title(heading)
        else:
            category = categories.of_heading(words, self.project.categories, whole=inside)
            if category and self.project.flat:
                self._stack = []
            self._stack.append(_Open(heading.level, words, category, inside and not category))
            self._prose = self._holds_prose(index)

    def _is_title(self, index: int, heading: Heading) -> bool:
        """Whether a heading below a category is an entry."""
        if self.project.titles is Titles.COMPONENTS or self._category() not in self.project.titled:
            return False
        if self.project.titles is Titles.ENTRIES:
            return True
        words = plain(heading.text)
        if references.references([heading.text], "") or len(words.split()) >= SENTENCE:
            return True
        following = self.blocks[index + 1] if index + 1 < len(self.blocks) else None
        return isinstance(following, Paragraph | Sample) and categories.of_heading(words) is None

    def _below_title(self, block: Block) -> None:
        title = self._title
        assert title is not None
        title.closed = isinstance(block, Paragraph) and references.only_references(block.text)
        title.blocks.append(block)
        self.coverage.placed(block)

    def _end_title(self) -> None:
        if self._title is not None:
            if not is_placeholder(plain(self._title.heading.text)):
                self._add(self._title.heading.text, self._title.blocks)
            self._title = None

    # Lists

    def _list(self, listing: Listing) -> None:
        self._end_title()
        self.coverage.placed(listing)
        if _is_contents(listing) or (self._sums_up and not self._stack and not self._label.category):
            return
        for item in listing.items:
            label = self._bullet_label(item)
            if label is None:
                self._item(item)
                continue
            outer, self._label = self._label, label
            for block in item[1:]:
                if isinstance(block, Listing):
                    for inner in block.items:
                        self._item(inner)
                elif self._entered:
                    self._append(block)
            self._label = replace(outer, heading=outer.heading)

    def _bullet_label(self, item: Sequence[Block]) -> _Label | None:
        """What a bullet is a heading of; None where it is a change."""
        if self.project.bullets is Bullets.ENTRIES or not item:
            return None
        words = plain(first_text(item)).rstrip(":： ").strip()
        category = categories.of_heading(words, self.project.categories)
        has_list = any(isinstance(block, Listing) for block in item[1:])
        if category and (has_list or len(item) == 1) and not any(span.code for span in first_text(item)):
            if has_list or self.project.bullets is Bullets.CATEGORIES or plain(first_text(item)).endswith(":"):
                return _Label(words, category)
            return None
        if self.project.bullets is Bullets.LABELS and has_list and _names_part(first_text(item)):
            return _Label(words, None, heading=True)
        return None

    def _item(self, item: Sequence[Block]) -> None:
        """A bullet that is a change, unless it holds none."""
        if not item:
            return
        text = first_text(item)
        if not text and isinstance(item[0], Listing):
            # A list that begins in the middle of a bullet, `* 1. ...`: its first item is what the bullet says.
            inner, *others = item[0].items
            rest = [*([Listing(tuple(others), item[0].line)] if others else []), *item[1:]]
            self._item([*inner, *rest])
            return
        if isinstance(item[0], Sample):
            text = (Span(item[0].text, code=True),)
        words = plain(text)
        if is_placeholder(words):
            self.placeholders += 1
        elif not says_nothing(words) and not _is_link_to_commits(text):
            self._add(text, item[1:])

    # Paragraphs and samples

    def _paragraph(self, index: int, paragraph: Paragraph) -> None:
        words = plain(paragraph.text)
        following = self.blocks[index + 1] if index + 1 < len(self.blocks) else None
        if is_placeholder(words):
            self.placeholders += 1
        elif isinstance(following, Listing) and self._takes_label(paragraph.text):
            pass
        elif not self._stack and _SECURITY.search(words):
            self._security = True
        elif self._entered and (_continues(words) or plain(self.drafts[-1].entry.text).endswith((":", "："))):
            self._append(paragraph)
        elif self._prose:
            if not says_nothing(words) and (self._stack or not _TELLS_ITS_KIND.match(words)):
                self._add(paragraph.text, ())
        elif self._entered and not _TAIL.match(words):
            self.coverage.unplaced(paragraph)
            return
        self.coverage.placed(paragraph)

    def _takes_label(self, text: Inline) -> bool:
        """Whether a paragraph before a list is a heading in all but its marks."""
        words = plain(text)
        marked = words.endswith((":", "：")) or all(span.strong for span in text if span.text.strip())
        name = words.rstrip(":： ")
        if not marked:
            return False
        category = categories.of_heading(name, self.project.categories)
        if category:
            self._label, self._entered = _Label(name, category), False
            return True
        if len(name.split()) <= MAX_LABEL and not _LEAD_WORDS.fullmatch(name.split()[0] if name else ""):
            self._label, self._entered = _Label(name), False
            return True
        return False

    def _holds_prose(self, index: int) -> bool:
        """Whether below the heading at `index` stand paragraphs and no list: then they are the changes."""
        if not any(opened.category for opened in self._stack):
            return False
        for block in self.blocks[index + 1 :]:
            if isinstance(block, Listing):
                return False
            if isinstance(block, Heading):
                return block.level <= self._stack[-1].level
        return True

    def _sample(self, sample: Sample) -> None:
        if self._entered:
            self._append(sample)
        self.coverage.placed(sample)

    def _append(self, block: Block) -> None:
        """Put a block that stands outside a list, though it belongs to it, below the last entry."""
        last = self.drafts[-1]
        last.items += self._items([block], last.entry.heading_category)

    # Entries

    def _category(self) -> Category:
        """Of the label, else of the innermost heading that has one."""
        found = [opened.category for opened in self._stack if opened.category]
        return self._label.category or (found[-1] if found else Category.UNCATEGORIZED)

    def _path(self) -> str:
        words = [opened.words for opened in self._stack if not opened.component]
        if self._label.category or self._label.heading:
            words.append(self._label.words)
        return _SEPARATOR.join(words)

    def _component(self, text: Inline, rest: Sequence[Block]) -> str:
        """Of the entry's own words, else of the headings and labels around it."""
        prefix = _PREFIX.match(plain(text[:1]) + " ") if text and not text[0].code else None
        if prefix:
            name = prefix.group("round") or prefix.group("square")
            if not _MATURITY.fullmatch(name):
                return name.strip()
        names = [opened.words for opened in self._stack if opened.component]
        if self._label.words and not self._label.category:
            names.append(re.sub(r" (?:changes|updates?)$", "", self._label.words))
        if any(isinstance(block, Listing) for block in rest) and _names_part(text):
            names.append(plain(text).rstrip(":： "))
        return _SEPARATOR.join(names)

    def _add(self, text: Inline, rest: Sequence[Block]) -> None:
        heading_category = self._category()
        text = self._linked(text)
        names = any(isinstance(block, Listing) for block in rest) and _names_part(text)
        self._entered = True
        entry = Entry(
            category=heading_category if names else contents.of_content(plain(text), heading_category),
            heading=self._path(),
            heading_category=heading_category,
            component=self._component(text, rest),
            text=text,
            anchor=self.anchor,
        )
        self.drafts.append(_Draft(entry, list(self._items(rest, heading_category))))

    def _items(self, blocks: Sequence[Block], heading: Category) -> tuple[Item, ...]:
        found: list[Item] = []
        for block in blocks:
            if isinstance(block, Sample):
                found.append(Item((Span(block.text, code=True),), sample=True))
            elif isinstance(block, Listing):
                found += [self._listed(item, heading) for item in block.items if item]
            else:
                found.append(Item(self._linked(block.text)))
        return tuple(found)

    def _listed(self, item: Sequence[Block], heading: Category) -> Item:
        text = self._linked(first_text(item))
        rest = item[1:] if text else item
        if not text and isinstance(item[0], Sample):
            return Item((Span(item[0].text, code=True),), sample=True, items=self._items(item[1:], heading))
        return Item(text, False, self._items(rest, heading), contents.of_item(plain(text), heading))

    def _linked(self, text: Inline) -> Inline:
        return links.with_links(text, self.base, self.project.folder)


def _names_part(text: Inline) -> bool:
    """Whether a few words name a part of a package, not a change of it."""
    words = plain(text).rstrip(":： ")
    count = len(words.split())
    if not words or (words.endswith(".") and count > 1):
        return False
    if all(span.code or not re.search(r"\w{4}", span.text) for span in text):
        return True
    return count < MAX_LABEL and not _LEAD_WORDS.fullmatch(words.split()[0]) and not _DONE.search(words)


def _is_contents(listing: Listing) -> bool:
    """A table of contents: nothing but links into the page."""
    spans = [span for item in listing.items for span in first_text(item) if span.text.strip()]
    return bool(spans) and all(span.url.startswith("#") for span in spans)


def _is_link_to_commits(text: Inline) -> bool:
    spans = [span for span in text if re.search(r"\w", span.text)]
    return len(spans) == 1 and bool(spans[0].url) and bool(re.search(r"/compare/|/commits/", spans[0].url))


def _continues(words: str) -> bool:
    """Whether a paragraph goes on with what a list cut off: the rest of a sentence, or a row of a table."""
    return words[:1].islower() or words[:1] in (",", ";", ".", ")") or " | " in words
