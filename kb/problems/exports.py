"""The problem log for programs: all of it in kb's own shape, and what other tools understand of it in that of OSV."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from kb.outside_text import safe_url
from kb.packages.families import FAMILIES, family_of, normalised
from kb.problems.note import UNNUMBERED, Affected, Note, Range, Reference, State

#: Folder of the notes' pages and feeds below the generated pages.
FOLDER = "problems"
OWN = "problems.json"
OSV = "problems-osv.json"

#: Of `problems.json`; a key that goes or changes its meaning raises it, a new key does not.
SHAPE = 1
#: Of OSV (https://ossf.github.io/osv-schema/).
OSV_VERSION = "1.6.0"
#: What a reference of a note is called there; all others are WEB.
OSV_TYPES = {
    "report": "REPORT", "fix": "FIX", "advisory": "ADVISORY", "discussion": "DISCUSSION", "article": "ARTICLE",
}  # fmt: skip


def files(notes: Iterable[Note]) -> dict[str, bytes]:
    """Both files, by their paths below the generated pages."""
    ordered = in_order(notes)
    own = {"shape": SHAPE, "notes": [own_record(note) for note in ordered]}
    return {OWN: as_json(own), OSV: as_json([osv_record(note) for note in ordered if note.id != UNNUMBERED])}


def in_order(notes: Iterable[Note]) -> list[Note]:
    """By number, and by file where there is none or two have the same."""
    return sorted(notes, key=lambda note: (len(note.id), note.id, note.path.name))


def as_json(content: object) -> bytes:
    """The same content is always the same bytes."""
    return f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode()


def page_name(note: Note) -> str:
    """The name of the note's page as a link to it has it."""
    return f"{quote(note.path.stem)}.html"


def midnight(day: date) -> str:
    """A day as RFC 3339 writes a moment: notes know no hours."""
    return f"{day.isoformat()}T00:00:00Z"


def as_markdown(sections: Mapping[str, str]) -> str:
    """The sections that have text, under their headings."""
    return "\n\n".join(f"## {name}\n\n{text.strip()}" for name, text in sections.items() if text.strip())


def own_record(note: Note) -> dict[str, Any]:
    """Every field of a note, and where its page is."""
    return {
        "id": note.id,
        "title": note.title,
        "kind": note.kind,
        "status": note.status,
        "severity": note.severity,
        "affected": [_combination(one) for one in note.affected],
        "symbols": note.symbols,
        "operators": note.operators,
        "signatures": note.signatures,
        "reproducer": note.reproducer,
        "references": [{"type": one.type, "url": one.url} for one in note.references],
        "aliases": note.aliases,
        "related": note.related,
        "created": note.created.isoformat(),
        "modified": note.modified.isoformat(),
        "sections": {name: text.strip() for name, text in note.sections.items()},
        "page": f"{FOLDER}/{page_name(note)}",
    }


def osv_record(note: Note) -> dict[str, Any]:
    """A note as a record of OSV, where it has a number: an id in OSV is for ever.

    OSV calls a package affected whatever else is installed. `database_specific` has the combinations and conditions
    without which a note does not apply.
    """
    withdrawn = {"withdrawn": midnight(note.modified)} if note.status is State.WITHDRAWN else {}
    return {
        "schema_version": OSV_VERSION,
        "id": note.id,
        "modified": midnight(note.modified),
        "published": midnight(note.created),
        **withdrawn,
        "aliases": note.aliases,
        "related": note.related,
        "summary": note.title,
        "details": as_markdown(note.sections),
        "affected": list(_osv_affected(note)),
        "references": [_osv_reference(one) for one in note.references if safe_url(one.url)],
        "database_specific": {
            "kind": note.kind,
            "status": note.status,
            "severity": note.severity,
            "any_of": [_combination(one) for one in note.affected],
        },
    }


def _combination(one: Affected) -> dict[str, Any]:
    """As in a note: all ranges, and all conditions."""
    ranges = [{"package": part.package, **_bounds(part)} for part in one.ranges]
    return {"all": ranges, "when": dict(sorted(one.when.items()))}


def _osv_affected(note: Note) -> Iterator[dict[str, Any]]:
    """Each package once, with every range that any combination has of it."""
    found: dict[str, dict[Range, None]] = {}
    for part in (part for one in note.affected for part in one.ranges):
        found.setdefault(normalised(part.package), {})[part] = None
    for name in sorted(found):
        events = [[{event: version} for event, version in _bounds(part).items()] for part in found[name]]
        yield {
            "package": {"ecosystem": "PyPI", "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": each} for each in events],
            **_family(name),
        }


def _bounds(part: Range) -> dict[str, str]:
    """The events of a range. One with both ends ends at `fixed`: OSV allows one of them."""
    bounds = {"introduced": part.introduced}
    if part.fixed:
        bounds["fixed"] = part.fixed
    elif part.last_affected:
        bounds["last_affected"] = part.last_affected
    return bounds


def _family(name: str) -> dict[str, Any]:
    """Other names under which the package is installed: they are affected as well."""
    family = family_of(name)
    others = [member for member in (family, *FAMILIES.get(family, ())) if member != name]
    return {"database_specific": {"family": others}} if others else {}


def _osv_reference(reference: Reference) -> dict[str, str]:
    return {"type": OSV_TYPES.get(reference.type, "WEB"), "url": reference.url}
