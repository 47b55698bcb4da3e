"""Notes from their files: one damaged note is told of, line by line, and never stops the others."""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.problems import codes
from kb.problems.codes import Code
from kb.problems.complaint import Complain, Complaint, complaint
from kb.problems.fields import Table
from kb.problems.frontmatter import lines_of, parse, split
from kb.problems.note import Affected, Kind, Note, Range, Reference, Severity, State
from kb.problems.sections import SECTIONS, Body, outside_code, read_body

#: A note is a page that a person reads. A whole log of a build belongs into a file beside it.
MAX_BYTES = 2**20

#: Markdown files beside the notes that are none: they explain the folder.
NOT_NOTES = frozenset({"README.md", "index.md"})

KEYS = (
    "id", "title", "kind", "status", "severity", "affected", "symbols", "operators", "signatures", "reproducer",
    "references", "aliases", "related", "created", "modified",
)  # fmt: skip
RANGE_KEYS = ("package", "introduced", "fixed", "last_affected")
REFERENCE_KEYS = ("type", "url")

_MARK = b"\xef\xbb\xbf"
#: All but tab and line ends: what colours a terminal, moves its cursor, or is no text at all; line ends that only some
#: programs count, so that lines have other numbers for each; and marks that show a line in another order than it has.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]")
_TO_DO = re.compile(r"\bTODO\b:?(.*)")
#: Colours are the usual reason, and would be a complaint in every line of a traceback.
MAXCONTROL_COMPLAINTS = 3


@dataclass(frozen=True)
class Reading:
    """What one file gave. There is no note where a complaint is fatal, and only there."""

    note: Note | None
    complaints: tuple[Complaint, ...]


@dataclass(frozen=True)
class Log:
    """All notes of a folder that can be read, and what is wrong with the others."""

    notes: tuple[Note, ...]
    complaints: tuple[Complaint, ...]


def read_notes(folder: Path) -> Log:
    """Every note in the folder, in the order of the file names. No folder means no notes.

    Raises:
        OSError: the folder cannot be listed.
    """
    readings = [read_note(path) for path in note_files(folder)]
    notes = tuple(reading.note for reading in readings if reading.note is not None)
    return Log(notes, tuple(found for reading in readings for found in reading.complaints))


