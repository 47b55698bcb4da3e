"""Feeds of the problem log, for readers of Atom and JSON Feed: what is new, in all of it and for each package."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from packaging.utils import is_normalized_name

from kb.packages.families import family_of
from kb.problems.exports import FOLDER, as_json, in_order, midnight, page_name
from kb.problems.note import UNNUMBERED, Note
from kb.problems.versions import in_words

#: Notes in a feed. Readers ask for it daily, and keep what they have seen.
MAX_NOTES = 50
#: Characters of a note's Symptom in a feed; its page has the whole.
MAX_TEXT = 2_000

ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"
#: Name of the feed of all notes.
ALL = "all"

#: What the ids of notes are hashed with. Another one would announce every note again.
_IDS = UUID("6f0d3f0c-5f5e-5b0a-9c53-3f1f7c0f6b3e")
#: What XML 1.0 cannot hold, not even escaped. A note can: `"\x01"` in YAML.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Feed:
    """Some notes, the newest first, under the name of their file."""

    name: str
    title: str
    notes: Sequence[Note]
    base: str  #: address of the folder of the generated pages; empty: links lead from the feed's own place

    def link(self, name: str) -> str:
        """The address of a file beside this one."""
        return f"{self.base.rstrip('/')}/{FOLDER}/{name}" if self.base else name

    @property
    def updated(self) -> str:
        return midnight(max(note.modified for note in self.notes))


def files(notes: Iterable[Note], base: str = "") -> dict[str, bytes]:
    """Every feed by its path below the generated pages; none where there are no notes.

    A note without a number is in none: it would be announced again when it has one.

    Args:
        base: address of the folder of the generated pages on the published site; without it, links are relative.
    """
    newest = [note for note in in_order(notes) if note.id != UNNUMBERED][::-1]
    newest.sort(key=lambda note: note.modified, reverse=True)
    if not newest:
        return {}
    every = Feed(ALL, "Problems", newest[:MAX_NOTES], base)
    made = {f"{FOLDER}/{ALL}.atom": as_atom(every)}
    for package, about in _by_package(newest).items():
        feed = Feed(package, f"Problems with {package}", about[:MAX_NOTES], base)
        made |= {f"{FOLDER}/{package}.atom": as_atom(feed), f"{FOLDER}/{package}.json": as_json_feed(feed)}
    return made


def packages_of(notes: Iterable[Note]) -> list[str]:
    """The packages that have a feed of their own."""
    return sorted(Path(path).stem for path in files(notes) if path.endswith(".json"))


def as_atom(feed: Feed) -> bytes:
    """The feed as Atom 1.0 (RFC 4287)."""
    root = ET.Element("feed", {"xmlns": ATOM})
    _add(root, "id", _urn(f"feed {feed.name}"))
    _add(root, "title", feed.title)
    _add(root, "updated", feed.updated)
    ET.SubElement(root, "link", {"rel": "self", "href": feed.link(f"{feed.name}.atom")})
    _add(ET.SubElement(root, "author"), "name", "The problem log")
    for note in feed.notes:
        entry = ET.SubElement(root, "entry")
        _add(entry, "id", _urn(note.id))
        _add(entry, "title", note.title)
        _add(entry, "published", midnight(note.created))
        _add(entry, "updated", midnight(note.modified))
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": feed.link(page_name(note))})
        _add(entry, "summary", _summary(note))
        _add(entry, "content", _text(note))
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def as_json_feed(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1."""
    return as_json(
        {
            "version": JSON_FEED,
            "title": feed.title,
            "feed_url": feed.link(f"{feed.name}.json"),
            "authors": [{"name": "The problem log"}],
            "items": [_item(note, feed) for note in feed.notes],
        }
    )


def _item(note: Note, feed: Feed) -> Mapping[str, Any]:
    return {
        "id": _urn(note.id),
        "url": feed.link(page_name(note)),
        "title": note.title,
        "summary": _summary(note),
        "content_text": _text(note),
        "date_published": midnight(note.created),
        "date_modified": midnight(note.modified),
        "tags": [note.kind, note.status, note.severity],
    }


def _by_package(notes: Iterable[Note]) -> dict[str, list[Note]]:
    """Family -> its notes in their order."""
    found: dict[str, list[Note]] = {}
    for note in notes:
        for family in _families(note):
            found.setdefault(family, []).append(note)
    return {family: found[family] for family in sorted(found)}


def _families(note: Note) -> Iterator[str]:
    """What the note is about, each once. A feed is a file: what is no name of a package is the name of none."""
    named = dict.fromkeys(family_of(part.package) for one in note.affected for part in one.ranges)
    return (family for family in named if is_normalized_name(family) and family != ALL)


def _urn(name: str) -> str:
    """An id that stays when the site moves, the file is renamed or the title changes."""
    return uuid5(_IDS, name).urn


def _summary(note: Note) -> str:
    """`KB-0012: crash, open, major; torch from 2.4 on with onnx before 1.20 (opset <=16)`."""
    combinations = []
    for one in note.affected:
        conditions = ", ".join(f"{name} {wanted}" for name, wanted in one.when.items())
        ranges = " with ".join(in_words(part) for part in one.ranges)
        combinations.append(f"{ranges} ({conditions})" if conditions else ranges)
    about = ", or ".join(combinations)
    return f"{note.id}: {note.kind}, {note.status}, {note.severity}" + (f"; {about}" if about else "")


def _text(note: Note) -> str:
    """What one sees. JSON Feed wants some text of every note."""
    symptom = note.sections.get("Symptom", "").strip() or note.title
    return symptom if len(symptom) <= MAX_TEXT else f"{symptom[:MAX_TEXT]} …"


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = _NO_XML.sub("\ufffd", text)
