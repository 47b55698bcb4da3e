"""The report as Markdown: outside text is escaped for CommonMark and HTML, and becomes neither link nor mention."""

import re
from collections.abc import Iterator

from kb.changelogs.entry import Inline, Span
from kb.changelogs.upgrade.finding import TITLES, Finding, Kind
from kb.changelogs.upgrade.report import PackageReport, Report
from kb.changelogs.upgrade.text import MAX_SHOWN, linkable, said, shortened
from kb.changelogs.upgrade.wording import conclusion, dated, headline, left_out, places, versions, why
from kb.outside_text import one_line

_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_MARKS = re.compile(r"[\\`*_{}\[\]()#|~^$=+!:@\"'-]")

#: What forges make of text that they have already rendered: @name, #12 and GH-12. A zero-width space ends them.
_MENTION = re.compile(r"(@|#|\bGH-)(?=\w)")
_NO_MENTION = "\u200b"


def render(report: Report) -> str:
    """The whole report, with a line end at its end."""
    lines = [f"# Upgrade report\n\n{escape(conclusion(report))}\n"]
    for package in report.packages:
        lines += _package(package)
    notes = list(report.remarks)
    if report.scan is not None:
        notes += [f"not scanned: {unread.place}: {unread.reason}" for unread in report.scan.unread]
    if notes:
        lines += ["## Remarks\n", *(f"- {escape(note)}" for note in notes), ""]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Outside text for the middle of a line: it reads as it is written, in CommonMark, GitHub's dialect and HTML."""
    text = "".join(_ENTITIES.get(character, character) for character in one_line(text, 4000))
    text = _MARKS.sub(lambda mark: _backslashed(mark[0], text, mark.start()), text)
    text = re.sub(r"(?i)\bwww\.", lambda found: f"{found[0][:-1]}\\.", text)
    return _MENTION.sub(rf"\1{_NO_MENTION}", text)


def inline(text: Inline) -> str:
    """An entry's text: code and links as such, all other looks left away."""
    return "".join(_span(span) for span in shortened(text))


def code(text: str) -> str:
    """A code span, whatever backticks are in it."""
    line = one_line(text, MAX_SHOWN)
    if not line:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _package(package: PackageReport) -> Iterator[str]:
    yield f"## {escape(headline(package.change))}\n"
    for remark in package.remarks:
        yield f"> **Note.** {escape(remark)}\n"
    if told := versions(package):
        yield f"{escape(told)}\n"
    out = [f"- {code(version)} is left out: {escape(reason)}" for version, reason in left_out(package)]
    if out:
        yield from (*out, "")
    used = [finding for finding in package.findings if finding.matches]
    if used:
        yield from ("### About your code\n", *(line for finding in used for line in _finding(finding, True)), "")
    for kind in Kind:
        others = [finding for finding in package.of_kind(kind) if not finding.matches]
        if others:
            yield f"### {TITLES[kind]}\n"
            yield from (line for finding in others for line in _finding(finding, False))
            yield ""


def _finding(finding: Finding, with_kind: bool) -> Iterator[str]:
    cve = f"{escape(finding.cve)} " if finding.cve else ""
    url = linkable(finding.source)
    source = f" ([source]({url}))" if url else ""
    yield f"- **{cve}{escape(dated(finding))}** {inline(said(finding.entry))}{source}"
    kind = f"{finding.kind.value}: " if with_kind else ""
    yield f"    - *{escape(kind + why(finding))}*"
    shown, more = places(finding)
    for match in shown:
        yield f"    - {code(match.use.place)} **{match.confidence.word}**: {escape(match.reason)}"
    if more:
        yield f"    - and {more} more"


def _span(span: Span) -> str:
    before, after = span.text[:1].isspace() * " ", span.text[1:][-1:].isspace() * " "
    text = code(span.text) if span.code else escape(span.text)
    if text and (url := linkable(span.url)):
        text = f"[{text}]({url})"
    return f"{before}{text}{after}"


def _backslashed(mark: str, text: str, start: int) -> str:
    """A mark of punctuation that means itself; some marks mean nothing where they stand."""
    following = text[start + 1 : start + 2]
    if mark == ":" and not following.strip():
        return mark  # without anything behind it, it begins no address
    if mark in "-'\"()" and text[start - 1 : start].isalnum():
        return mark
    return f"\\{mark}"
