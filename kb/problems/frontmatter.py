"""YAML front matter as a tree that knows its lines. A small, plain part of YAML: nothing in it can grow or run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from kb.problems import codes
from kb.problems.complaint import Complain
from kb.records.damage import quoted

#: `affected` -> one of them -> `all` -> one range: four levels. The rest is for what people add by mistake.
MAX_DEPTH = 10

#: Written in C, where PyYAML was built with it: twenty times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVERS: dict[str, list[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers
_TAG = "tag:yaml.org,2002:"
_FENCE = "---"
#: A comment that is hardly meant as one.
_NUMBER = re.compile(r"\s#\d+")
_TAB = re.compile(r" *\t")
#: What the parser says (in C or in Python) -> what to write instead.
_ADVICE = (
    ("found character", "put the value in double quotes: it begins with a character that YAML keeps for itself"),
    ("block scalar", "put the value in double quotes: > and | begin a block of text in YAML"),
    ("mapping values are not allowed", "put the value in double quotes if it has ': ' in it; else check indentation"),
    ("sequence entries are not allowed", "begin the list in the next line, or put the value in double quotes"),
    ("unknown escape character", r"write \\ for a backslash in double quotes, or use single quotes"),
    ("quoted scalar", "close the quotes"),
    ("or ']'", "close the bracket, or put a value that begins with [ in double quotes"),
    ("or '}'", "close the brace, or put a value that begins with { in double quotes"),
    ("flow", "close the bracket, or put a value that has brackets or braces in double quotes"),
    ("block", "check the indentation, and put the whole value in double quotes if it begins with a quote, [ or {"),
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it is written."""

    line: int
    text: str
    type: str  #: what YAML takes it for: str, int, float, bool, null, timestamp


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a key, and the line of the key."""

    line: int
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    """A table of keys, in their order."""

    line: int
    entries: dict[str, Entry]


Node = Scalar | Sequence | Mapping


def lines_of(node: Node, where: str = "") -> Iterator[tuple[str, int]]:
    """Where each value stands: `title`, `signatures[0]`, `affected[0].all[1].fixed`, and their lines."""
    if isinstance(node, Mapping):
        for key, entry in node.entries.items():
            path = f"{where}.{key}" if where else key
            yield path, entry.line
            yield from lines_of(entry.value, path)
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            path = f"{where}[{index}]"
            yield path, item.line
            yield from lines_of(item, path)


class _Refused(Exception):
    """Valid YAML that a note does not need, and that could grow without bounds or mean more than it shows."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def split(lines: list[str], complain: Complain) -> int | None:
    """Index of the line that ends the front matter; None, and a complaint, where it has no beginning or no end."""
    if not lines or lines[0].rstrip() != _FENCE:
        complain(1, codes.NO_FRONT_MATTER, "a note begins with a line ---, then its fields (see TEMPLATE.txt)")
        return None
    for index in range(1, len(lines)):
        if lines[index].rstrip() == _FENCE:
            return index
    complain(1, codes.NO_FRONT_MATTER, "the front matter that begins here has no end: add a line --- after its fields")
    return None


def parse(lines: list[str], complain: Complain) -> Mapping | None:
    """The fields in `lines`, which stand between the two fences; None, and a complaint, where that is no plain table.

    Lines count from the first fence, so the first of `lines` is line 2.
    """
    try:
        tree = _Builder(lines, complain).document()
    except _Refused as refused:
        complain(refused.line, codes.REFUSED_YAML, str(refused))
        return None
    except yaml.MarkedYAMLError as error:
        _complain_of_yaml(error, lines, complain)
        return None
    except yaml.YAMLError:  # a character that YAML does not have, which the file as a whole was checked for
        complain(1, codes.WRONG_YAML, "the front matter has a character that YAML does not allow: remove it")
        return None
    if not isinstance(tree, Mapping):
        complain(2, codes.WRONG_YAML, "the front matter must be fields, one `key: value` a line (see TEMPLATE.txt)")
        return None
    return tree


