"""The report for a terminal. Everything that comes from outside is text, never markup."""

from typing import TYPE_CHECKING

from kb.changelogs.upgrade.finding import BREAKS, TITLES, Finding, Kind
from kb.changelogs.upgrade.match import Confidence
from kb.changelogs.upgrade.report import PackageReport, Report
from kb.changelogs.upgrade.text import MAX_SHOWN, linkable, title
from kb.changelogs.upgrade.wording import conclusion, dated, headline, left_out, places, versions, why
from kb.outside_text import one_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

STYLES = {Confidence.CERTAIN: "bold red", Confidence.LIKELY: "red", Confidence.POSSIBLE: "yellow"}


def render(report: Report) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    for package in report.packages:
        parts += [*_package(package), Text()]
    for remark in report.remarks:
        parts.append(_line(remark, "yellow"))
    if report.scan is not None and report.scan.unread:
        parts.append(_line("Not scanned", "bold"))
        parts += [_indented(_line(f"{unread.place}: {unread.reason}", "yellow"), 2) for unread in report.scan.unread]
    return Group(*parts, _line(conclusion(report), "bold"))


def _package(package: PackageReport) -> "list[RenderableType]":
    parts: list[RenderableType] = [_line(headline(package.change), "bold underline")]
    parts += [_line(f"! {remark}", "yellow") for remark in package.remarks]
    if told := versions(package):
        parts.append(_line(told, "dim"))
    parts += [_line(f"Left out: {version} ({reason}).", "dim") for version, reason in left_out(package)]
    used = [finding for finding in package.findings if finding.matches]
    if used:
        parts += [_line("About your code", "bold red"), *(_finding(finding, with_kind=True) for finding in used)]
    for kind in Kind:
        others = [finding for finding in package.of_kind(kind) if not finding.matches]
        if others:
            style = "bold red" if kind in BREAKS else "bold"
            parts += [_line(f"{TITLES[kind]} ({len(others)})", style), *(_finding(finding) for finding in others)]
    return parts


def _finding(finding: Finding, with_kind: bool = False) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    first = Text.assemble((dated(finding), "cyan"), "  ", title(finding.entry))
    if finding.cve:
        first = Text.assemble((one_line(finding.cve, MAX_SHOWN), "cyan"), "  ", first)
    kind = f"{finding.kind.value}: " if with_kind else ""
    lines: list[RenderableType] = [_indented(first, 2), _indented(_line(f"{kind}{why(finding)}", "dim"), 4)]
    shown, more = places(finding)
    for match in shown:
        place = Text.assemble(
            (one_line(match.use.place, MAX_SHOWN), "bold"), "  ", (match.confidence.word, STYLES[match.confidence])
        )
        lines.append(_indented(Text.assemble(place, f": {one_line(match.reason, MAX_SHOWN)}"), 4))
    if more:
        lines.append(_indented(_line(f"and {more} more", "dim"), 4))
    if url := linkable(finding.source):
        lines.append(_indented(_line(url, "dim"), 4))
    return Group(*lines)


def _line(text: str, style: str = "") -> "Text":
    from rich.text import Text

    return Text(one_line(text, 4000), style=style)


def _indented(text: "Text", width: int) -> "RenderableType":
    from rich.padding import Padding

    text.overflow = "fold"
    return Padding(text, (0, 0, 0, width))
