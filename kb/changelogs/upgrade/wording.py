"""The sentences that every format shares: what was asked, what was found, what is not known."""

from collections.abc import Iterator

from kb.changelogs.upgrade.finding import BREAKS, Finding
from kb.changelogs.upgrade.match import Confidence, Match
from kb.changelogs.upgrade.report import PackageReport, Report
from kb.changelogs.upgrade.requirements import Change
from kb.changelogs.upgrade.text import listed

#: Places shown of one finding; JSON and SARIF have all.
MAX_PLACES = 5


def headline(change: Change) -> str:
    """``torch 2.7 → 2.10``."""
    if change.before is None:
        return f"{change.name} {change.after.version if change.after else ''} is added"
    if change.after is None:
        return f"{change.name} {change.before.version} is removed"
    moved = "" if change.before.name == change.after.name else f" (from {change.before.name})"
    return f"{change.name} {change.before.version} → {change.after.version}{moved}"


def versions(package: PackageReport) -> str:
    """The versions on the way, in its order, with what became of them."""
    if package.way is None or not package.way.steps:
        return ""
    told = [
        f"{step.version} ({'; '.join(step.remarks)})" if step.remarks else str(step.version)
        for step in package.way.steps
    ]
    return f"On the way: {', '.join(told)}."


def left_out(package: PackageReport) -> Iterator[tuple[str, str]]:
    """Versions that are not on the way, with the reason. The version is outside text."""
    if package.way is not None:
        yield from ((out.version, out.reason) for out in package.way.left_out)


def dated(finding: Finding) -> str:
    """``2.8.0``, or ``2.8.0, in effect with 2.10``."""
    return f"{finding.version}, in effect with {finding.effective}" if finding.effective else finding.version


def why(finding: Finding) -> str:
    """The reason, and for a vulnerability which versions fix it."""
    fixed = f"; fixed in {listed(finding.fixed_in)}" if finding.cve and finding.fixed_in else ""
    return f"{finding.reason}{fixed}"


def places(finding: Finding) -> tuple[tuple[Match, ...], int]:
    """The first lines of code that use it, and how many more there are."""
    by_line: dict[str, Match] = {}
    for match in finding.matches:
        by_line.setdefault(match.use.place, match)
    lines = tuple(by_line.values())
    return lines[:MAX_PLACES], max(0, len(lines) - MAX_PLACES)


def conclusion(report: Report) -> str:
    """What it comes to, in one or two sentences."""
    findings = [finding for package in report.packages for finding in package.findings]
    breaking = [finding for finding in findings if finding.kind in BREAKS]
    if not report.changed:
        return "No package changes its version."
    known = len(report.changed) - len(report.unknown)
    of = f"{_count(known, 'package')} of {len(report.changed)} known. "
    if report.scan is None:
        return f"{of}{_count(len(breaking), 'entry', 'entries')} may break code; --scan PATH puts first what it uses."
    sure = [finding for finding in breaking if finding.breaks_code]
    perhaps = [finding for finding in breaking if finding.confidence is Confidence.POSSIBLE]
    scanned = f"{_count(report.scan.files, 'file')} scanned"
    unread = f", {len(report.scan.unread)} not" if report.scan.unread else ""
    return (
        f"{of}{scanned}{unread}: of {_count(len(breaking), 'breaking entry', 'breaking entries')} "
        f"{len(sure)} name{'s' if len(sure) == 1 else ''} what the code uses, and {len(perhaps)} may."
    )


def unknown(report: Report) -> str:
    """The packages of which nothing is known, and what to do about it; empty where there are none."""
    names = sorted({package.change.project for package in report.unknown})
    if not names:
        return ""
    shown, more = names[:20], len(names) - 20
    others = f" and {more} others" if more > 0 else ""
    return f"no entries of {listed(shown) if not others else ', '.join(shown) + others}: run `kb changelog {shown[0]}`"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