def note_files(folder: Path) -> list[Path]:
    """The files that are meant as notes: Markdown in the folder itself, hidden ones and its README aside."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.glob("*.md") if path.name not in NOT_NOTES and path.name[0] != ".")


def read_note(path: Path) -> Reading:
    """One note, or what is wrong with it."""
    complaints: list[Complaint] = []

    def complain(line: int, code: Code, message: str) -> None:
        complaints.append(complaint(path, line, code, message))

    content = _content(path, complain)
    text = None if content is None else _decoded(content, complain)
    note = None if text is None else _note(path, text, complain)
    if text is not None:
        _complain_of_what_is_left(text, complain)
    damaged = any(found.code.fatal for found in complaints)
    return Reading(None if damaged else note, tuple(sorted(complaints, key=lambda found: found.order)))


def _content(path: Path, complain: Complain) -> bytes | None:
    """The bytes of the file. A link, a pipe or a device could be anything, of any size, and is refused."""
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode):
            complain(1, codes.UNREADABLE, "no regular file: a note is a file of its own, no link and no folder")
            return None
        if facts.st_size > MAX_BYTES:
            size = f"{facts.st_size / 2**20:.1f} MiB"
            message = f"{size}, and a note has at most {MAX_BYTES // 2**20} MiB: quote the lines that matter"
            complain(1, codes.TOO_LARGE, message)
            return None
        return path.read_bytes()
    except OSError as error:
        complain(1, codes.UNREADABLE, f"cannot be read: {error.strerror}")
        return None


def _decoded(content: bytes, complain: Complain) -> str | None:
    """The text, with plain line ends; what cannot be in a note is told."""
    if content.startswith(_MARK):
        message = "begins with a byte order mark, which hides the --- from other tools: save as UTF-8 without BOM"
        complain(1, codes.BYTE_ORDER_MARK, message)
        content = content.removeprefix(_MARK)
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        complain(line, codes.NOT_UTF8, f"byte {content[error.start]:#04x} is not UTF-8: save the file as UTF-8")
        return None
    for number, found in enumerate(CONTROL.finditer(text)):
        if number == MAXCONTROL_COMPLAINTS:
            break
        line = text.count("\n", 0, found.start()) + 1
        message = f"control character U+{ord(found[0]):04X}: paste without colours, or remove it"
        complain(line, codes.CONTROL_CHARACTER, message)
    return text


def _note(path: Path, text: str, complain: Complain) -> Note | None:
    """The note that the text makes. Where a field is wrong it is complained of, and something stands in its place."""
    lines = text.split("\n")
    end = split(lines, complain)
    if end is None:
        return None
    tree = parse(lines[1:end], complain)
    body = read_body("\n".join(lines[end + 1 :]), end + 2, complain)
    _complain_of_missing(body, end + 1, complain)
    if tree is None:
        return None
    fields = Table(tree, "", complain)
    fields.known(KEYS)
    return Note(path=path, sections=body.sections, lines={**dict(lines_of(tree)), **body.lines}, **_fields(fields))


def _fields(fields: Table) -> dict[str, Any]:
    """The fields of a note that stand in its front matter, by their names."""
    return {
        "id": fields.text("id", required=True),
        "title": fields.text("title", required=True).strip(),
        "kind": fields.choice("kind", Kind),
        "status": fields.choice("status", State),
        "severity": fields.choice("severity", Severity),
        "affected": tuple(_affected(fields)),
        "created": fields.date("created"),
        "modified": fields.date("modified"),
        "symbols": fields.texts("symbols"),
        "operators": fields.texts("operators"),
        "signatures": fields.texts("signatures"),
        "reproducer": fields.text("reproducer"),
        "references": tuple(_references(fields)),
        "aliases": fields.texts("aliases"),
        "related": fields.texts("related"),
    }


def _affected(fields: Table) -> Iterator[Affected]:
    for item in fields.tables("affected", required=True):
        item.known(("all", "when"))
        ranges = item.tables("all", required=True)
        yield Affected(tuple(_range(one) for one in ranges), item.conditions("when"))


def _range(fields: Table) -> Range:
    fields.known(RANGE_KEYS)
    return Range(
        package=fields.text("package", required=True),
        introduced=fields.version("introduced", required=True),
        fixed=fields.version("fixed"),
        last_affected=fields.version("last_affected"),
    )


def _references(fields: Table) -> Iterator[Reference]:
    for item in fields.tables("references"):
        item.known(REFERENCE_KEYS)
        yield Reference(item.text("type", required=True), item.text("url", required=True))


def _complain_of_what_is_left(text: str, complain: Complain) -> None:
    """A TODO in a quoted error is the program's own."""
    if "TODO" not in text:
        return
    for number, line in enumerate(outside_code(text).split("\n"), start=1):
        if found := _TO_DO.search(line):
            what = found[1].strip(' "') or "see the line"
            complain(number, codes.TO_DO, f"still to do: {what} (then remove the TODO)")


def _complain_of_missing(body: Body, line: int, complain: Complain) -> None:
    """`line`: where the front matter ends, after which the section belongs."""
    for name in SECTIONS:
        if name not in body.sections:
            complain(line, codes.MISSING_SECTION, f"no section ## {name}: add the heading, if only with nothing below")
    if "Symptom" in body.sections and not body.sections["Symptom"].strip():
        message = "## Symptom is empty: paste what one sees, such as the end of the traceback, between ``` lines"
        complain(body.lines["Symptom"], codes.EMPTY_SYMPTOM, message)
