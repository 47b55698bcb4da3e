"""The page of the problem log: every note as a list, and the index with which the browser finds one from an error."""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any
from urllib.parse import quote

from kb import __version__
from kb.problems import feeds, normal, ranking, signature, spelling, tokens
from kb.problems.index import BEFORE, FIELDS, MAX_CANDIDATES, Entry, MemoryIndex, build
from kb.problems.note import Kind, Note, Severity, State
from kb.problems.portable import portable
from kb.site.render import Page, front_matter, render

PATH = "problems.md"
INDEX = "problems-index.js"
DESCRIPTION = "Problems with PyTorch, TensorFlow, Keras and ONNX Runtime, found from a pasted error."

#: Where a repository's host makes a new file, below its address. GitHub's form takes the name and the content.
NEW_FILE = "new/main/docs/problems"

#: Constants of the ranking that the page needs.
RANKING = (
    *("K1", "B", "MIN_SHARE", "MIN_SHARE_OF_PASTE", "ENOUGH", "MAX_PARTIAL", "MAX_WORDS", "MAX_POSTINGS"),
    *("PREFIX_WORTH", "SLIP_WORTH", "MIN_PREFIX", "MAX_PREFIXED", "COVERED", "MAX_RERANKED", "MAX_REASONS"),
)

#: What the form for a new note is filled in with; the page puts the question in.
TEMPLATE = """\
---
id: KB-0000
title: TITLE
kind: conversion            # conversion, accuracy, performance, crash, install, usage
status: open                # open, workaround, fixed, wontfix, withdrawn
severity: major             # minor, moderate, major, critical
affected:
  - all:
      - package: torch
        introduced: "0"
---

## Symptom

```
ERROR
```

## Cause

## Workaround

## Fix
"""


def pages(notes: Iterable[Note], families: Mapping[str, str], repository: str = "") -> list[Page]:
    """The page, and the index beside it.

    Args:
        families: package -> the package that it counts as.
        repository: address of the repository at a host with GitHub's form for new files; empty where there is none.
    """
    notes = list(notes)
    index = build(sorted(notes, key=lambda note: (note.id, note.path.name)), families)
    entries = [index.entry(number) for number in range(index.size)]
    text = render(
        "problems.md",
        matter=front_matter("Problems", DESCRIPTION, ()),
        provenance=f"Generated from the notes in docs/problems by kb {__version__}.",
        facets=_facets(entries),
        notes=[_shown(entry) for entry in entries],
        numbered=feeds.packages_of(notes),
        new_note=f"{repository.rstrip('/')}/{NEW_FILE}" if repository.startswith("https://") else "",
        form=TEMPLATE.replace("\n", "\\n"),  # a blank line would end the HTML
    )
    return [Page(PATH, text, {INDEX: script(index)})]


def script(index: MemoryIndex) -> bytes:
    """The index as a classic script: it works from a folder. ASCII only, so that no server's encoding can spoil it.

    The browser reads a large text with `JSON.parse` faster than the same as a literal.
    """
    text = json.dumps(_data(index), separators=(",", ":")).replace("\\", "\\\\").replace("'", "\\'")
    return f"window.kbProblems = JSON.parse('{text}');\n".encode("ascii")


def _facets(entries: Sequence[Entry]) -> list[tuple[str, list[str]]]:
    """What one can choose from: packages that a note is about, and the closed sets."""
    return [
        ("package", sorted({package for entry in entries for package in entry.packages})),
        ("kind", [str(kind) for kind in Kind]),
        ("status", [str(state) for state in State]),
        ("severity", [str(severity) for severity in Severity]),
    ]


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "stem": quote(entry.path.removesuffix(".md")),
        "kind": entry.kind,
        "status": entry.status,
        "severity": entry.severity,
        "packages": entry.packages,
    }


def _data(index: MemoryIndex) -> dict[str, Any]:
    """The index with the patterns and constants that the page ranks by: they are Python's, and stand only there."""
    made = index.as_data()
    return {
        "notes": made["notes"],
        "signatures": made["signatures"],
        "index": list(made["words"].items()),
        "families": list(made["families"].items()),
        "meanLength": made["meanLength"],
        "fields": list(FIELDS),
        "before": sorted(BEFORE),
        "text": _text(),
        "words": _words(),
        "signature": {
            "kinds": {kind: portable(pattern) for kind, pattern in signature.KINDS.items()},
            "placeholders": normal.PLACEHOLDERS,
            **_constants(signature, "MAX_SPAN", "MAX_ANY"),
        },
        "spelling": {
            "maxCandidates": MAX_CANDIDATES,
            **_constants(spelling, "MIN_LENGTH", "TWO_SLIPS", "MAX_CORRECTIONS"),
        },
        "ranking": _constants(ranking, *RANKING),
    }


def _text() -> dict[str, Any]:
    """What reading a paste needs."""
    patterns = ("CODES", "SUFFIX", "PYTEST", "HEADER", "ENDS", "EXCEPTION", "NATIVE", "FRAME")
    return {
        **{name.lower(): portable(getattr(normal, name)) for name in patterns},
        "prefixes": [portable(prefix) for prefix in normal.PREFIXES],
        "rules": [(portable(pattern), placeholder) for pattern, placeholder in normal.RULES],
        **_constants(normal, "MAX_HEAD", "MAX_TAIL", "MAX_LINE", "MAX_MESSAGES", "MAX_CONTINUED"),
    }


def _words() -> dict[str, Any]:
    """What cutting a text into words needs."""
    return {
        **{name.lower(): getattr(tokens, name) for name in ("WORD", "CJK", "JOINTS", "HUMPS", "VERSION")},
        "stop": sorted(tokens.STOP),
        **_constants(tokens, "MAX_TOKEN"),
    }


def _constants(module: ModuleType, *names: str) -> dict[str, Any]:
    """Constants by the names that JavaScript gives them: `MAX_SPAN` is `maxSpan`."""
    return {name[0].lower() + name.title().replace("_", "")[1:]: getattr(module, name) for name in names}
