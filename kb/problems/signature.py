"""Lines of an error with placeholders: read, refused if they would match too much, and found in linear time.

A signature is never a regular expression. It is split into literal text and placeholders, and matched by keeping the
set of places that a match may have reached, as intervals, from one part to the next (the simulation of all paths at
once, after Thompson 1968, "Regular expression search algorithm"). Nothing is ever tried twice, so the time is bounded
by parts times length of the text, whatever the signature says.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kb.complaints import nearest
from kb.problems.normal import EXCEPTION, NATIVE, PLACEHOLDERS, Line, cleaned, messages, normalised

#: Most placeholders of one signature: an error that a program prints has fewer, and each costs a pass over the text.
MAX_PLACEHOLDERS = 24

#: Longest signature, in characters: a status line of ONNX Runtime with its names taken out is a third of it.
MAX_LENGTH = 600

#: Least literal text, without white space, that a signature must have in one piece and altogether: `Error {any}` would
#: match almost everything.
MIN_LITERAL, MIN_WEIGHT = 4, 6

#: Most characters that one placeholder stands for; `{any}` has more, since it takes what is left of a line.
MAX_SPAN, MAX_ANY = 300, 1_000

#: Most signatures that `propose` returns: a person reads them all.
MAX_PROPOSED = 6

#: Letters that a proposed signature must keep; below that it says nothing.
MIN_PROPOSED = 12

#: What a placeholder stands for, in text without white space. Any beginning of what the pattern finds will do, so that
#: the literal text behind it may begin earlier. The page of the site is given these too (see kb.problems.normal).
KINDS = {
    "int": r"[+\-]?[0-9]{1,40}",
    "float": r"[+\-]?[0-9.]{1,40}(?:[eE][+\-]?[0-9]{1,5})?|[+\-]?(?:nan|inf|NaN|Infinity)",
    "number": r"[+\-]?(?:0x[0-9a-fA-F]{1,40}|[0-9.,_]{1,40}(?:[eE][+\-]?[0-9]{1,5})?|nan|inf|NaN|Infinity)",
    "path": rf"[^\u0022'<>|\n]{{1,{MAX_SPAN}}}",
    "name": rf"[^\u0022',;(){{}}=\n]{{1,{MAX_SPAN}}}",
    "shape": (
        r"(?:torch\.Size)?\(?(?:torch\.Size\()?[\[({](?:[^\[\](){}\u0022\n]|[\[({][^\[\](){}\u0022\n]{0,80}[\])}]){0,200}[\])}]\)?"
        r"|[0-9]+(?:[x\u00d7*][0-9]+){0,30}"
    ),
    "version": r"v?[0-9][0-9A-Za-z.+\-]{0,60}",
    "hex": r"(?:0[xX])?[0-9a-fA-F][0-9a-fA-F\-]{0,80}",
    "any": rf"[^\n]{{0,{MAX_ANY}}}",
}

_BRACES = re.compile(r"\{([a-z]+)\}")


class SignatureError(ValueError):
    """A signature that cannot be used. One line: what is wrong with it, and what to write instead."""


@dataclass(frozen=True)
class Signature:
    """A signature in its parts."""

    text: str  #: as the note has it
    parts: tuple[tuple[str, str], ...]  #: ("", literal without white space) or (kind, "")

    @property
    def literals(self) -> tuple[str, ...]:
        return tuple(literal for kind, literal in self.parts if not kind)

    @property
    def weight(self) -> int:
        """How much literal text it has: of two signatures that match, the one with more says more."""
        return sum(map(len, self.literals))

    @property
    def anchor(self) -> str:
        """Its longest literal text: where that is not, the signature cannot match."""
        return max(self.literals, key=len)


@dataclass(frozen=True)
class Squeezed:
    """A paste without white space, since line wraps and indentation do not count."""

    text: str
    breaks: tuple[int, ...]  #: where in it a new line began: `{any}` stops there


@lru_cache(maxsize=4096)
def compile_signature(text: str) -> Signature:
    """Read a signature.

    Raises:
        SignatureError: an unknown placeholder, too many, too long, or not enough literal text.
    """
    count = len(_BRACES.findall(text))
    if count > MAX_PLACEHOLDERS:
        raise SignatureError(
            f"a signature with {count} placeholders is over the limit of {MAX_PLACEHOLDERS}: "
            "replace the part that varies as a whole with one {any}"
        )
    if len(text) > MAX_LENGTH:
        raise SignatureError(
            f"a signature of {len(text):,} characters is over the limit of {MAX_LENGTH}: keep the one line of the "
            "error that is always the same"
        )
    parts: list[tuple[str, str]] = []
    for index, piece in enumerate(_BRACES.split(text)):
        if index % 2:
            _add_placeholder(parts, piece)
        elif literal := _squeeze(piece):
            parts.append(("", literal))
    _refuse_too_loose(text, parts)
    first, last = parts[0][0] == "any", len(parts) - (parts[-1][0] == "any")  # at an end it says nothing
    return Signature(text, tuple(parts[first:last]))


def _add_placeholder(parts: list[tuple[str, str]], kind: str) -> None:
    if kind not in KINDS:
        raise SignatureError(
            f"{{{kind}}} is no placeholder; {nearest(kind, PLACEHOLDERS)} (any other text in braces stands for itself)"
        )
    if not (kind == "any" and parts and parts[-1][0] == "any"):  # one after another says the same
        parts.append((kind, ""))


def _refuse_too_loose(text: str, parts: Sequence[tuple[str, str]]) -> None:
    literals = [len(literal) for kind, literal in parts if not kind]
    if max(literals, default=0) < MIN_LITERAL or sum(literals) < MIN_WEIGHT:
        raise SignatureError(
            f"the signature {text!r} has less than {MIN_WEIGHT} characters of literal text, or no {MIN_LITERAL} in one "
            "piece, and would match almost anything: keep the words that are always the same"
        )


def squeeze(lines: Iterable[Line]) -> Squeezed:
    """The lines of a paste as signatures are matched against them."""
    pieces, breaks, length = [], [], 0
    for line in lines:
        if piece := _squeeze(line.text):
            pieces.append(piece)
            length += len(piece)
            breaks.append(length)
    return Squeezed("".join(pieces), tuple(breaks))


def matches(signature: str, text: str) -> bool:
    """Whether the signature stands anywhere in the text, whatever white space and line wraps are in between.

    Raises:
        SignatureError: the signature cannot be used.
    """
    return found_in(compile_signature(signature), squeeze(cleaned(text)))


def found_in(signature: Signature, squeezed: Squeezed) -> bool:
    """The same for a signature and a text that are prepared."""
    if signature.anchor not in squeezed.text:
        return False
    reached = _beginnings(signature, squeezed)
    for kind, literal in signature.parts:
        reached = _after_placeholder(kind, reached, squeezed) if kind else _after_literal(literal, reached, squeezed)
        if not reached:
            return False
    return True


def propose(traceback: str) -> list[str]:
    """Signatures for the errors of a traceback, the last one (what the program died of) first.

    Each matches the traceback. Modules before the name of an exception are left out, as notebooks and some tools do.
    """
    lines = cleaned(traceback)
    squeezed = squeeze(lines)
    found = []
    for message in reversed(messages(lines)):
        text = _shortened(_without_module(normalised(message).removeprefix("- ")))
        if _letters(text) >= MIN_PROPOSED and text not in found and _usable(text, squeezed):
            found.append(text)
    telling = [text for text in found if _names_an_exception(text)]  # the others are hints, if there is one at all
    return (telling or found)[:MAX_PROPOSED]


def _beginnings(signature: Signature, squeezed: Squeezed) -> list[tuple[int, int]]:
    """Where a match may begin, as intervals with both ends included: not far before the first literal text."""
    before = next(index for index, (kind, _) in enumerate(signature.parts) if not kind)
    literal = signature.parts[before][1]
    ends = _after_literal(literal, [(0, len(squeezed.text))], squeezed)
    starts = [(max(0, first - len(literal) - before * MAX_SPAN), last - len(literal)) for first, last in ends]
    return _merged(starts)


def _after_literal(literal: str, reached: Iterable[tuple[int, int]], squeezed: Squeezed) -> list[tuple[int, int]]:
    """Where a match is after this text, from each place where it stands."""
    text, found = squeezed.text, []
    for first, last in reached:
        at = text.find(literal, first, last + len(literal))
        while at >= 0:
            found.append((at + len(literal), at + len(literal)))
            at = text.find(literal, at + 1, last + len(literal))
    return _merged(found)


def _after_placeholder(kind: str, reached: Iterable[tuple[int, int]], squeezed: Squeezed) -> list[tuple[int, int]]:
    """Where a match may be after this placeholder: every beginning of what its pattern finds."""
    pattern = _pattern(kind)
    found, covered = [], -1
    for start in _points(reached, len(squeezed.text)):
        if kind == "any":
            end = min(_end_of_line(start, squeezed), start + MAX_ANY)
            found.append((start, end))
            continue
        if start <= covered and kind in ("path", "name"):
            found.append((start + 1, min(covered, start + MAX_SPAN)))
            continue
        if match := pattern.match(squeezed.text, start):
            covered = match.end() if match.end() < start + MAX_SPAN else start
            found.append((start + 1, match.end()))
    return _merged(found)


def _points(reached: Iterable[tuple[int, int]], length: int) -> Iterator[int]:
    for first, last in reached:
        yield from range(first, min(last, length) + 1)


def _end_of_line(start: int, squeezed: Squeezed) -> int:
    index = bisect_left(squeezed.breaks, start + 1)
    return squeezed.breaks[index] if index < len(squeezed.breaks) else len(squeezed.text)


def _merged(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Intervals in order, those that touch as one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        elif first <= last:
            merged.append((first, last))
    return merged


@lru_cache(maxsize=len(KINDS))
def _pattern(kind: str) -> re.Pattern[str]:
    return re.compile(KINDS[kind], re.ASCII)


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _without_module(line: str) -> str:
    """`torch.onnx.errors.UnsupportedOperatorError: ...` without the modules."""
    head, colon, rest = line.partition(": ")
    if colon and re.fullmatch(r"(?:\w+\.)+[A-Z]\w*", head):
        return f"{head.rpartition('.')[2]}: {rest}"
    return line


def _names_an_exception(text: str) -> bool:
    return re.search(rf"^[A-Z]\w*: |{EXCEPTION}|{NATIVE}", text, re.ASCII) is not None


def _letters(text: str) -> int:
    return sum(map(str.isalpha, _BRACES.sub("", text)))


def _shortened(text: str) -> str:
    """At most a line that a person still reads, ending at a word."""
    if len(text) <= MAX_LENGTH // 3:
        return text
    return text[: MAX_LENGTH // 3].rpartition(" ")[0] or text[: MAX_LENGTH // 3].rpartition("{")[0]


def _usable(text: str, squeezed: Squeezed) -> bool:
    try:
        return found_in(compile_signature(text), squeezed)
    except SignatureError:
        return False
