"""The report as SARIF 2.1.0 (OASIS), for code review: a rule per kind of finding, a result per place in the code."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kb.changelogs.upgrade.finding import BREAKS, TITLES, Finding, Kind
from kb.changelogs.upgrade.match import Confidence, Match
from kb.changelogs.upgrade.report import PackageReport, Report
from kb.changelogs.upgrade.text import linkable, title
from kb.changelogs.upgrade.wording import dated, headline, why
from kb.packages.pins import Place
from kb.sarif import log, message_text

#: Most results of one finding: review tools take some thousands in all, and nobody looks at more of one.
MAX_RESULTS = 100

_HELP = {
    Kind.BREAKING: "The release notes list it among breaking changes. Change the code, or stay below the version.",
    Kind.REMOVAL: "The release notes tell of it under another heading, but by its words it breaks code.",
    Kind.EXPIRED: "It was deprecated before, and goes on the way to the new version.",
    Kind.DROPPED: "A Python, CUDA, system or device that was supported is supported no more.",
    Kind.LOST: "The code uses what the older version does not have.",
    Kind.SECURITY: "A vulnerability that is fixed on the way, or whose fix the new version does not have.",
    Kind.KNOWN_ISSUE: "The release notes of the new version know of it, and no later one is known to fix it.",
    Kind.DEPRECATED: "It still works in the new version, and will go in a later one.",
}
_KINDS = list(Kind)


def as_sarif(report: Report) -> dict[str, Any]:
    """The log, with one run."""
    unread = report.scan.unread if report.scan else ()
    notes = [*(f"{item.place}: {item.reason}" for item in unread), *report.remarks]
    notes += [f"{headline(package.change)}: {remark}" for package in report.packages for remark in package.remarks]
    told = [{"level": "warning", "message": {"text": message_text(note)}} for note in notes]
    return log(
        "kb",
        [_rule(kind) for kind in Kind],
        [
            result
            for package in report.packages
            for finding in package.findings
            for result in _results(package, finding, report.scan is not None)
        ],
        invocations=[{"executionSuccessful": report.tells, "toolExecutionNotifications": told}],
    )


def _rule(kind: Kind) -> dict[str, Any]:
    words = re.split(r"[-_ ]", kind.value)
    return {
        "id": f"kb/{kind.value}",
        "name": "".join(word.capitalize() for word in words),
        "shortDescription": {"text": TITLES[kind]},
        "fullDescription": {"text": _HELP[kind]},
        "help": {"text": _HELP[kind]},
        "defaultConfiguration": {"level": "warning" if kind in BREAKS else "note"},
    }


def _results(package: PackageReport, finding: Finding, scanned: bool) -> Iterator[dict[str, Any]]:
    """One result per place in the code; where there is none, one at the pin that brings the version."""
    if not finding.matches:
        pin = package.change.after
        yield _result(package, finding, _level(finding, None, scanned), "", _at_pin(pin.place if pin else None))
    for match in finding.matches[:MAX_RESULTS]:
        where = f" {match.confidence.word.capitalize()}: {match.reason}."
        if match.use.cell:
            where += f" Cell {match.use.cell}, line {match.use.line}."
        yield _result(package, finding, _level(finding, match, scanned), where, [_at_use(match)])


def _result(
    package: PackageReport, finding: Finding, level: str, where: str, locations: list[dict[str, Any]]
) -> dict[str, Any]:
    project = package.change.project
    source = linkable(finding.source)
    cve = f"{finding.cve}, " if finding.cve else ""
    said = f"{project} {cve}{dated(finding)}: {title(finding.entry)} ({why(finding)}).{where}"
    properties: dict[str, Any] = {"package": project, "version": finding.version, "effective": finding.effective}
    if finding.matches:
        properties["confidence"] = finding.matches[0].confidence.word
    if source:
        properties["helpUri"] = source
    return {
        "ruleId": f"kb/{finding.kind.value}",
        "ruleIndex": _KINDS.index(finding.kind),
        "level": level,
        "message": {"text": message_text(said) + (f" [Source]({source})" if source else "")},
        "locations": locations,
        "partialFingerprints": {"kbEntry/v1": _fingerprint(project, finding)},
        "properties": properties,
    }


def _level(finding: Finding, match: Match | None, scanned: bool) -> str:
    """An error is what breaks the user's code for all that is known; the rest is for a person to judge."""
    if finding.kind not in BREAKS:
        return "warning" if match else "note"
    if match is None:
        return "note" if scanned else "warning"
    return "error" if match.confidence > Confidence.POSSIBLE else "warning"


def _at_use(match: Match) -> dict[str, Any]:
    """A line of a file; of a notebook only the file, because its cells have no lines in it."""
    location: dict[str, Any] = {"artifactLocation": _artifact(match.use.file)}
    if not match.use.cell:
        location["region"] = {"startLine": match.use.line, "startColumn": match.use.column}
    return {"physicalLocation": location}


def _at_pin(place: Place | None) -> list[dict[str, Any]]:
    if place is None:
        return []
    location = {"artifactLocation": _artifact(place.file), "region": {"startLine": place.line}}
    return [{"physicalLocation": location}]


def _artifact(file: str) -> dict[str, str]:
    """A path below the working directory is relative to the root of the sources; another is what it is."""
    path = Path(file)
    if path.is_absolute():
        try:
            path = path.relative_to(Path.cwd())
        except ValueError:
            return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}


def _fingerprint(project: str, finding: Finding) -> str:
    text = "\0".join((project, finding.kind.value, finding.version, finding.cve, title(finding.entry)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
