"""Notes as a search reads them: per word the notes that have it, where, and how often; plain data, for Python and page.

A note is one text whose words count more or less by the field they stand in: the fields' counts are added up with their
weights before the ranking sees them (Robertson, Zaragoza, Taylor 2004, "Simple BM25 extension to multiple weighted
fields").
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from kb.problems.note import Note, Range
from kb.problems.signature import SignatureError, Squeezed, compile_signature
from kb.problems.tokens import words

#: Field -> weight of a word in it. What a note is about stands in its title, signatures, symbols; an alias is a name of
#: the note itself; the other sections also tell of what the problem is not.
FIELDS = {
    "title": 4,
    "signature": 4,
    "symbol": 4,
    "operator": 4,
    "alias": 6,
    "symptom": 2,
    "rest": 1,
}

#: Characters of a section that are indexed: a log of 5 MB in a note must not make every search slow.
MAX_SECTION = 20_000

#: Words found for one beginning or end of a misspelt word; a bound on the work, far above what a real one needs.
MAX_CANDIDATES = 500

#: A version as it is ordered: the numbers of its release, and -1 where it comes before that release.
Version = tuple[tuple[int, ...], int]

_VERSION = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)[.\-_]?([a-z]*)", re.ASCII)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
BEFORE = frozenset({"a", "alpha", "b", "beta", "c", "rc", "pre", "dev"})


@dataclass(frozen=True)
class Span:
    """Versions of one package that a note is about, as plain data."""

    package: str
    first: Version
    end: Version | None  #: None: no version is known to be free of it
    through: bool  #: whether `end` itself has the problem


@dataclass(frozen=True)
class Entry:
    """What a hit shows of a note."""

    id: str
    title: str
    path: str  #: name of its file
    kind: str
    status: str
    severity: str
    spans: tuple[Span, ...]

    @property
    def packages(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(span.package for span in self.spans))


@dataclass(frozen=True)
class Document:
    """A note as it goes into an index."""

    entry: Entry
    counts: Mapping[str, tuple[int, int]]  #: word -> its weighted count, and the fields that have it as bits
    length: int  #: weighted number of words
    signatures: tuple[str, ...]  #: those that can be used


class Index(Protocol):
    """What the ranking asks of an index. Notes have numbers, which mean nothing outside it."""

    @property
    def size(self) -> int:
        """How many notes there are."""

    @property
    def mean_length(self) -> float:
        """Of the notes, in weighted words; 1 where there are none."""

    @property
    def families(self) -> Mapping[str, str]:
        """Package -> the family that it counts as; every package that a note names is there."""

    def postings(self, word: str) -> Sequence[tuple[int, int, int]]:
        """Number of a note, weighted count, fields: for each note that has the word."""

    @property
    def lengths(self) -> Sequence[int]:
        """Weighted words of each note, by its number."""

    def entry(self, number: int) -> Entry:
        """What a hit shows."""

    def beginning(self, head: str, shortest: int, longest: int) -> Sequence[str]:
        """The first `MAX_CANDIDATES` indexed words that begin so and are of such a length, in order."""

    def ending(self, tail: str, shortest: int, longest: int) -> Sequence[str]:
        """The same for words that end so."""

    def signatures(self, squeezed: Squeezed) -> Iterable[tuple[int, str]]:
        """Note and signature: at least those that match the text."""


def document(note: Note, families: Mapping[str, str]) -> Document:
    """A note, read for a search."""
    counts: dict[str, list[int]] = {}
    length = 0
    for bit, (field, text) in enumerate(_texts(note).items()):
        for word in words(text):
            for token in word.tokens:
                found = counts.setdefault(token, [0, 0])
                found[0] += FIELDS[field]
                found[1] |= 1 << bit
                length += FIELDS[field]
    return Document(
        entry=_entry(note, families),
        counts={token: (count, fields) for token, (count, fields) in counts.items()},
        length=length,
        signatures=tuple(signature for signature in note.signatures if _usable(signature)),
    )


def ordered(version: str) -> Version | None:
    """A version as it is ordered among others, or None for what is none. `2.6.0.dev1` comes before `2.6`, as PEP 440
    has it; its finer distinctions are for `kb audit`, which decides by them.
    """
    match = _VERSION.match(version.lower())
    if match is None:
        return None
    release = [int(number) for number in match[1].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    return tuple(release), -1 if match[2] in BEFORE else 0


def covers(span: Span, version: Version) -> bool:
    """Whether a version has the problem."""
    if version < span.first:
        return False
    return span.end is None or version < span.end or (span.through and version == span.end)


def canonical(package: str) -> str:
    """The name of a package as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()


