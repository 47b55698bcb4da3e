"""A new note from an error: what can be known is filled in, and what a person must decide is marked TODO."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from packaging.version import Version

from kb.problems.fields import is_version
from kb.problems.known_packages import known_packages
from kb.problems.note import UNNUMBERED, Kind
from kb.problems.pasted import Pasted
from kb.problems.surroundings import Place

#: Longest title and file name that are proposed: both are read in lists.
MAX_TITLE, MAX_NAME = 110, 48

#: What an error says -> the kind of problem it is; the first that fits, and `usage` where none does.
KINDS = (
    (
        r"\b(?:ModuleNotFound|Import)Error\b|DLL load failed|undefined symbol|cannot open shared object"
        r"|No matching distribution|ResolutionImpossible|incompatible with your|dependency conflict",
        Kind.INSTALL,
    ),
    (
        r"[Ss]egmentation fault|Fatal Python error|core dumped|\bSIG(?:SEGV|ABRT|BUS|ILL|KILL)\b|[Ii]llegal instruction"
        r"|[Oo]ut of memory|OutOfMemoryError|\bMemoryError\b|RESOURCE_EXHAUSTED|\bKilled\b",
        Kind.CRASH,
    ),
    (r"\bNot close\b|not equal to tolerance|\bMismatched elements\b|AssertionError: Tensor-likes", Kind.ACCURACY),
    (
        r"\b(?:torch[./]onnx|onnxscript|tf2onnx|torch_onnx|keras2onnx|opset)\b|\b[Ee]xport|\b[Cc]onver[ts]",
        Kind.CONVERSION,
    ),
)

#: Signatures for an error, the most telling first.
Propose = Callable[[str], Sequence[str]]

_TEMPLATE = """\
---
id: {id}
title: {title}
kind: {kind}  # conversion, accuracy, performance, crash, install, usage
status: open  # open, workaround, fixed, wontfix, withdrawn
severity: major  # TODO: minor, moderate, major or critical?
affected:
  - all:
      - package: {package}{which}
        introduced: "{introduced}"  # TODO: the first version that has it, or "0" if all do
symbols: []  # APIs, e.g. torch.onnx.export
operators: []  # of ONNX, e.g. Resize
signatures:{signatures}
reproducer:  # a script beside the note that exits 0 when the problem is gone
references: []  # {{type: report, url: "https://..."}}; also fix, advisory, discussion, documentation, article
aliases: []  # e.g. pytorch/pytorch#1
related: []
created: {today}
modified: {today}
---

## Symptom

{symptom}

{seen}

## Cause

## Workaround

## Fix
"""


@dataclass(frozen=True)
class Draft:
    """A note that is not written yet."""

    name: str  #: what its file may be called, without the ending
    text: str


def draft(error: Pasted | None, place: Place, propose: Propose, today: date, title: str = "") -> Draft:
    """The note for an error, or an empty one."""
    given = one_line(title)
    title = given or (proposed_title(error) if error else "")
    package, introduced = suspect(place)
    text = _TEMPLATE.format(
        id=UNNUMBERED,
        title=_quoted(title or "TODO: what goes wrong, in one line that a colleague would search for"),
        kind=proposed_kind(error.text) if error else Kind.USAGE,
        package=package,
        which="" if package in place.suspects else "  # TODO: which package?",
        introduced=introduced,
        signatures=_list(propose(error.text)) if error else " []",
        today=today.isoformat(),
        symptom=fenced(error.text) if error and error.text else "TODO: what one sees, such as the error, between ```",
        seen=_seen(place),
    )
    return Draft(proposed_name(given or (_without_place(error.message) if error else "") or title), text)


def proposed_title(error: Pasted) -> str:
    """What the error says, at most a line of a list long."""
    said = one_line(": ".join(part for part in (error.exception, _without_place(error.message)) if part))
    if len(said) <= MAX_TITLE:
        return said
    cut = said[: MAX_TITLE - 1]
    whole_words = cut.rpartition(" ")[0]
    return f"{whole_words if len(whole_words) > MAX_TITLE // 2 else cut}…"


def proposed_kind(text: str) -> Kind:
    """The kind of problem that the words of an error point to."""
    return next((kind for pattern, kind in KINDS if re.search(pattern, text)), Kind.USAGE)


def proposed_name(text: str) -> str:
    """The words of a title or message as a file name, without numbers, which differ from case to case."""
    words = re.findall(r"[^\W\d_]\w*", text.replace("'", " ").casefold())
    name = ""
    for word in words:
        if len(name) + len(word) >= MAX_NAME:
            break
        name = f"{name}-{word}" if name else word
    return name or (words[0][:MAX_NAME] if words else "new-note")


def suspect(place: Place) -> tuple[str, str]:
    """Package and public version for the first range: the first that notes know, of those that the error names."""
    known = known_packages()
    for name in (*place.suspects, *place.versions):
        if name in known and is_version(version := place.versions[name]):
            return name, Version(version).public
    return "torch", "0"


def fenced(text: str) -> str:
    """The text as a code block, whatever fences it has itself."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text}\n{fence}"


def one_line(text: str) -> str:
    """The text in one line, with single spaces."""
    return " ".join(text.split())


def _without_place(message: str) -> str:
    """A message of native code without the level, file and line that its logger puts before it."""
    return re.sub(r"^\[[^\[\]]*:[^\[\]]*\]\s+(?=\S)", "", message)


def _seen(place: Place) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in place.versions.items())
    return f"Seen with {packages or 'no package that kb knows'} ({place.system}; {place.machine})."


def _list(texts: Sequence[str]) -> str:
    return "".join(f"\n  - {_quoted(text)}" for text in texts) or " []"


def _quoted(text: str) -> str:
    """Text in double quotes: JSON's escapes are YAML's."""
    return json.dumps(text, ensure_ascii=False)
