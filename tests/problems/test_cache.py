"""The index on disk: the answers of the one in memory, only changed notes read again, no damage that stops a search."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from kb.problems import cache
from kb.problems.cache import TICK_NS, ask, cache_file
from kb.problems.index import Index, build
from kb.problems.note import Note
from kb.problems.ranking import Hit, explain, search
from tests.problems.synthetic import FAMILIES, SKETCHES, notes
from tests.problems.test_ranking import QUERIES, traceback_of

LONG_AGO_NS = 10 * TICK_NS


class Log:
    """A folder of notes whose text is their title, and what was read of it."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "docs" / "problems"
        self.folder.mkdir(parents=True)
        self.file = root / "cache.sqlite"
        self.notes: dict[str, Note] = {}
        self.read: list[str] = []
        for note in notes(self.folder):
            self.put(note)

    def put(self, note: Note, ago_ns: int = LONG_AGO_NS) -> None:
        self.notes[note.path.name] = note
        note.path.write_text(repr(note), encoding="utf-8")
        moment = note.path.stat().st_mtime_ns - ago_ns
        os.utime(note.path, ns=(moment, moment))

    def reader(self, paths: Sequence[Path]) -> Iterable[Note]:
        self.read += [path.name for path in paths]
        return [self.notes[path.name] for path in paths if path.name in self.notes]

    def ask(self, question: Callable[[Index], list[Hit]]) -> list[Hit]:
        return ask(self.folder, self.reader, FAMILIES, question, self.file)

    def search(self, text: str) -> list[str]:
        return [hit.entry.id for hit in self.ask(lambda index: search(index, text))]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_the_answers_are_those_of_the_index_in_memory(log: Log) -> None:
    memory = build(log.notes.values(), FAMILIES)
    for query in QUERIES:
        assert log.ask(partial(search, text=query["query"])) == search(memory, query["query"])
    for sketch in SKETCHES:
        assert log.ask(partial(explain, text=traceback_of(sketch))) == explain(memory, traceback_of(sketch))


def test_a_note_is_read_once(log: Log) -> None:
    log.search("gelu")
    assert sorted(log.read) == sorted(log.notes)
    log.read.clear()
    log.search("gelu")
    assert log.read == []


def test_only_what_changed_is_read_again(log: Log) -> None:
    log.search("gelu")
    log.read.clear()
    changed = replace(log.notes["erfc.md"], title="Zebras cannot be converted", aliases=("zebra/zebra#1",))
    log.put(changed, ago_ns=0)
    assert log.search("zebra") == [changed.id]
    assert log.read == ["erfc.md"]
    log.put(replace(changed, title="Quaggas cannot be converted", aliases=()), ago_ns=0)
    assert log.search("zebra") == []
    assert log.search("quagga") == [changed.id]


def test_a_change_that_keeps_size_and_time_is_seen_while_the_clock_may_not_have_ticked(log: Log) -> None:
    log.search("gelu")
    first, second = (
        replace(log.notes["erfc.md"], title=f"{word} cannot be converted") for word in ("zebras", "quagga")
    )
    log.put(first, ago_ns=0)
    stat = first.path.stat()
    assert log.search("zebras")
    log.put(second, ago_ns=0)
    os.utime(first.path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert first.path.stat().st_size == stat.st_size
    assert log.search("quagga")


def test_a_new_time_alone_reads_no_note_again(log: Log) -> None:
    log.search("gelu")
    log.read.clear()
    os.utime(log.folder / "erfc.md")
    log.search("gelu")
    assert log.read == []


def test_a_deleted_note_is_forgotten_and_a_new_one_found(log: Log) -> None:
    assert log.search("StatefulPartitionedCall")
    (log.folder / "grouped-conv.md").unlink()
    assert log.search("StatefulPartitionedCall") == []
    log.put(replace(log.notes["erfc.md"], path=log.folder / "new.md", id="KB-0900", title="Zebras"))
    assert log.search("zebra") == ["KB-0900"]


def test_a_file_that_is_no_note_is_left_out_and_not_read_twice(log: Log) -> None:
    (log.folder / "broken.md").write_text("---\n: no YAML\n", encoding="utf-8")
    os.utime(log.folder / "broken.md", ns=(10**18, 10**18))
    log.search("gelu")
    log.read.clear()
    assert log.search("gelu")
    assert log.read == []


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "no database": lambda content: b"not a database" * 100,
    "cut": lambda content: content[: len(content) // 2],
    "zeros in the middle": lambda content: content[:8192] + b"\0" * 8192 + content[16384:],
    "noise behind the head": lambda content: content[:100] + bytes(255 - byte for byte in content[100:]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_made_anew(log: Log, damage: Callable[[bytes], bytes]) -> None:
    expected = log.search("gelu")
    log.file.write_bytes(damage(log.file.read_bytes()))
    assert log.search("gelu") == expected
    assert log.search("gelu") == expected


def test_a_changed_bit_is_never_an_answer(log: Log) -> None:
    expected = [log.search(text) for text in ("gelu", "export operator", "量化")]
    content = log.file.read_bytes()
    for at in range(1, len(content), len(content) // 60):
        log.file.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        assert [log.search(text) for text in ("gelu", "export operator", "量化")] == expected, at


def test_another_database_in_its_place_is_replaced(log: Log) -> None:
    connection = sqlite3.connect(log.file)
    connection.execute("CREATE TABLE meta (other TEXT)")
    connection.commit()
    connection.close()
    assert log.search("gelu")


def test_an_index_of_an_older_kb_is_made_anew(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.search("gelu")
    log.read.clear()
    monkeypatch.setattr(cache, "_made_by", lambda: "another version")
    assert log.search("gelu")
    assert sorted(log.read) == sorted(log.notes)


def test_where_the_cache_cannot_be_written_the_search_goes_on(log: Log) -> None:
    log.file = log.folder / "erfc.md" / "cache.sqlite"
    assert log.search("gelu")


def test_a_cache_that_stays_locked_is_left_alone(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LOCK_S", 0.1)
    log.search("gelu")
    log.put(replace(log.notes["erfc.md"], title="Zebras"))
    holder = sqlite3.connect(log.file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert log.search("zebra")
    holder.execute("ROLLBACK")
    holder.close()
    assert log.search("zebra")


def test_two_at_once_give_the_same(log: Log) -> None:
    answers: list[list[str]] = []
    threads = [threading.Thread(target=lambda: answers.append(log.search("gelu"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [log.search("gelu")] * 4
    assert sorted(log.read) == sorted(log.notes)


def test_no_folder_is_no_notes(tmp_path: Path) -> None:
    assert ask(tmp_path / "none", lambda paths: [], {}, lambda index: search(index, "gelu"), tmp_path / "c") == []


def test_each_folder_has_a_file_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_file(tmp_path / "a") != cache_file(tmp_path / "b")
    assert cache_file(tmp_path / "a") == cache_file(tmp_path / "b" / ".." / "a")
    assert cache_file(tmp_path / "a").parent == tmp_path / "kb"
