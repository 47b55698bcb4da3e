"""Which versions lie between two: by their order, never by that of a file, and what became of each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from kb.changelogs.entry import Entry, Section, Stage

#: Share of a section's text below which the report says that it was not read whole.
MIN_COVERAGE = 0.8


@dataclass(frozen=True)
class Step:
    """A version on the way, with all that is said of it."""

    version: Version
    sections: tuple[Section, ...]
    remarks: tuple[str, ...] = ()  #: what a reader should know before trusting it

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for section in self.sections for entry in section.entries)

    @property
    def withdrawn(self) -> bool:
        return any(section.stage is Stage.WITHDRAWN for section in self.sections)

    @property
    def date(self) -> str:
        return next((section.date for section in self.sections if section.date), "")


@dataclass(frozen=True)
class LeftOut:
    """A version between the two that is not on the way."""

    version: str  #: as its section names it
    reason: str


@dataclass(frozen=True)
class Way:
    """The way from one version to another."""

    start: Version
    end: Version
    steps: tuple[Step, ...]  #: in the order in which they are passed: downwards in a downgrade
    history: tuple[Step, ...]  #: every version that was ever released or withdrawn, upwards
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def downgrade(self) -> bool:
        return self.end < self.start

    def passes(self, version: Version) -> bool:
        """Whether a version is in the half-open range (start, end], or (end, start] in a downgrade."""
        low, high = sorted((self.start, self.end))
        return low < version <= high


def way(sections: Sequence[Section], start: Version, end: Version) -> Way:
    """The versions in (start, end], lowest first; in a downgrade those in (end, start], highest first.

    The range is one of version numbers. Patch releases of the lines in between are in it; those of an older line are
    not, however late they came, nor are those after `end`.
    """
    placed, unplaced = _placed(sections)
    low, high = sorted((start, end))
    kept: dict[Version, list[Section]] = {}
    left_out = list(unplaced)
    told = {version for version, group in placed.items() if any(_tells(section) for section in group)}
    for version in sorted(placed):
        for section in placed[version]:
            reason = _why_not(version, section, high, told)
            if reason is None:
                kept.setdefault(version, []).append(section)
            elif low < version <= high:
                left_out.append(LeftOut(section.version, reason))
    end_date = "" if end < start else _date_of(kept, end)
    history = tuple(_step(version, group, end_date) for version, group in kept.items())
    steps = tuple(step for step in history if low < step.version <= high)
    steps = steps[::-1] if end < start else steps
    return Way(start, end, steps, history, tuple(left_out), tuple(_remarks(history, end)))


def line_of(version: Version) -> tuple[int, int]:
    """The line that a version is a patch release of: (2, 7) for 2.7.1."""
    return version.major, version.minor


def public_version(text: str) -> Version | None:
    """A version as it counts here, without what names a build of it; None for what is no version."""
    try:
        return Version(Version(text).public)
    except InvalidVersion:
        return None


def _placed(sections: Iterable[Section]) -> tuple[dict[Version, list[Section]], list[LeftOut]]:
    placed: dict[Version, list[Section]] = {}
    unplaced = []
    for section in sections:
        version = public_version(section.version)
        if version is not None:
            placed.setdefault(version, []).append(section)
        elif section.stage is Stage.UPCOMING:
            unplaced.append(LeftOut(section.version, "not released yet, and without a number"))
        else:
            unplaced.append(LeftOut(section.version, "no version number, so it has no place in the order"))
    return placed, unplaced


def _tells(section: Section) -> bool:
    return section.stage in (Stage.RELEASED, Stage.WITHDRAWN) and bool(section.entries)


def _why_not(version: Version, section: Section, high: Version, told: set[Version]) -> str | None:
    """Why a section is not read. What the user names as the end is read whatever became of it."""
    if section.stage is Stage.UPCOMING:
        return None if version == high else "not released yet"
    if section.stage is Stage.PRERELEASE or version.is_prerelease:
        release = Version(version.base_version)
        if version < release <= high and release in told:
            return f"a pre-release: what it brought is told under {release}"
    return None


def _step(version: Version, sections: Sequence[Section], end_date: str) -> Step:
    remarks = []
    stages = {section.stage for section in sections}
    if Stage.WITHDRAWN in stages:
        remarks.append("withdrawn or skipped: do not install it")
    if Stage.UPCOMING in stages:
        remarks.append("its notes say that it is not released yet")
    if Stage.PRERELEASE in stages or version.is_prerelease:
        remarks.append("a pre-release")
    for section in sections:
        if section.trouble:
            remarks.append(f"was not read whole: {section.trouble}")
        elif section.coverage < MIN_COVERAGE:
            remarks.append(f"only {section.coverage:.0%} of its text was understood")
    step = Step(version, tuple(sections))
    if _later(step.date, end_date):
        remarks.append(f"came out after the version at the end ({end_date}), which need not have what is in it")
    return Step(version, tuple(sections), tuple(remarks))


def _date_of(kept: dict[Version, list[Section]], version: Version) -> str:
    return next((section.date for section in kept.get(version, ()) if section.date), "")


def _later(date: str, other: str) -> bool:
    """Whether one ISO date is after another, as far as both are stated: ``2025-03`` is not after ``2025-03-14``."""
    common = min(len(date), len(other))
    return common > 0 and date[:common] > other[:common]


def _remarks(history: Sequence[Step], end: Version) -> Iterable[str]:
    """What is not known, or not well, of the version that the user ends with."""
    if not history:
        return
    target = next((step for step in history if step.version == end), None)
    if target is not None:
        yield from (f"{end}: {remark}" for remark in target.remarks)
        return
    newest = history[-1].version
    if newest < end:
        yield f"nothing is known of {end}: what is known ends with {newest}"
    else:
        yield f"nothing is known of {end} itself"
