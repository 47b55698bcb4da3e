"""What `kb explain` and `kb search` say: where the notes are, what is asked, and the hits with their reasons.

Settings are read here without their validation, which takes longer than the whole answer may; where anything about
them is odd, they are read in full, and the error says what.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from kb.packages.families import FAMILY_OF
from kb.problems.cache import Reader, ask
from kb.problems.index import Index
from kb.problems.normal import MAX_HEAD, MAX_TAIL
from kb.problems.ranking import Hit, Tier, explain, search

#: Folder of the notes where the settings name no other.
FOLDER = "docs/problems"

#: Width at which a long signature is cut in the answer.
MAX_SHOWN = 160

#: Beginning of a file -> how it is encoded: what PowerShell writes with `>`, and what Windows editors put there.
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))

#: What a kind of match is called.
MATCHES = {Tier.SIGNATURE: "signature", Tier.ALL_WORDS: "all words", Tier.SOME_WORDS: "some words"}


def notes_folder(start: Path) -> Path:
    """Where the notes of the knowledge base around `start` are.

    Raises:
        kb.config.ConfigError: there is no knowledge base here, or its settings cannot be used.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        notes = _named(folder / "pyproject.toml")
        if notes is not None:
            return (folder / notes).resolve()
    from kb.config import load_settings

    return load_settings(start).problems


def note_reader(folder: Path) -> Reader:
    """Reads notes of this folder. Imported only when a note has changed: YAML and what checks it take their time."""

    def read(paths: Sequence[Path]) -> Iterable[Any]:
        from kb.problems.reading import read_note

        return [note for path in paths if (note := read_note(path).note) is not None]

    return read


def hits_of(folder: Path, text: str, limit: int, pasted: bool) -> list[Hit]:
    """The notes that answer a pasted error, or words."""
    find: Callable[[Index, str, int], list[Hit]] = explain if pasted else search
    return ask(folder, note_reader(folder), FAMILY_OF, lambda index: find(index, text, limit))


def read_paste(stream: BinaryIO) -> str:
    """The text of a paste, whatever its encoding; of a very long one its beginning and its end."""
    content = stream.read()
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    most = 4 * (MAX_HEAD + MAX_TAIL)  # at most four bytes a character
    if len(content) > most:
        content = content[: 4 * MAX_HEAD] + content[-4 * MAX_TAIL :]
    return content.decode(encoding, errors="replace").removeprefix("\ufeff")


def as_json(hits: Iterable[Hit]) -> str:
    """Hits for a program."""
    return json.dumps({"hits": [_as_data(hit) for hit in hits]}, indent=2, ensure_ascii=False)


def as_text(hits: Iterable[Hit], folder: Path) -> str:
    """Hits for a person: what the note is, where it is, and why it is shown."""
    return "\n\n".join("\n".join(_lines(hit, folder)) for hit in hits)


def _lines(hit: Hit, folder: Path) -> Iterable[str]:
    entry = hit.entry
    yield f"{entry.id}  {_line(entry.title)}"
    about = [entry.kind, entry.status, entry.severity, *entry.packages]
    yield f"  {_shown(folder / entry.path)}  ({', '.join(about)})"
    for signature in hit.signatures:
        yield f"  signature: {_line(signature)}"
    if hit.reasons:
        told = ", ".join(_told(reason.word, reason.found, reason.fields) for reason in hit.reasons)
        yield f"  {'words' if hit.tier is Tier.SIGNATURE else MATCHES[hit.tier]}: {told}"
    for version in hit.covered:
        yield f"  version: {version} is affected"


def _told(word: str, found: str, fields: Sequence[str]) -> str:
    """``resize (title, operator)``; ``operatr ~ operator (title)`` where the index has another word."""
    return f"{word if word == found else f'{word} ~ {found}'} ({', '.join(fields)})"


def _as_data(hit: Hit) -> dict[str, Any]:
    entry = hit.entry
    return {
        "id": entry.id,
        "title": entry.title,
        "path": entry.path,
        "kind": entry.kind,
        "status": entry.status,
        "severity": entry.severity,
        "packages": entry.packages,
        "match": MATCHES[hit.tier],
        "score": round(hit.score, 6),
        "signatures": hit.signatures,
        "words": [{"word": each.word, "found": each.found, "fields": each.fields} for each in hit.reasons],
        "covers": hit.covered,
    }


def _named(path: Path) -> str | None:
    """The folder of notes that a pyproject.toml names, if it is a knowledge base's and plainly right."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["kb"]
        notes = table.get("problems", FOLDER)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return notes if isinstance(notes, str) else None


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _line(text: str) -> str:
    """Text of a note as one line of a terminal: what does not print could move the cursor or change colours."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]} …"
