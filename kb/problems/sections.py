"""The sections of a note's Markdown: Symptom, Cause, Workaround, Fix, also by their Chinese names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from kb.complaints import nearest
from kb.problems import codes
from kb.problems.complaint import Complain
from kb.records.damage import quoted

SYMPTOM, CAUSE, WORKAROUND, FIX = SECTIONS = ("Symptom", "Cause", "Workaround", "Fix")
#: How else a section may be called.
ALIASES = {
    "现象": SYMPTOM,
    "症状": SYMPTOM,
    "原因": CAUSE,
    "规避": WORKAROUND,
    "临时方案": WORKAROUND,
    "修复": FIX,
    "解决": FIX,
}

#: What matters in a line: it opens or closes a code block, also one in a list or a quotation, or it is a heading.
#: Headings begin in the first column, so that a `## comment` in a code block of a list is none in any case.
_MARK = re.compile(
    r"^(?:[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+)*(?P<fence>`{3,}|~{3,})(?P<info>.*)|##[ \t]+(?P<heading>\S.*))$",
    re.MULTILINE,
)
_CLOSING_HASHES = re.compile(r"[ \t]+#+[ \t]*$")


@dataclass
class Body:
    """The Markdown below the front matter, taken apart."""

    sections: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)  #: section -> the line of its heading


@dataclass(frozen=True)
class Heading:
    """A heading of the second level: the line it is in, and where it begins and ends in the text."""

    line: int
    title: str
    start: int
    end: int


def read_body(text: str, first_line: int, complain: Complain) -> Body:
    """The sections of `text`, whose first line is line `first_line` of the file."""
    body = Body()
    headings = list(_headings(text, first_line, complain))
    before = text[: headings[0].start] if headings else text
    if before.strip():
        line = first_line + _leading_lines(before)
        message = "text before the first section belongs to none: move it under ## Symptom"
        complain(line, codes.TEXT_BEFORE_SECTIONS, message)
    for heading, following in zip_longest(headings, headings[1:]):
        end = following.start if following else len(text)
        name = _name(heading, complain)
        if name in body.sections:
            message = f"## {name} is there already, in line {body.lines[name]}: put both under one heading"
            complain(heading.line, codes.REPEATED_SECTION, message)
        else:
            body.sections[name] = text[heading.end : end].strip("\n")
            body.lines[name] = heading.line
    return body


def outside_code(text: str) -> str:
    """The text with its code blocks blanked out, line for line."""
    kept = list(text.split("\n"))
    opened: int | None = None
    fence = ""
    for number, line in enumerate(kept):
        mark = _MARK.match(line)
        found = mark["fence"] if mark else None
        if opened is None and mark and found and _opens(mark):
            opened, fence = number, found
        elif opened is not None and mark and found and _closes(mark, fence):
            opened = None
            kept[number] = ""
        if opened is not None:
            kept[number] = ""
    return "\n".join(kept)


def _headings(text: str, first_line: int, complain: Complain) -> Iterator[Heading]:
    """The headings that are not in a code block; an open block is complained of."""
    opened: re.Match[str] | None = None
    line, position = first_line, 0
    opened_line = 0
    for mark in _MARK.finditer(text):
        line += text.count("\n", position, mark.start())
        position = mark.start()
        if opened is not None:
            if mark["fence"] and _closes(mark, opened["fence"]):
                opened = None
        elif mark["heading"]:
            yield Heading(line, _CLOSING_HASHES.sub("", mark["heading"]).strip(), mark.start(), mark.end())
        elif _opens(mark):
            opened, opened_line = mark, line
    if opened is not None:
        message = f"the code block that begins here is never closed: end it with {opened['fence'][:8]}"
        complain(opened_line, codes.OPEN_FENCE, message)


def _opens(mark: re.Match[str]) -> bool:
    """A line of backticks with another backtick after them is code within a line."""
    return not (mark["fence"][0] == "`" and "`" in mark["info"])


def _closes(mark: re.Match[str], fence: str) -> bool:
    return mark["fence"][0] == fence[0] and len(mark["fence"]) >= len(fence) and not mark["info"].strip()


def _name(heading: Heading, complain: Complain) -> str:
    """The section's own name; a heading that is none of the four is kept as it is."""
    title = heading.title.rstrip(":：").strip()
    name = ALIASES.get(title, title.capitalize())
    if name in SECTIONS:
        return name
    message = f"{quoted(title)} is none of the four sections; {nearest(title, (*SECTIONS, *ALIASES))}"
    complain(heading.line, codes.UNKNOWN_SECTION, message)
    return title


def _leading_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")
