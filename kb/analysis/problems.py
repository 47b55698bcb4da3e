"""From notes and changelogs to findings: which notes name a note, and which changes may have solved its problem."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from heapq import merge
from itertools import chain, takewhile

from packaging.version import Version

from kb.analysis.changelogs import Noted
from kb.changelogs.entry import Category, Entry, Stage
from kb.changelogs.library import Package, parsed
from kb.changelogs.record import VersionRecord
from kb.packages.families import family_of
from kb.problems.note import UNNUMBERED, Note
from kb.problems.versions import FROM_THE_FIRST, public

#: Changes that are shown of one note. More are a list that nobody reads: a symbol that every release touches.
MAX_FIXES = 10

#: Where an entry that only names a symbol may solve a problem with it: a feature or a deprecation does not.
SOLVING = frozenset({Category.BUGFIX, Category.BREAKING})

_ID = re.compile(r"\bKB-[0-9]{4,6}\b")
_ALIAS = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)#(?P<number>\d+)")
_URL = re.compile(
    r"https?://(?:www\.)?github\.com/(?P<repository>[\w.-]+/[\w.-]+)/(?:issues|pull|pulls|discussions)/(?P<number>\d+)"
    r"(?:[/?#].*)?"
)


@dataclass(frozen=True)
class Fix:
    """A change that may have solved the problem of a note."""

    noted: Noted
    by: str  #: what it names, as the note writes it: an alias, the address of a reference, or a symbol
    sure: bool  #: whether it names the problem itself, and not only what has it


def referenced_by(notes: Iterable[Note]) -> dict[str, tuple[str, ...]]:
    """Id of a note -> ids of the notes that name it, as related or in their text; without those that none names."""
    notes = [note for note in notes if note.id != UNNUMBERED]
    known = {note.id for note in notes}
    found: dict[str, set[str]] = {}
    for note in notes:
        for name in (_named(note) & known) - {note.id}:
            found.setdefault(name, set()).add(note.id)
    return {name: tuple(sorted(found[name], key=_place)) for name in sorted(found, key=_place)}


def maybe_fixed_by(notes: Iterable[Note], packages: Iterable[Package]) -> dict[str, tuple[Fix, ...]]:
    """Id of a note -> changes that may have solved it, at most `MAX_FIXES`; without notes that have none.

    Changes of packages that the note is about, in versions from `introduced` on: those that name an alias or a
    reference of it, then those that break or mend one of its symbols; the newest version first. An upcoming version
    counts, one that was withdrawn does not.
    """
    shelves: dict[str, list[Package]] = {}
    for package in packages:
        shelves.setdefault(family_of(package.name), []).append(package)
    indexes = {family: _Index.of(shelf) for family, shelf in shelves.items()}
    found = {note.id: _fixes(note, indexes) for note in notes if note.id != UNNUMBERED}
    return {name: found[name] for name in sorted(found, key=_place) if found[name]}


@dataclass(frozen=True)
class _Index:
    """The changes of one family, the newest version first, by what they name."""

    problems: Mapping[str, Sequence[Noted]]
    symbols: Mapping[str, Sequence[Noted]]

    @classmethod
    def of(cls, packages: Iterable[Package]) -> "_Index":
        problems: dict[str, list[Noted]] = {}
        symbols: dict[str, list[Noted]] = {}
        versions = (version for package in packages for version in package.versions)
        for version in sorted(filter(_counts, versions), key=_age, reverse=True):
            for record in version.entries:
                noted = Noted(version, record)
                for problem in dict.fromkeys(_problems(record.entry)):
                    problems.setdefault(problem, []).append(noted)
                if record.entry.category in SOLVING:
                    for symbol in dict.fromkeys(map(_bare, record.entry.symbols)):
                        symbols.setdefault(symbol, []).append(noted)
        return cls(problems, symbols)


def _fixes(note: Note, indexes: Mapping[str, _Index]) -> tuple[Fix, ...]:
    """Each change once, by the surest reason."""
    found: dict[tuple[str, str, Category, str], Fix] = {}
    for fix in chain(_candidates(note, indexes, sure=True), _candidates(note, indexes, sure=False)):
        version, record = fix.noted.version, fix.noted.record
        found.setdefault((version.package, version.version, fix.noted.category, record.id), fix)
        if len(found) == MAX_FIXES:
            break
    return tuple(found.values())


def _candidates(note: Note, indexes: Mapping[str, _Index], *, sure: bool) -> Iterator[Fix]:
    """Changes that name the problem, or that name a symbol; the newest of each family first.

    One by one, because a name can have thousands and few are wanted.
    """
    names = _problems_of(note) if sure else {_bare(symbol): symbol for symbol in note.symbols}
    for family, firsts in _introduced(note).items():
        if family in indexes:
            by_name = indexes[family].problems if sure else indexes[family].symbols
            each = [_named_in(by_name.get(name, ()), by, sure) for name, by in names.items()]
            newest_first = merge(*each, key=lambda fix: _age(fix.noted.version), reverse=True)
            yield from takewhile(partial(_after_any, firsts), newest_first)


def _named_in(changes: Sequence[Noted], by: str, sure: bool) -> Iterator[Fix]:
    return (Fix(noted, by, sure) for noted in changes)


def _introduced(note: Note) -> dict[str, list[str]]:
    """Family -> the versions from which on the note is about it."""
    found: dict[str, list[str]] = {}
    for part in (part for one in note.affected for part in one.ranges):
        found.setdefault(family_of(part.package), []).append(part.introduced)
    return found


def _after_any(firsts: Iterable[str], fix: Fix) -> bool:
    """Whether the change came with one of these versions, or after it."""
    version = fix.noted.version.version
    if _number(version) is None:
        return True
    return any(first == FROM_THE_FIRST or public(version) >= public(first) for first in firsts)


def _counts(version: VersionRecord) -> bool:
    """Whether it can be told that the version comes after others: what has no number may be upcoming."""
    if version.stage is Stage.WITHDRAWN:
        return False
    return version.stage is Stage.UPCOMING or _number(version.version) is not None


def _age(version: VersionRecord) -> tuple[bool, Version]:
    """What has no number yet is newer than all that have one."""
    number = _number(version.version)
    return number is None, number or Version("0")


@lru_cache(maxsize=8192)
def _number(version: str) -> Version | None:
    return parsed(version)


def _problems_of(note: Note) -> dict[str, str]:
    """What a change would name if it were about this very problem -> as the note writes it."""
    written = [*note.aliases, *(reference.url for reference in note.references)]
    return {_problem(text): text for text in reversed(written)}


def _problems(entry: Entry) -> Iterator[str]:
    for reference in entry.references:
        if reference.url:
            yield _problem(reference.url)
        if reference.label.startswith("GHSA-"):  # a bare number could be of any repository
            yield _problem(reference.label)
    yield from map(_problem, entry.cves)


def _problem(text: str) -> str:
    """One spelling for what has several: an issue's address, `owner/name#1`, `CVE-2026-1`."""
    found = _URL.fullmatch(text) or _ALIAS.fullmatch(text)
    return f"{found['repository']}#{found['number']}".lower() if found else text.lower()


def _bare(symbol: str) -> str:
    return symbol.removesuffix("()")


def _named(note: Note) -> set[str]:
    return {*note.related, *(name for text in note.sections.values() for name in _ID.findall(text))}


def _place(name: str) -> tuple[int, str]:
    return len(name), name
