"""Environments that reproducers are run in: which packages in which versions, as asked for and as a script needs."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from kb.packages.families import family_of, normalised
from kb.problems.errors import ProblemError
from kb.problems.note import Note
from kb.records.damage import quoted

#: Dependencies of a script, as it states them itself (https://peps.python.org/pep-0723/).
_STATED = re.compile(r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


@dataclass(frozen=True)
class Arm:
    """An environment that is asked for: packages in one version each, and whatever else the note needs."""

    pins: tuple[tuple[str, str], ...]  #: (package, version), in their order

    @property
    def name(self) -> str:
        return ",".join(f"{package}=={version}" for package, version in self.pins)

    def is_about(self, note: Note) -> bool:
        """Whether the note names any of its packages."""
        return bool({family_of(package) for package, _ in self.pins} & {family_of(name) for name in named(note)})


def arm_of(text: str) -> Arm:
    """Read what `--with` says: `torch==2.13.0`, or several with commas between them.

    Raises:
        ProblemError: one of them is no package with one version.
    """
    pins: dict[str, str] = {}
    for part in filter(None, re.split(r"[,\s]+", text)):
        try:
            requirement = Requirement(part)
        except InvalidRequirement:
            raise ProblemError(f"--with {quoted(part)}: write PACKAGE==VERSION, such as torch==2.13.0") from None
        specifiers = list(requirement.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==" or "*" in specifiers[0].version:
            raise ProblemError(f"--with {quoted(part)}: write one version, such as {requirement.name}==2.13.0")
        pins[normalised(requirement.name)] = specifiers[0].version
    if not pins:
        raise ProblemError("--with names no package: write PACKAGE==VERSION, such as torch==2.13.0")
    return Arm(tuple(sorted(pins.items())))


def named(note: Note) -> list[str]:
    """The packages that a note names."""
    return list(dict.fromkeys(normalised(part.package) for one in note.affected for part in one.ranges))


def versions_of(note: Note, versions: Mapping[str, str]) -> dict[str, str]:
    """Those of the packages that a note names, also under other names of their families."""
    families = {family_of(name) for name in named(note)}
    return {name: versions[name] for name in sorted(versions) if family_of(name) in families}


def requirements_of(note: Note, script: Path, arm: Arm, here: Mapping[str, str]) -> list[str]:
    """What the environment of an arm must have: its pins, and by name what note and script need beside them.

    Of a family the member that is installed here is taken: a machine that has tensorflow-cpu has it for a reason.
    """
    taken = {family_of(package) for package, _ in arm.pins}
    wanted = [f"{package}=={version}" for package, version in arm.pins]
    for text in (*named(note), *stated(script)):
        requirement = Requirement(text)
        family = family_of(requirement.name)
        if family in taken:
            continue
        taken.add(family)
        members = [name for name in here if family_of(name) == family]
        wanted.append(text if normalised(requirement.name) in members or not members else members[0])
    return wanted


def stated(script: Path) -> list[str]:
    """The dependencies that a script states by itself; none where it states nothing that can be read."""
    block = _STATED.search(script.read_text(encoding="utf-8", errors="replace"))
    if not block:
        return []
    lines = (line.removeprefix("#").removeprefix(" ") for line in block["content"].splitlines())
    try:
        found = tomllib.loads("\n".join(lines)).get("dependencies", [])
        return [str(Requirement(each)) for each in found]
    except (tomllib.TOMLDecodeError, InvalidRequirement, TypeError):
        return []
