"""Constants as the method page prints them: the value from the running code, the reason from the comment above it."""

import ast
import importlib
import inspect
from collections.abc import Mapping, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Constant:
    """One constant that decides."""

    module: str
    name: str
    value: str
    reason: str


class Undocumented(ValueError):
    """A constant that is not assigned at the top of its module, or has no comment that says why."""


def documented(module: str, name: str) -> Constant:
    """The constant, and the comment lines directly above its assignment (or behind it, on the same line).

    Raises:
        Undocumented: there is no such assignment, or nothing says why.
    """
    loaded = importlib.import_module(module)
    source = inspect.getsource(loaded)
    lines = source.splitlines()
    for statement in ast.parse(source).body:
        if name in _assigned(statement):
            reason = _above(lines, statement.lineno - 1) or _behind(lines[statement.lineno - 1])
            if not reason:
                raise Undocumented(f"{module}.{name} has no comment that says why it is what it is")
            return Constant(module, name, as_text(getattr(loaded, name)), reason)
    raise Undocumented(f"{module} assigns no {name} at its top level")


def as_text(value: object) -> str:
    """A value for a person: numbers as they are, collections as a list."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {as_text(item)}" for key, item in value.items())
    if isinstance(value, Set):
        return ", ".join(sorted(map(str, value)))
    if isinstance(value, (tuple, list)):
        return ", ".join(map(as_text, value))
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def _assigned(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return {statement.target.id}
    if isinstance(statement, ast.Assign):
        return {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return set()


def _above(lines: list[str], line: int) -> str:
    """The unbroken run of comment lines that ends just above a line."""
    first = line
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return " ".join(comment.lstrip("#:").strip() for comment in lines[first:line])


def _behind(line: str) -> str:
    return line.partition("#")[2].lstrip(":").strip()
