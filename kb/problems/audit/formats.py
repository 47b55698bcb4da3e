"""An audit for whom it is meant: a person, a program, or a service that shows findings of scanners (SARIF)."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kb import sarif
from kb.packages.families import family_of
from kb.problems.audit.judging import SEVERITIES, Audit, Finding
from kb.problems.conditions import Answer
from kb.problems.note import UNNUMBERED, Note, Severity
from kb.problems.telling import place
from kb.records.damage import printable

#: SARIF knows three levels; services show `error` as what stops a merge.
SARIF_LEVELS = {
    Severity.MINOR: "note", Severity.MODERATE: "warning", Severity.MAJOR: "error", Severity.CRITICAL: "error",
}  # fmt: skip


def as_text(audit: Audit, root: Path) -> str:
    """What applies, what may apply, and what was passed over, the worst first."""
    lines = [f"Audited {audit.subject.sentence}."]
    if audit.subject.model:
        lines.append(f"Model {audit.subject.model.sentence}.")
    listed = [one for one in audit.possible if not one.unlisted]
    lines += _group("applies", "apply", audit.applying, root)
    lines += _group("may apply", "may apply", listed, root)
    lines += _unlisted([one for one in audit.possible if one.unlisted])
    for one in audit.ignored:
        assert one.ignored is not None
        lines.append(f"\nIgnored until {one.ignored.until}: {_name(one.note)}, {one.note.title} ({one.ignored.reason})")
    return "\n".join(printable(line) if line[:1] != "\n" else "\n" + printable(line[1:]) for line in lines)


def as_json(audit: Audit, root: Path) -> str:
    """One object."""
    model = audit.subject.model
    return json.dumps(
        {
            "subject": audit.subject.sentence,
            "model": model and {
                "file": place(model.path, root), "ir_version": model.ir_version, "opsets": dict(model.opsets),
                "operators": sorted(f"{domain or 'ai.onnx'}::{kind}" for domain, kind in model.operators),
                "custom_domains": list(model.custom_domains),
                "producer": model.producer, "producer_version": model.producer_version,
            },
            "notes": audit.compared,
            "unreadable": audit.unreadable,
            "findings": [_as_dict(one, root) for one in audit.findings],
            "remarks": list(audit.remarks),
        },
        indent=2, ensure_ascii=False,
    )  # fmt: skip


def as_sarif(audit: Audit, root: Path) -> str:
    """SARIF 2.1.0: a rule per note, a result per finding; what only may apply is of the kind `review`."""
    notes = list({_name(one.note): one.note for one in audit.findings}.items())
    rules = [_rule(name, note) for name, note in notes]
    results = [_result(one, audit, root) for one in audit.findings]
    return json.dumps(sarif.log("kb audit", rules, results), indent=2, ensure_ascii=False)


FORMATS: dict[str, Callable[[Audit, Path], str]] = {"text": as_text, "json": as_json, "sarif": as_sarif}


def summary(audit: Audit) -> str:
    """How much was compared and found, in one line."""
    by_severity = Counter(one.note.severity for one in audit.applying)
    worst = ", ".join(f"{by_severity[each]} {each}" for each in reversed(SEVERITIES) if by_severity[each])
    verb = "applies" if len(audit.applying) == 1 else "apply"
    applying = f"{len(audit.applying)} {verb} ({worst})" if worst else "none applies"
    ignored = f", {len(audit.ignored)} ignored" if audit.ignored else ""
    counted = f"{audit.compared} note" + ("" if audit.compared == 1 else "s")
    return f"{counted} compared: {applying}, {len(audit.possible)} may apply{ignored}"


def _group(one: str, many: str, findings: Sequence[Finding], root: Path) -> Iterator[str]:
    if not findings:
        return
    yield f"\n1 note {one}:" if len(findings) == 1 else f"\n{len(findings)} notes {many}:"
    for finding in findings:
        note = finding.note
        yield f"  {note.severity:<8}  {_name(note)}  {note.title}"
        yield f"            {finding.why}"
        yield f"            {place(note.path, root)} ({note.status})"


def _unlisted(findings: Sequence[Finding]) -> Iterator[str]:
    """Notes about packages that a list of requirements does not name: how many, since they may be hundreds."""
    if not findings:
        return
    counts = Counter(name for one in findings for name in one.unlisted)
    names = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
    yield f"\n{len(findings)} more may apply if other packages bring what is not listed: {names}"


def _name(note: Note) -> str:
    """The id; of a note that has none, its file."""
    return note.path.name if note.id == UNNUMBERED else note.id


def _as_dict(finding: Finding, root: Path) -> dict[str, Any]:
    note, ignored = finding.note, finding.ignored
    return {
        "id": note.id,
        "file": place(note.path, root),
        "title": note.title,
        "kind": note.kind,
        "status": note.status,
        "severity": note.severity,
        "applies": finding.answer,
        "why": finding.why,
        "ignored": ignored and {"until": ignored.until.isoformat(), "reason": ignored.reason},
    }


def _rule(name: str, note: Note) -> dict[str, Any]:
    links = [reference.url for reference in note.references]
    rule: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": note.title},
        "defaultConfiguration": {"level": SARIF_LEVELS[note.severity]},
        "properties": {"severity": note.severity, "status": note.status, "kind": note.kind, "tags": [note.kind]},
    }
    return {**rule, "helpUri": links[0]} if links else rule


def _result(finding: Finding, audit: Audit, root: Path) -> dict[str, Any]:
    note, certain = finding.note, finding.answer is Answer.YES
    file, line = _where(finding, audit)
    result: dict[str, Any] = {
        "ruleId": _name(note),
        "kind": "fail" if certain else "review",
        "level": SARIF_LEVELS[note.severity] if certain else "none",  # a kind other than fail has no level
        "message": {"text": sarif.message_text(f"{note.title}: {finding.why} ({place(note.path, root)})")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(file, root)},
                    "region": {"startLine": line},
                }
            }
        ],
        "partialFingerprints": {"kb/note": _name(note)},
    }
    if finding.ignored:
        justification = f"{finding.ignored.reason} (until {finding.ignored.until})"
        result["suppressions"] = [{"kind": "external", "justification": justification}]
    return result


def _where(finding: Finding, audit: Audit) -> tuple[Path, int]:
    """The line of the package in the file that was audited; without such a file, the note itself."""
    file = audit.subject.file
    if file is None:
        return finding.note.path, 1
    families = {family_of(part.package) for one in finding.note.affected for part in one.ranges}
    lines = [line for name, line in audit.subject.lines.items() if family_of(name) in families]
    return file.resolve(), min(lines, default=1)


def _uri(path: Path, root: Path) -> str:
    """Relative to the root of the knowledge base, as services that show files want it."""
    from urllib.parse import quote

    return quote(place(path, root))
