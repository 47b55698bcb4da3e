"""The conditions of a note beside versions: device, provider, opset, Python, system, CPU flags. Yes, no or unknown."""

import operator
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from packaging.version import Version

from kb.complaints import nearest
from kb.machine.cpu import ARM_FLAGS, X86_FLAGS
from kb.problems.fields import is_version
from kb.records.damage import quoted

#: What a condition may be about. Opset and Python are compared as versions, the others by name.
COMPARED = ("opset", "python")
NAMED = ("device", "provider", "os", "cpu_flag")
CONDITIONS = (*NAMED, *COMPARED)
SYSTEMS = ("linux", "macos", "windows")
CPU_FLAGS = tuple(sorted({*X86_FLAGS, *ARM_FLAGS.values()}))
PROVIDER_SUFFIX = "ExecutionProvider"

#: Begins a name that must not be there.
NOT = "!"
_COMPARISON = re.compile(r"(>=|<=|==|!=|>|<)\s*(\S+)")
#: On as many parts of the version as the bound has: 3.11.7 is `<=3.11` and not `>3.11`, as a person means it, where
#: PEP 440 has it the other way round.
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip

#: What is known of a place: condition -> every value that holds there (all devices, all flags). A key that is missing
#: is not known; an empty list is known to be none.
Facts = Mapping[str, tuple[str, ...]]


class Answer(StrEnum):
    """Whether something holds. What cannot be known is not denied."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def all_of(answers: list[Answer]) -> Answer:
    """One no is a no; without it, one unknown leaves all unknown."""
    if Answer.NO in answers:
        return Answer.NO
    return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.YES


def holds(name: str, wanted: str, facts: Facts) -> Answer:
    """Whether one condition holds: every term of it, which commas part (`avx512f, !avx512_vnni`)."""
    if name not in facts:
        return Answer.UNKNOWN
    test = _in_range if name in COMPARED else _named
    return Answer.YES if all(test(term, facts[name]) for term in _terms(wanted)) else Answer.NO


def fault(name: str, wanted: str) -> str:
    """What is wrong with a condition, and what to write instead; empty where nothing is."""
    if name not in CONDITIONS:
        return f"{quoted(name)} is no condition; {nearest(name, CONDITIONS)}"
    terms = _terms(wanted)
    if not terms:
        return f"{name} says nothing: write a value, or leave it away"
    return next(filter(None, (_FAULTS[name](term) for term in terms)), "")


def _terms(wanted: str) -> list[str]:
    return [term.strip() for term in wanted.split(",") if term.strip()]


def _named(term: str, values: tuple[str, ...]) -> bool:
    there = {value.casefold() for value in values}
    if term.startswith(NOT):
        return term[1:].strip().casefold() not in there
    return term.casefold() in there


def _in_range(term: str, values: tuple[str, ...]) -> bool:
    """Whether any value lies in the range."""
    sign, bound = _comparison(term)
    limit = Version(bound).release
    here = [Version(value).release[: len(limit)] for value in values if is_version(value)]
    return any(_OPERATORS[sign](value, limit) for value in here)


def _comparison(term: str) -> tuple[str, str]:
    """Operator and bound of a term; a bare number means itself, and `!` anything else."""
    if found := _COMPARISON.fullmatch(term):
        return found[1], found[2]
    return ("!=", term[1:].strip()) if term.startswith(NOT) else ("==", term)


def _range_fault(name: str, example: str) -> Callable[[str], str]:
    def fault_of(term: str) -> str:
        if is_version(_comparison(term)[1]):
            return ""
        return f"{name}: {quoted(term)} is neither a number nor a range: write {example}"

    return fault_of


def _name_fault(name: str, valid: tuple[str, ...]) -> Callable[[str], str]:
    def fault_of(term: str) -> str:
        wanted = term.removeprefix(NOT).strip()
        return "" if wanted in valid else f"{name}: {quoted(wanted)} is not known; {nearest(wanted, valid)}"

    return fault_of


def _provider_fault(term: str) -> str:
    wanted = term.removeprefix(NOT).strip()
    if wanted.endswith(PROVIDER_SUFFIX) and wanted != PROVIDER_SUFFIX:
        return ""
    return f"provider: {quoted(wanted)} is no provider of ONNX Runtime: write one such as CPU{PROVIDER_SUFFIX}"


def _device_fault(term: str) -> str:
    """Any word: a runtime from elsewhere may drive a device that kb has never heard of."""
    wanted = term.removeprefix(NOT).strip()
    return (
        "" if re.fullmatch(r"[a-z][a-z0-9_]*", wanted) else f"device: {quoted(wanted)}: write one such as cpu or cuda"
    )


_FAULTS: dict[str, Callable[[str], str]] = {
    "device": _device_fault,
    "provider": _provider_fault,
    "os": _name_fault("os", SYSTEMS),
    "cpu_flag": _name_fault("cpu_flag", CPU_FLAGS),
    "opset": _range_fault("opset", '17, ">=17" or ">=17, <20"'),
    "python": _range_fault("python", '"3.12", ">=3.12" or ">=3.11, <3.13"'),
}