class _Builder:
    """Makes the tree of a stream of events. Bounded in depth, and every node stands in it once."""

    def __init__(self, lines: list[str], complain: Complain) -> None:
        self._lines = lines
        self._events: Iterator[Any] = yaml.parse("\n".join(lines), Loader=_LOADER)
        self._complain = complain

    def document(self) -> Node | None:
        """The one document of the stream; None where there is none."""
        tree: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if tree is not None or event.version or event.tags:
                    raise _Refused(_line(event), "a second document or a directive of YAML: remove it")
                tree = self._node(next(self._events), 0)
        return tree

    def _node(self, event: Any, depth: int) -> Node:
        _check_plain(event)
        if depth > MAX_DEPTH:
            raise _Refused(_line(event), f"nested more than {MAX_DEPTH} levels deep: notes need four")
        if isinstance(event, yaml.ScalarEvent):
            self._check_whole(event)
            return Scalar(_line(event), event.value, _type(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(_line(event), tuple(self._items(depth)))
        return Mapping(_line(event), self._entries(depth))

    def _check_whole(self, event: Any) -> None:
        """Complain where ` #123` after a value without quotes was lost as a comment."""
        mark = event.start_mark
        line = self._lines[mark.line] if mark.line < len(self._lines) else ""
        if "#" not in line or not event.implicit[0] or not event.value:
            return
        if lost := _NUMBER.match(line, mark.column + len(event.value)):
            message = f"YAML takes{lost[0]} for a comment: put the whole value in double quotes"
            self._complain(_line(event), codes.CUT_OFF, message)

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._node(event, depth + 1)

    def _entries(self, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            _check_plain(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refused(_line(event), "a key must be a word: put a value that begins with { or [ in quotes")
            line, key = _line(event), event.value
            value = self._node(next(self._events), depth + 1)
            if key in entries:
                first = entries[key].line
                message = f"{quoted(key)} is there already, in line {first}: keep one of them"
                self._complain(line, codes.REPEATED_KEY, message)
            else:
                entries[key] = Entry(line, value)
        return entries


def _check_plain(event: Any) -> None:
    """Refuse what makes a value stand for more than it shows.

    Raises:
        _Refused: an anchor, an alias or a tag.
    """
    if event.anchor is not None:
        sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
        raise _Refused(_line(event), f"{sign}{event.anchor} is a reference of YAML: put a value with {sign} in quotes")
    if event.tag is not None:
        raise _Refused(_line(event), f"{event.tag} is a tag of YAML: put a value that begins with ! in quotes")


def _type(event: Any) -> str:
    """What YAML takes a value for; one in quotes is text whatever it says."""
    if not event.implicit[0]:
        return "str"
    for name, pattern in _RESOLVERS.get(event.value[:1], ()):
        if pattern.match(event.value):
            return name.removeprefix(_TAG)
    return "str"


def _line(event: Any) -> int:
    """Line in the file: the event's counts from 0, and the first fence stands before it."""
    return int(event.start_mark.line) + 2


def _complain_of_yaml(error: yaml.MarkedYAMLError, lines: list[str], complain: Complain) -> None:
    mark = error.problem_mark or error.context_mark
    index = min(mark.line if mark else 0, len(lines) - 1)
    for number in (index, index - 1):  # the parser may stumble over a tab only in the line after it
        if 0 <= number < len(lines) and _TAB.match(lines[number]):
            complain(number + 2, codes.TAB, "a tab: YAML is indented with spaces")
            return
    # An open quote or bracket is told where it was opened, not at the end of the file.
    if error.context_mark and error.context and ("quoted" in error.context or "flow" in error.context):
        index = error.context_mark.line
    said = f"{error.problem} ({error.context})" if error.context else str(error.problem)
    advice = next((advice for part, advice in _ADVICE if part in said), "see TEMPLATE.txt for how it is written")
    complain(index + 2, codes.WRONG_YAML, f"not YAML: {said}: {advice}")
