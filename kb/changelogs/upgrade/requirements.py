"""What a user wants to upgrade, and from where to where: pairs of pins on the command line, or two lock files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from kb.changelogs.upgrade.errors import UpgradeError
from kb.complaints import show
from kb.packages.families import family_of
from kb.packages.pins import Pin, pinned_version

EXAMPLE = "`torch==2.7 torch==2.10`"


class RequirementsError(UpgradeError):
    """A pin or a pair of pins that cannot be used."""


@dataclass(frozen=True)
class Change:
    """One project whose version changes. It is added where `before` is None, and removed where `after` is."""

    project: str  #: whose changelog tells of it
    before: Pin | None
    after: Pin | None

    @property
    def name(self) -> str:
        """The distribution that is there afterwards, or was there before."""
        pin = self.after or self.before
        return pin.name if pin else self.project

    @property
    def ends(self) -> tuple[Version, Version] | None:
        """From and to, as a changelog counts them; None where something is added or removed."""
        if self.before is None or self.after is None:
            return None
        return public(self.before.version), public(self.after.version)


@dataclass(frozen=True)
class Question:
    """What is to be looked up."""

    changes: tuple[Change, ...]
    remarks: tuple[str, ...] = ()  #: what of the lock files could not be used
    asked_for: bool = True  #: each project was named by the user, and not only met in a lock file


def public(version: Version) -> Version:
    """The version without what names a build of it: 2.10.0 for ``2.10.0+cpu``."""
    return Version(version.public)


def asked(pins: Sequence[str], from_lock: Path | None, to_lock: Path | None) -> Question:
    """The question: pairs of pins, or two lock files.

    Raises:
        kb.changelogs.upgrade.errors.UpgradeError: neither, both, or one that cannot be used.
    """
    if from_lock is None and to_lock is None:
        return from_words(pins)
    if from_lock is None or to_lock is None:
        raise RequirementsError("--from-lock and --to-lock belong together; give both")
    if pins:
        raise RequirementsError("give either pins or two lock files; leave one of them away")
    return from_locks(from_lock, to_lock)


def from_words(words: Sequence[str]) -> Question:
    """The changes that pairs of pins ask for, e.g. ``["torch==2.7", "torch==2.10"]``. Pairs may be mixed.

    Raises:
        RequirementsError: a word is no pin, or a project has not two different ones.
    """
    if not words:
        raise RequirementsError(f"nothing to upgrade: give a package twice, from and to, e.g. {EXAMPLE}")
    pairs: dict[str, list[Pin]] = {}
    for word in words:
        pin = _pin(word)
        pairs.setdefault(family_of(pin.name), []).append(pin)
    return Question(tuple(_change(project, pins) for project, pins in pairs.items()))


def from_locks(before: Path, after: Path) -> Question:
    """The changes from one lock file to another, the projects in alphabetical order.

    Raises:
        kb.changelogs.upgrade.lockfiles.LockError: one of them cannot be read, or pins nothing.
    """
    from kb.changelogs.upgrade.lockfiles import read_lock

    old, new = read_lock(before), read_lock(after)
    return Question(tuple(_changes(old.pins, new.pins)), old.remarks + new.remarks, asked_for=False)


def _pin(word: str) -> Pin:
    try:
        requirement = Requirement(word)
        version = pinned_version(requirement)
    except (InvalidRequirement, InvalidVersion):
        raise RequirementsError(f"{show(word)} is no pin: write a name, == and a version, e.g. {EXAMPLE}") from None
    if version is None:
        raise RequirementsError(f"{show(word)} names no single version: write it with ==, e.g. {EXAMPLE}")
    return Pin(requirement.name, version)


def _change(project: str, pins: Sequence[Pin]) -> Change:
    told = ", ".join(f"{pin.name}=={pin.version}" for pin in pins)
    if len(pins) != 2:
        times = "once" if len(pins) == 1 else f"{len(pins)} times"
        raise RequirementsError(f"{project} is given {times} ({told}): give it twice, from and to, e.g. {EXAMPLE}")
    before, after = pins
    if public(before.version) == public(after.version):
        raise RequirementsError(f"{told}: both are {public(after.version)}; give two different versions")
    return Change(project, before, after)


def _changes(old: Mapping[str, Pin], new: Mapping[str, Pin]) -> list[Change]:
    """Distributions are compared by name; one that gave way to another build of the same project is a change of it."""
    changes = [
        Change(family_of(name), old[name], new[name])
        for name in old.keys() & new.keys()
        if public(old[name].version) != public(new[name].version)
    ]
    gone = _by_project(old, new)
    come = _by_project(new, old)
    for project in gone.keys() | come.keys():
        before, after = gone.get(project), come.get(project)
        if before and after and public(before.version) == public(after.version):
            continue  # another build of the same version
        changes.append(Change(project, before, after))
    return sorted(changes, key=lambda change: (change.project, change.name))


def _by_project(pins: Mapping[str, Pin], others: Mapping[str, Pin]) -> dict[str, Pin]:
    """Pins of names that the others have not; of two builds of one project the first by name."""
    found: dict[str, Pin] = {}
    for name in sorted(pins.keys() - others.keys()):
        found.setdefault(family_of(name), pins[name])
    return found
