"""The index on disk, so that a search of ten thousand notes reads a few rows and only changed notes are read again.

One SQLite file in the user's cache folder. It holds nothing that cannot be made again: a file that is damaged, of
another version or locked for too long is thrown away or left alone, and the search goes on.
"""

import hashlib
import json
import os
import sqlite3
import sys
import time
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from kb.caches import cache_folder
from kb.problems.index import MAX_CANDIDATES, Document, Entry, Span, document, families_of
from kb.problems.note import Note
from kb.problems.signature import Squeezed, compile_signature

#: Seconds to wait for another process that is bringing the cache up to date; after that the index is made in memory.
LOCK_S = 20.0

#: A file changed so shortly before it was looked at may have changed again within the same tick of the file system's
#: clock, so its content is compared the next time. FAT counts in 2 s.
TICK_NS = 2_000_000_000

#: Characters at the end of a signature's longest literal text by which candidates are found.
GRAM = 8

#: What makes an index: if one of them changes, every cache is out of date.
_SOURCES = ("cache.py", "index.py", "normal.py", "note.py", "signature.py", "tokens.py")

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE files (path TEXT PRIMARY KEY, number INTEGER, size INTEGER, changed INTEGER, checked INTEGER, digest BLOB);
CREATE TABLE notes (number INTEGER PRIMARY KEY, entry BLOB);
CREATE TABLE contents (number INTEGER PRIMARY KEY, words BLOB);
CREATE TABLE words (word TEXT PRIMARY KEY, drow TEXT, length INTEGER, postings BLOB);
CREATE INDEX heads ON words (word, length);
CREATE INDEX tails ON words (drow, length);
CREATE TABLE signatures (number INTEGER, gram TEXT, text TEXT);
CREATE INDEX grams ON signatures (gram, number, text);
CREATE INDEX signed ON signatures (number);
"""

#: Errors of SQLite that say nothing against the file: it is locked, closed to us, or the disk is full.
_NOT_DAMAGED = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL}
)

#: Reads notes; what cannot be read as a note is not among those returned.
Reader = Callable[[Sequence[Path]], Iterable[Note]]
Answer = TypeVar("Answer")


class DamagedCache(sqlite3.DatabaseError):
    """What stands in the cache is not what was written."""


#: A file as a look at the folder sees it: its size, and when it was changed in nanoseconds.
Seen = tuple[int, int]


def cache_file(folder: Path) -> Path:
    """Where the index of this folder of notes is kept."""
    name = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
    return cache_folder(f"problems-{name}.sqlite")


def ask(
    folder: Path,
    read: Reader,
    families: Mapping[str, str],
    question: Callable[["CachedIndex"], Answer],
    file: Path | None = None,
) -> Answer:
    """What the question finds in the index of the notes in this folder, which is brought up to date before.

    Whatever is wrong with the cache, there is an answer: a damaged file is made anew, one that cannot be used is left
    aside and the index made in memory.
    """
    path = file or cache_file(folder)
    damaged_before = False
    while True:
        try:
            with closing(_connected(path)) as connection:
                return question(CachedIndex(connection, families).refreshed(folder, read))
        except OSError:
            break
        except sqlite3.Error as error:
            usable = getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NOT_DAMAGED
            if damaged_before or not usable or not _discarded(path):
                break
            damaged_before = True
    with closing(_connected(None)) as connection:
        return question(CachedIndex(connection, families).refreshed(folder, read))


class CachedIndex:
    """An index (see `kb.problems.index.Index`) over an open database."""

    def __init__(self, connection: sqlite3.Connection, families: Mapping[str, str]) -> None:
        self._connection = connection
        self._members = families
        self._postings: dict[str, list[tuple[int, int, int]]] = {}

    @property
    def size(self) -> int:
        return int(self._facts["size"])

    @property
    def mean_length(self) -> float:
        return float(self._facts["mean_length"])

    @property
    def families(self) -> Mapping[str, str]:
        families: Mapping[str, str] = self._facts["families"]
        return families

    def postings(self, word: str) -> Sequence[tuple[int, int, int]]:
        if word not in self._postings:
            row = self._row("SELECT postings FROM words WHERE word = ?", word)
            self._postings[word] = _triples(row[0]) if row else []
        return self._postings[word]

    def entry(self, number: int) -> Entry:
        row = self._row("SELECT entry FROM notes WHERE number = ?", number)
        if row is None:
            raise DamagedCache(f"note {number} is in the words and not in the notes")
        return _entry_of(json.loads(_unpacked(row[0])))

    def beginning(self, head: str, shortest: int, longest: int) -> Sequence[str]:
        query = "SELECT word FROM words WHERE word >= ? AND word < ? AND length BETWEEN ? AND ? ORDER BY word LIMIT ?"
        rows = self._connection.execute(query, (head, f"{head}\U0010ffff", shortest, longest, MAX_CANDIDATES))
        return [word for (word,) in rows]

    def ending(self, tail: str, shortest: int, longest: int) -> Sequence[str]:
        query = "SELECT drow FROM words WHERE drow >= ? AND drow < ? AND length BETWEEN ? AND ?"
        rows = self._connection.execute(query, (tail[::-1], f"{tail[::-1]}\U0010ffff", shortest, longest))
        return sorted(drow[::-1] for (drow,) in rows)[:MAX_CANDIDATES]

    def signatures(self, squeezed: Squeezed) -> Iterable[tuple[int, str]]:
        text = squeezed.text
        there = {text[start : start + GRAM] for start in range(len(text) - GRAM + 1)}
        grams = [gram for (gram,) in self._connection.execute("SELECT DISTINCT gram FROM signatures")]
        for gram in grams:
            if gram in there or (len(gram) < GRAM and gram in text):
                yield from self._connection.execute("SELECT number, text FROM signatures WHERE gram = ?", (gram,))

    def refreshed(self, folder: Path, read: Reader) -> "CachedIndex":
        """The index after it has been brought up to date with the folder.

        A second process does so at the same time without harm: the first to take the lock does the work, the other
        finds nothing left to do.
        """
        seen = _look(folder)
        if not self._is_current(seen):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._bring_up_to_date(folder, seen, read)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        return self

    @cached_property
    def _facts(self) -> dict[str, Any]:
        row = self._row("SELECT value FROM meta WHERE name = 'facts'")
        if row is None:
            raise DamagedCache("the facts are missing")
        facts: dict[str, Any] = json.loads(_unpacked(row[0]))
        return facts

    @cached_property
    def lengths(self) -> "array[int]":
        row = self._row("SELECT value FROM meta WHERE name = 'lengths'")
        return _numbers(row[0]) if row else array("I")

    def _row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(query, values).fetchone()
        return row

    def _is_current(self, seen: Mapping[str, Seen]) -> bool:
        """Whether no file can have changed since the index was made, by what a look at the folder shows."""
        if self._row("SELECT name FROM sqlite_master WHERE name = 'meta'") is None:
            return False
        facts = self._facts
        newest = max((changed for _, changed in seen.values()), default=0)
        same = facts["made_by"] == _made_by() and facts["state"] == _state(seen) and facts["members"] == self._members
        return bool(same and newest < facts["checked"] - TICK_NS)

    def _bring_up_to_date(self, folder: Path, seen: Mapping[str, Seen], read: Reader) -> None:
        self._make_empty_if_outdated()
        now = time.time_ns()
        stored = {row[0]: row[1:] for row in self._connection.execute("SELECT * FROM files")}
        changed = {}
        for name in sorted(seen):
            if name not in stored or _may_have_changed(seen[name], stored[name]):
                digest = _digest(folder / name)
                if name not in stored or digest != stored[name][4]:
                    changed[name] = digest
        gone = [number for name, (number, *_) in stored.items() if name not in seen or name in changed]
        documents = self._documents([folder / name for name in changed], read)
        numbers = self._replace(gone, documents)
        self._keep_files(seen, now, changed, numbers)
        self._keep_facts(seen, now)

    def _make_empty_if_outdated(self) -> None:
        if self._row("SELECT name FROM sqlite_master WHERE name = 'meta'") is not None:
            self.__dict__.pop("_facts", None)
            if self._facts["made_by"] == _made_by() and self._facts["members"] == self._members:
                return
            for name in ("meta", "files", "notes", "contents", "words", "signatures"):
                self._connection.execute(f"DROP TABLE {name}")
        for statement in _SCHEMA.strip().split(";\n"):
            self._connection.execute(statement)

    def _documents(self, paths: Sequence[Path], read: Reader) -> dict[str, Document]:
        """Name of a file -> its note, for those that are one."""
        if not paths:
            return {}
        return {note.path.name: document(note, self._members) for note in read(paths)}

    def _replace(self, gone: Iterable[int], documents: Mapping[str, Document]) -> dict[str, int]:
        """Take notes out and put others in; the numbers of the new ones."""
        removed: dict[str, set[int]] = {}
        for number in gone:
            for word in self._contents(number):
                removed.setdefault(word, set()).add(number)
            for table in ("notes", "contents", "signatures"):
                self._connection.execute(f"DELETE FROM {table} WHERE number = ?", (number,))
        added: dict[str, list[int]] = {}
        numbers = {}
        for name, each in documents.items():
            numbers[name] = number = self._add(each)
            for word, (count, fields) in each.counts.items():
                added.setdefault(word, []).extend((number, count, fields))
        self._change_words(removed, added)
        return numbers

    def _add(self, each: Document) -> int:
        entry = json.dumps({**asdict(each.entry), "length": each.length}).encode()
        number = self._connection.execute("INSERT INTO notes (entry) VALUES (?)", (_packed(entry),)).lastrowid
        assert number is not None
        words = json.dumps(list(each.counts)).encode()
        self._connection.execute("INSERT INTO contents VALUES (?, ?)", (number, _packed(words)))
        for text in each.signatures:
            gram = compile_signature(text).anchor[-GRAM:]
            self._connection.execute("INSERT INTO signatures VALUES (?, ?, ?)", (number, gram, text))
        return number

    def _contents(self, number: int) -> list[str]:
        row = self._row("SELECT words FROM contents WHERE number = ?", number)
        words: list[str] = json.loads(_unpacked(row[0])) if row else []
        return words

    def _change_words(self, removed: Mapping[str, set[int]], added: Mapping[str, list[int]]) -> None:
        for word in sorted({*removed, *added}):
            out = removed.get(word, set())
            row = self._row("SELECT postings FROM words WHERE word = ?", word)
            kept = [part for triple in _triples(row[0]) if triple[0] not in out for part in triple] if row else []
            postings = kept + added.get(word, [])
            if postings:
                values = (word, word[::-1], len(word), _packed(array("I", postings).tobytes()))
                self._connection.execute("INSERT OR REPLACE INTO words VALUES (?, ?, ?, ?)", values)
            else:
                self._connection.execute("DELETE FROM words WHERE word = ?", (word,))

    def _keep_files(
        self, seen: Mapping[str, Seen], now: int, changed: Mapping[str, bytes], numbers: Mapping[str, int]
    ) -> None:
        """Note each file as it was seen; those that are no note have no number."""
        old = dict(self._connection.execute("SELECT path, number FROM files"))
        self._connection.executemany("DELETE FROM files WHERE path = ?", [(name,) for name in old if name not in seen])
        new = [(name, numbers.get(name), *seen[name], now, digest) for name, digest in changed.items()]
        self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", new)
        same = [(*each, now, name) for name, each in seen.items() if name not in changed]
        self._connection.executemany("UPDATE files SET size = ?, changed = ?, checked = ? WHERE path = ?", same)

    def _keep_facts(self, seen: Mapping[str, Seen], now: int) -> None:
        entries = {
            number: json.loads(_unpacked(packed)) for number, packed in self._connection.execute("SELECT * FROM notes")
        }
        lengths = array("I", bytes(4 * (max(entries, default=0) + 1)))
        for number, entry in entries.items():
            lengths[number] = entry["length"]
        facts = {
            "made_by": _made_by(),
            "members": dict(self._members),
            "families": families_of(map(_entry_of, entries.values()), self._members),
            "size": len(entries),
            "mean_length": sum(lengths) / len(entries) if entries else 1.0,
            "state": _state(seen),
            "checked": now,
        }
        for name, value in (("facts", json.dumps(facts).encode()), ("lengths", lengths.tobytes())):
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, _packed(value)))
        for name in ("_facts", "lengths"):
            self.__dict__.pop(name, None)


def _connected(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path or ":memory:", timeout=LOCK_S, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")  # what a power cut leaves is noticed, and made again
    return connection


def _discarded(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _look(folder: Path) -> dict[str, Seen]:
    """The Markdown files of the folder."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(".md") and not name.startswith("."):
                    stat = entry.stat()
                    found[name] = (stat.st_size, stat.st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return found


def _state(seen: Mapping[str, Seen]) -> str:
    return hashlib.blake2b(repr(sorted(seen.items())).encode(), digest_size=16).hexdigest()


def _may_have_changed(seen: Seen, stored: Sequence[Any]) -> bool:
    _, size, changed, checked, _ = stored
    return bool(seen != (size, changed) or changed >= checked - TICK_NS)


def _digest(path: Path) -> bytes:
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
    except OSError:
        return b"unreadable"


@cache
def _made_by() -> str:
    """Changes with everything that decides what stands in an index."""
    made = hashlib.blake2b(sys.byteorder.encode(), digest_size=16)
    for name in _SOURCES:
        made.update(Path(__file__).with_name(name).read_bytes())
    return made.hexdigest()


def _packed(value: bytes) -> bytes:
    return zlib.crc32(value).to_bytes(4, "big") + value


def _unpacked(packed: bytes) -> bytes:
    """The value that was packed.

    Raises:
        DamagedCache: it is not what was packed.
    """
    if not isinstance(packed, bytes) or zlib.crc32(packed[4:]).to_bytes(4, "big") != packed[:4]:
        raise DamagedCache("a value is not what was written")
    return packed[4:]


def _numbers(packed: bytes) -> "array[int]":
    numbers = array("I")
    numbers.frombytes(_unpacked(packed))
    return numbers


def _triples(packed: bytes) -> list[tuple[int, int, int]]:
    numbers = _numbers(packed)
    return list(zip(numbers[0::3], numbers[1::3], numbers[2::3], strict=True))


def _entry_of(stored: Mapping[str, Any]) -> Entry:
    fields = {name: value for name, value in stored.items() if name not in ("length", "spans")}
    return Entry(**fields, spans=tuple(_span_of(span) for span in stored["spans"]))


def _span_of(stored: Mapping[str, Any]) -> Span:
    first, end = ((tuple(v[0]), v[1]) if v else None for v in (stored["first"], stored["end"]))
    assert first is not None
    return Span(stored["package"], first, end, stored["through"])
