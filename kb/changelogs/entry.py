"""One item of a changelog, its text as an inline model that can be shown without trusting where it came from."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kb.changelogs.identity import identity


class Category(StrEnum):
    """What an entry is about. A closed set."""

    BREAKING = "breaking"
    DEPRECATION = "deprecation"
    FEATURE = "feature"
    IMPROVEMENT = "improvement"
    CHANGE = "change"
    BUGFIX = "bugfix"
    PERFORMANCE = "performance"
    SECURITY = "security"
    KNOWN_ISSUE = "known_issue"
    DOCS = "docs"
    DEVELOPER = "developer"
    DEPENDENCY = "dependency"
    UNCATEGORIZED = "uncategorized"  #: under no heading that says what it is, and nothing in its text does


@dataclass(frozen=True)
class Span:
    """A run of text with one look. Everything in it is plain text: whoever shows it escapes it."""

    text: str
    code: bool = False
    strong: bool = False
    em: bool = False
    url: str = ""  #: where it links to; http, https or mailto, or empty


#: The text of an entry or an item of it.
Inline = tuple[Span, ...]


def plain(text: Inline) -> str:
    """The words alone, runs of white space as one blank."""
    return " ".join("".join([span.text for span in text]).split())


@dataclass(frozen=True)
class Item:
    """What stands below an entry: a nested bullet, a further paragraph, or a code sample."""

    text: Inline
    sample: bool = False  #: a block of code: one span, its line breaks kept
    items: tuple["Item", ...] = ()
    category: Category | None = None  #: where its own words say one: a removal among the changes of one component

    def walk(self) -> Iterator["Item"]:
        """This item and all below it, in order."""
        yield self
        for item in self.items:
            yield from item.walk()


@dataclass(frozen=True)
class Reference:
    """A pull request, an issue or a security advisory that an entry names."""

    label: str  #: as written, e.g. `#12345`
    url: str  #: empty where only the number is known


@dataclass(frozen=True)
class Entry:
    """One change."""

    category: Category  #: by its content where that contradicts the heading
    heading: str  #: path of headings inside the version's section, joined by " > "; empty where there is none
    heading_category: Category
    component: str  #: part of the package, e.g. `tf.keras`, `CUDA`; empty where none is named
    text: Inline
    items: tuple[Item, ...] = ()
    symbols: tuple[str, ...] = ()  #: names of APIs, as written: `torch.add()` keeps its brackets
    references: tuple[Reference, ...] = ()
    cves: tuple[str, ...] = ()
    anchor: str = ""  #: in the source: of the version's heading, or of its own where a text holds one version

    @property
    def id(self) -> str:
        """Identity within (package, version, category): a hash of its own text without layout and link targets.

        What stands below it does not count: an entry that gains an item is the same entry, changed.
        """
        return identity(plain(self.text))

    def walk(self) -> Iterator[Item]:
        """All items below it, in order."""
        for item in self.items:
            yield from item.walk()


class Stage(StrEnum):
    """What became of a version."""

    RELEASED = "released"
    PRERELEASE = "prerelease"
    UPCOMING = "upcoming"  #: an unreleased section, or a template that nobody has filled
    WITHDRAWN = "withdrawn"  #: yanked, or said to be skipped


@dataclass(frozen=True)
class Section:
    """What a file says of one version."""

    package: str
    version: str  #: as PEP 440 writes it; as written where it is none
    heading: str  #: as written
    line: int  #: of the heading, from 1
    date: str = ""  #: ISO 8601; empty where the text states none; `YYYY-MM` where it states no day
    stage: Stage = Stage.RELEASED
    entries: tuple[Entry, ...] = ()
    coverage: float = 1.0  #: share of the section's text that is in an entry, a label, an introduction or a tail
    trouble: str = ""  #: why it could not be read, or not all of it; empty where it could


@dataclass(frozen=True)
class Notice:
    """What a file says of versions that have no section: they were skipped or withdrawn."""

    package: str
    versions: tuple[str, ...]
    text: Inline
    line: int


@dataclass(frozen=True)
class Reading:
    """What a file says."""

    sections: tuple[Section, ...]
    notices: tuple[Notice, ...] = ()
    trouble: str = ""  #: what was left out of a file that is longer than any changelog; empty where nothing was
