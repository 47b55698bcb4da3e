"""`kb problem propose`: a patch of a note's front matter that settles what its reproducer contradicts.

Nothing is written: whoever knows the problem reads the patch, and applies it or not (`git apply`).
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from packaging.version import InvalidVersion, Version

from kb.packages.families import family_of
from kb.problems.endings import REPRODUCES
from kb.problems.note import Note, State
from kb.problems.outcomes import Contradiction, Standing, contradiction
from kb.problems.sections import FIX, WORKAROUND
from kb.problems.telling import place
from kb.problems.versions import FROM_THE_FIRST, public

#: The end of a range that is about to be replaced, in a line of its own or in braces.
_END = r"(?:fixed|last_affected)\s*:\s*(?:\"[^\"]*\"|'[^']*'|[^\s,}#]+)"

#: How git and patch say that the last line of a file has no end.
_NO_NEWLINE = "\n\\ No newline at end of file\n"


@dataclass(frozen=True)
class Proposal:
    """A patch, and what a person has to know and do beside it."""

    patch: str
    remarks: tuple[str, ...]


@dataclass
class _Lines:
    """The lines of a note while they are changed; numbers are those of the file, from 1."""

    lines: list[str]

    def substitute(self, number: int, pattern: str, replacement: str) -> bool:
        """Change what matches first in a line; whether anything did."""
        old = self.lines[number - 1]
        new = re.sub(pattern, lambda found: found.expand(replacement), old, count=1)
        self.lines[number - 1] = new
        return new != old


def propose(note: Note, standings: Sequence[Standing], root: Path, today: date) -> Proposal | None:
    """The patch for a note; None where nothing contradicts it.

    Raises:
        OSError: the note cannot be read.
    """
    found = contradiction(note, standings)
    if found is None:
        return None
    text = note.path.read_bytes().decode("utf-8")
    before = _split(text)
    lines = _Lines(list(before))
    remarks = [f"{note.path.name}: {found.message}"]
    remarks += _reopen(note, lines, found) if note.status is State.FIXED else _close(note, lines, found, standings)
    lines.substitute(note.lines["modified"], r"\d{4}-\d{2}-\d{2}", today.isoformat())
    name = place(note.path, root)
    diff = difflib.unified_diff(before, _split("".join(lines.lines)), f"a/{name}", f"b/{name}")
    return Proposal("".join(line if line.endswith("\n") else f"{line}{_NO_NEWLINE}" for line in diff), tuple(remarks))


def _reopen(note: Note, lines: _Lines, found: Contradiction) -> list[str]:
    """A fix that does not hold: the note is open again, and the ranges that end before what was seen have no end."""
    state = State.WORKAROUND if note.sections.get(WORKAROUND, "").strip() else State.OPEN
    _set_status(note, lines, state)
    remarks = []
    for number, where, package in _ends(note):
        seen = [version for one in found.shown for version in _versions_of(one, package)]
        if seen and not _remove_end(lines, number):
            remarks.append(f"remove the end of the range of {package} by hand ({where}, line {number})")
    return [*remarks, "say under ## Fix that it came back, or where it was never fixed"]


def _close(note: Note, lines: _Lines, found: Contradiction, standings: Sequence[Standing]) -> list[str]:
    """A problem that is gone: the note is fixed, from the first version on in which it was seen to be."""
    _set_status(note, lines, State.FIXED)
    bad = [one for one in standings if one.outcome == REPRODUCES]
    good = [one.first or one for one in found.shown]
    changed = False
    moved = _moved(note, bad, good)
    for where, package, introduced in _ranges(note):
        if package not in moved:
            continue
        version = min((version for one in good for version in _versions_of(one, package)), default=None)
        if version is None or (introduced != FROM_THE_FIRST and version <= public(introduced)):
            continue
        changed |= _set_end(note, lines, where, version)
    remarks = []
    if not note.sections.get(FIX, "").strip():
        remarks.append("write under ## Fix what one has to do: a note that is fixed says so")
    if not changed:
        return [*remarks, "no version can be named as the one with the fix: add fixed to the range that it belongs to"]
    return [*remarks, "fixed is the first version that was seen without the problem; an earlier one may have the fix"]


def _moved(note: Note, bad: Sequence[Standing], good: Sequence[Standing]) -> set[str]:
    """The packages that may have brought the fix: those whose version differs from where the problem is still seen."""
    packages = list(dict.fromkeys(package for _, package, _ in _ranges(note)))
    if not bad:
        return set(packages[:1])  # the package that a note is about comes first in it
    return {
        package
        for package in packages
        if not {v for one in bad for v in _versions_of(one, package)}
        & {v for one in good for v in _versions_of(one, package)}
    }


def _ranges(note: Note) -> list[tuple[str, str, str]]:
    """Where each range stands, its package, and its first version."""
    return [
        (f"affected[{i}].all[{j}]", part.package, part.introduced)
        for i, one in enumerate(note.affected)
        for j, part in enumerate(one.ranges)
    ]


def _ends(note: Note) -> list[tuple[int, str, str]]:
    """The ends of ranges: line, field, package; the last line first, so that removing one moves no other."""
    found = []
    for where, package, _ in _ranges(note):
        for end in ("fixed", "last_affected"):
            if number := note.lines.get(f"{where}.{end}"):
                found.append((number, f"{where}.{end}", package))
    return sorted(found, reverse=True)


def _set_status(note: Note, lines: _Lines, state: State) -> None:
    lines.substitute(note.lines["status"], rf"(status\s*:\s*[\"']?){note.status}\b", rf"\g<1>{state}")


def _set_end(note: Note, lines: _Lines, where: str, version: Version) -> bool:
    """Give a range its end, in place of the one that it has, or behind the line of its first version."""
    end = f'fixed: "{version}"'
    for name in ("fixed", "last_affected"):
        if number := note.lines.get(f"{where}.{name}"):
            return lines.substitute(number, _END, end)
    number = note.lines[f"{where}.introduced"]
    line = lines.lines[number - 1]
    key = re.search(r"introduced\s*:\s*(?:\"[^\"]*\"|'[^']*')", line)
    if key is None:
        return False
    if "{" in line[: key.start()]:
        lines.lines[number - 1] = f"{line[: key.end()]}, {end}{line[key.end() :]}"
        return True
    newline = "\r\n" if line.endswith("\r\n") else "\n"
    lines.lines[number - 1] = f"{line}{' ' * key.start()}{end}{newline}"
    return True


def _remove_end(lines: _Lines, number: int) -> bool:
    """Take the end of a range away: its line, or its place in braces."""
    if re.fullmatch(rf"\s*{_END}\s*(?:#.*)?", lines.lines[number - 1]):
        lines.lines[number - 1] = ""
        return True
    return lines.substitute(number, rf",\s*{_END}|{_END}\s*,\s*", "")


def _split(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, as in the numbers of a note's lines and in git."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _versions_of(standing: Standing, package: str) -> list[Version]:
    """The versions of a package, or of its family, that were there."""
    found = []
    for name, version in standing.versions.items():
        if family_of(name) == family_of(package):
            try:
                found.append(public(version))
            except InvalidVersion:
                continue
    return found
