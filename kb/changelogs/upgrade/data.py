"""The report as JSON, for programs: its keys are stable, and a new meaning gets a new `schema` number."""

from typing import Any

from kb.changelogs.entry import Entry, plain
from kb.changelogs.upgrade.finding import Finding
from kb.changelogs.upgrade.match import Match
from kb.changelogs.upgrade.report import PackageReport, Report
from kb.changelogs.upgrade.text import linkable, statements
from kb.changelogs.upgrade.versions import Step
from kb.packages.pins import Pin

#: Raised when a key goes or changes its meaning; a new key does not raise it.
SCHEMA = 1


def as_data(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "schema": SCHEMA,
        "breaks": report.breaks,
        "packages": [_package(package) for package in report.packages],
        "scan": None
        if report.scan is None
        else {
            "files": report.scan.files,
            "unread": [{"place": unread.place, "reason": unread.reason} for unread in report.scan.unread],
        },
        "remarks": list(report.remarks),
    }


def _package(package: PackageReport) -> dict[str, Any]:
    way = package.way
    return {
        "package": package.change.project,
        "from": _pin(package.change.before),
        "to": _pin(package.change.after),
        "downgrade": way.downgrade if way else False,
        "known": package.known,
        "versions": [_step(step) for step in way.steps] if way else [],
        "left_out": [{"version": out.version, "reason": out.reason} for out in way.left_out] if way else [],
        "remarks": list(package.remarks),
        "findings": [_finding(finding) for finding in package.findings],
    }


def _pin(pin: Pin | None) -> dict[str, Any] | None:
    if pin is None:
        return None
    place = {"file": pin.place.file, "line": pin.place.line} if pin.place else None
    return {"name": pin.name, "version": str(pin.version), "place": place}


def _step(step: Step) -> dict[str, Any]:
    return {
        "version": str(step.version),
        "date": step.date,
        "withdrawn": step.withdrawn,
        "entries": len(step.entries),
        "remarks": list(step.remarks),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "version": finding.version,
        "effective": finding.effective or finding.version,
        "reason": finding.reason,
        "breaks_code": finding.breaks_code,
        "cve": finding.cve,
        "fixed_in": list(finding.fixed_in),
        "source": linkable(finding.source),
        "entry": _entry(finding.entry),
        "uses": [_match(match) for match in finding.matches],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    _, *items = (plain(text) for text in statements(entry))
    return {
        "category": entry.category.value,
        "heading": entry.heading,
        "heading_category": entry.heading_category.value,
        "component": entry.component,
        "text": plain(entry.text),
        "items": items,
        "symbols": list(entry.symbols),
        "references": [{"label": ref.label, "url": linkable(ref.url)} for ref in entry.references],
        "cves": list(entry.cves),
        "anchor": entry.anchor,
    }


def _match(match: Match) -> dict[str, Any]:
    use = match.use
    return {
        "symbol": use.symbol,
        "named": match.written,
        "confidence": match.confidence.word,
        "reason": match.reason,
        "file": use.file,
        "cell": use.cell or None,
        "line": use.line,
        "column": use.column,
        "arguments": list(use.arguments),
    }
