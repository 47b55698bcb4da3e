"""One problem note: what a Markdown file in `docs/problems` says, as data that nothing in it can break out of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

#: Id of a note that has not been given a number; `kb problem assign-ids` gives one.
UNNUMBERED = "KB-0000"


class Kind(StrEnum):
    """What kind of problem it is. A closed set."""

    CONVERSION = "conversion"
    ACCURACY = "accuracy"
    PERFORMANCE = "performance"
    CRASH = "crash"
    INSTALL = "install"
    USAGE = "usage"


class State(StrEnum):
    """How it stands. A closed set."""

    OPEN = "open"
    WORKAROUND = "workaround"
    FIXED = "fixed"
    WONTFIX = "wontfix"
    WITHDRAWN = "withdrawn"


class Severity(StrEnum):
    """How bad it is. A closed set, the worst last."""

    MINOR = "minor"
    MODERATE = "moderate"
    MAJOR = "major"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Range:
    """Versions of one package: from `introduced` on, up to `fixed` (without it) or `last_affected` (with it)."""

    package: str  #: as the package index names it; a family (onnxruntime, -gpu, -directml) counts as one
    introduced: str  #: `0`: from the first version on
    fixed: str = ""
    last_affected: str = ""


@dataclass(frozen=True)
class Affected:
    """One combination that has the problem: all of its ranges, and all of its conditions."""

    ranges: tuple[Range, ...]
    #: device, provider, opset, python, os, cpu_flag -> what it must be: a value, or a range such as `>=17`
    when: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """Where one can read more."""

    type: str  #: report, fix, advisory, discussion, documentation, article
    url: str


@dataclass(frozen=True)
class Note:
    """One note. A person wrote it: kb never edits its file."""

    path: Path
    id: str
    title: str
    kind: Kind
    status: State
    severity: Severity
    affected: tuple[Affected, ...]  #: any of them
    created: date
    modified: date
    symbols: tuple[str, ...] = ()  #: names of APIs, e.g. `torch.onnx.export`
    operators: tuple[str, ...] = ()  #: ONNX operator types, e.g. `Resize`
    signatures: tuple[str, ...] = ()  #: lines of an error with placeholders: `Unsupported onnx_opset_version: {int}`
    reproducer: str = ""  #: a script beside the note that exits 0 when the problem is gone
    references: tuple[Reference, ...] = ()
    aliases: tuple[str, ...] = ()  #: names that others have for it: `CVE-2024-1`, `pytorch/pytorch#1`
    related: tuple[str, ...] = ()  #: ids of other notes
    sections: Mapping[str, str] = field(default_factory=dict)  #: Symptom, Cause, Workaround, Fix -> its Markdown
    #: field (`id`, `signatures[0]`, `affected[0].all[1].fixed`) or section -> its line in the file, from 1
    lines: Mapping[str, int] = field(default_factory=dict)
