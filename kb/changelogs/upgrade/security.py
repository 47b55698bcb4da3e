"""Vulnerabilities: each once, with the versions that fix it, and whether the upgrade gains or loses the fix."""

from collections.abc import Iterable, Iterator, Sequence

from packaging.version import Version

from kb.changelogs.entry import Category, Entry
from kb.changelogs.upgrade.finding import Finding, Kind
from kb.changelogs.upgrade.text import listed
from kb.changelogs.upgrade.versions import Step, Way, line_of


def security(way: Way) -> Iterator[Finding]:
    """Vulnerabilities whose fix the way gains, loses or passes by, and security entries that name none."""
    for cve, fixes in _fixes(way.history).items():
        versions = [step.version for step, _ in fixes]
        if (reason := _reason(way, versions)) is None:
            continue
        step, entry = next(((s, e) for s, e in fixes if way.passes(s.version)), fixes[0])
        fixed_in = tuple(map(str, versions))
        yield Finding(Kind.SECURITY, str(step.version), entry, reason, cve=cve, fixed_in=fixed_in)
    for step in way.steps:
        for entry in step.entries:
            if entry.category is Category.SECURITY and not entry.cves:
                reason = f"a fix that {way.end} does not have" if way.downgrade else "about security"
                yield Finding(Kind.SECURITY, str(step.version), entry, reason, fixed_in=(str(step.version),))


def is_fixed(version: Version, fixes: Sequence[Version]) -> bool:
    """Whether a version has a fix that these versions brought.

    Fixes come to several lines at once: one in 2.6.3 is not in 2.7.0, though 2.7.0 is the higher one. A version has
    it if an earlier or equal one of its own line has it, if the first version of an older line has it, or if its line
    is newer than all that were fixed.
    """
    line = line_of(version)
    for fix in fixes:
        same_line = line_of(fix) == line and fix <= version
        first_of_an_older_line = fix.micro == 0 and line_of(fix) < line
        if same_line or first_of_an_older_line:
            return True
    return all(line_of(fix) < line for fix in fixes)


def _reason(way: Way, fixes: Sequence[Version]) -> str | None:
    """Why a vulnerability matters on this way; None where it does not."""
    before, after = is_fixed(way.start, fixes), is_fixed(way.end, fixes)
    if not before and after:
        return f"not fixed in {way.start} by these notes"
    if before and not after:
        return f"the fix that {way.start} has is lost: {way.end} does not have it"
    if not after and any(way.passes(fix) for fix in fixes):
        later = [fix for fix in fixes if fix > way.end]
        advice = f"; {min(later)} has it" if later else ""
        return f"fixed in {listed(fix for fix in fixes if way.passes(fix))}, but not in {way.end}{advice}"
    return None


def _fixes(history: Iterable[Step]) -> dict[str, list[tuple[Step, Entry]]]:
    """Each vulnerability, with the versions whose notes name it, upwards, and the first entry of each that does."""
    found: dict[str, list[tuple[Step, Entry]]] = {}
    for step in history:
        for entry in step.entries:
            for cve in entry.cves:
                fixes = found.setdefault(cve.upper(), [])
                if not fixes or fixes[-1][0] is not step:
                    fixes.append((step, entry))
    return found