class MemoryIndex:
    """An index in memory; made of few notes in an instant, and what the page of the site is given."""

    def __init__(self, documents: Iterable[Document], families: Mapping[str, str]) -> None:
        self._documents = tuple(documents)
        self._families = families_of((document.entry for document in self._documents), families)
        self._postings: dict[str, list[tuple[int, int, int]]] = {}
        for number, each in enumerate(self._documents):
            for word, (count, fields) in each.counts.items():
                self._postings.setdefault(word, []).append((number, count, fields))
        self._words = sorted(self._postings)
        self._lengths = [each.length for each in self._documents]

    @property
    def size(self) -> int:
        return len(self._documents)

    @property
    def mean_length(self) -> float:
        return sum(self._lengths) / self.size if self.size else 1.0

    @property
    def families(self) -> Mapping[str, str]:
        return self._families

    def postings(self, word: str) -> Sequence[tuple[int, int, int]]:
        return self._postings.get(word, ())

    @property
    def lengths(self) -> Sequence[int]:
        return self._lengths

    def entry(self, number: int) -> Entry:
        return self._documents[number].entry

    def beginning(self, head: str, shortest: int, longest: int) -> Sequence[str]:
        found = (word for word in self._words if word.startswith(head) and shortest <= len(word) <= longest)
        return list(found)[:MAX_CANDIDATES]

    def ending(self, tail: str, shortest: int, longest: int) -> Sequence[str]:
        found = (word for word in self._words if word.endswith(tail) and shortest <= len(word) <= longest)
        return list(found)[:MAX_CANDIDATES]

    def signatures(self, squeezed: Squeezed) -> Iterable[tuple[int, str]]:
        return [(number, signature) for number, each in enumerate(self._documents) for signature in each.signatures]

    def as_data(self) -> dict[str, Any]:
        """The index as JSON can hold it."""
        return {
            "notes": [
                {**asdict(each.entry), "packages": each.entry.packages, "length": each.length}
                for each in self._documents
            ],
            "signatures": list(self.signatures(Squeezed("", ()))),
            "words": {word: encoded(self._postings[word]) for word in self._words},
            "families": self._families,
            "meanLength": self.mean_length,
        }


def encoded(postings: Iterable[tuple[int, int, int]]) -> str:
    """Postings as a short text that the page takes apart when a word is asked for: numbers to base 36, the notes' as
    the step from the one before. As arrays of numbers, 10,000 notes took 32 MB and seconds to load.
    """
    parts, before = [], 0
    for number, count, fields in postings:
        parts += [_base36(number - before), _base36(count), _base36(fields)]
        before = number
    return " ".join(parts)


def _base36(number: int) -> str:
    digits = ""
    while number >= 36:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return _DIGITS[number] + digits


def build(notes: Iterable[Note], families: Mapping[str, str]) -> MemoryIndex:
    """An index of the notes, in their order.

    Args:
        families: package -> the package that it counts as (`onnxruntime-gpu` -> `onnxruntime`), in canonical names.
    """
    return MemoryIndex([document(note, families) for note in notes], families)


def families_of(entries: Iterable[Entry], families: Mapping[str, str]) -> Mapping[str, str]:
    """Every package that a query may name and that a note is about -> its family."""
    named = {package for entry in entries for package in entry.packages}
    members = {member: family for member, family in families.items() if family in named}
    return dict(sorted(({package: package for package in named} | members).items()))


def _texts(note: Note) -> dict[str, str]:
    """What stands in each field, in the order of `FIELDS`."""
    sections = {name: text[:MAX_SECTION] for name, text in note.sections.items()}
    ranges = [each for affected in note.affected for each in affected.ranges]
    conditions = [f"{name} {value}" for affected in note.affected for name, value in affected.when.items()]
    rest = [text for name, text in sections.items() if name.lower() != "symptom"]
    rest += [note.kind, note.status, *(each.package for each in ranges), *conditions]
    return {
        "title": note.title,
        "signature": "\n".join(re.sub(r"\{[a-z]+\}", " ", signature) for signature in note.signatures),
        "symbol": "\n".join(note.symbols),
        "operator": "\n".join(note.operators),
        "alias": "\n".join((note.id, *note.aliases)),
        "symptom": "\n".join(text for name, text in sections.items() if name.lower() == "symptom"),
        "rest": "\n".join(rest),
    }


def _entry(note: Note, families: Mapping[str, str]) -> Entry:
    spans = (_span(each, families) for affected in note.affected for each in affected.ranges)
    return Entry(
        id=note.id,
        title=note.title,
        path=note.path.name,
        kind=str(note.kind),
        status=str(note.status),
        severity=str(note.severity),
        spans=tuple(dict.fromkeys(spans)),
    )


def _span(each: Range, families: Mapping[str, str]) -> Span:
    name = canonical(each.package)
    return Span(
        package=families.get(name, name),
        first=ordered(each.introduced) or ((0,), 0),
        end=ordered(each.fixed or each.last_affected),
        through=not each.fixed,
    )


def _usable(signature: str) -> bool:
    """Whether a signature can be used; `kb problem lint` says what is wrong with one that cannot."""
    try:
        compile_signature(signature)
    except SignatureError:
        return False
    return True
