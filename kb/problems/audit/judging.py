"""All notes against one subject: which apply, which may, and which of them are put off by the settings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from kb.complaints import nearest
from kb.config import IgnoreSettings
from kb.packages.families import family_of, normalised
from kb.problems.affects import Environment, Verdict, affects
from kb.problems.audit.subject import ModelFacts, Subject
from kb.problems.conditions import Answer
from kb.problems.note import UNNUMBERED, Note, Severity, State
from kb.records.damage import printable

SEVERITIES = tuple(Severity)  #: the worst last
OPSET = "opset"


@dataclass(frozen=True)
class Finding:
    """A note that applies or may apply."""

    note: Note
    answer: Answer  #: yes or unknown
    why: str
    unlisted: tuple[str, ...] = ()  #: packages that the answer hangs on and that a list of requirements does not name
    ignored: IgnoreSettings | None = None

    @property
    def order(self) -> tuple[int, bool, str]:
        """The worst first, and what is certain before what is not."""
        return -SEVERITIES.index(self.note.severity), self.answer is not Answer.YES, self.note.id


@dataclass(frozen=True)
class Audit:
    """What came out."""

    subject: Subject
    findings: tuple[Finding, ...]  #: the worst first
    compared: int  #: notes
    unreadable: int  #: notes that could not be compared
    remarks: tuple[str, ...]  #: what a person should know beside

    @property
    def applying(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.answer is Answer.YES and not one.ignored)

    @property
    def possible(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.answer is Answer.UNKNOWN and not one.ignored)

    @property
    def ignored(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.ignored)

    def fails(self, threshold: Severity) -> bool:
        """Whether something applies that is at least as bad. What only may apply is no failure."""
        least = SEVERITIES.index(threshold)
        return any(SEVERITIES.index(one.note.severity) >= least for one in self.applying)


def audit(
    notes: Sequence[Note], subject: Subject, ignores: Iterable[IgnoreSettings], today: date, unreadable: int = 0
) -> Audit:
    """Compare every note with the subject.

    Args:
        ignores: of the settings; one whose day has passed counts no longer, and is told.
        unreadable: notes that there are beside.
    """
    ignores = tuple(ignores)
    live = {one.id: one for one in ignores if one.until >= today}
    found = [finding for note in notes if (finding := judge(note, subject, live.get(note.id)))]
    remarks = (*subject.remarks, *_about_ignores(ignores, notes, today))
    return Audit(subject, tuple(sorted(found, key=lambda one: one.order)), len(notes), unreadable, remarks)


def judge(note: Note, subject: Subject, ignored: IgnoreSettings | None = None) -> Finding | None:
    """What one note says of the subject; None where it does not apply."""
    if note.status is State.WITHDRAWN:
        return None
    link = "" if subject.model is None else _link(note, subject.model)
    if link is None:
        return None
    verdict = affects(note, subject.environment)
    if verdict.answer is Answer.NO:
        return None
    why = "; ".join(filter(None, (verdict.why, link)))
    return Finding(note, verdict.answer, why, _unlisted(verdict, subject.environment), ignored)


def asks(notes: Iterable[Note]) -> frozenset[str]:
    """The conditions that any of the notes has."""
    return frozenset(name for note in notes for one in note.affected for name in one.when)


def _link(note: Note, model: ModelFacts) -> str | None:
    """What a note has to do with a model, in words: an operator, or an opset that it is about; None: nothing."""
    if note.operators:
        shared = [name for name in note.operators if name in model.names]
        return f"the model has {', '.join(shared)}" if shared else None
    return "" if any(OPSET in one.when for one in note.affected) else None


def _unlisted(verdict: Verdict, environment: Environment) -> tuple[str, ...]:
    """The packages of an open answer that are not listed anywhere."""
    if verdict.answer is not Answer.UNKNOWN or verdict.affected is None or environment.complete:
        return ()
    listed = {family_of(name) for name in (*environment.packages, *environment.loose)}
    names = (normalised(part.package) for part in verdict.affected.ranges if family_of(part.package) not in listed)
    return tuple(dict.fromkeys(names))


def _about_ignores(ignores: Sequence[IgnoreSettings], notes: Sequence[Note], today: date) -> Iterator[str]:
    known = {note.id for note in notes} - {UNNUMBERED}
    for one in ignores:
        if one.id not in known:
            yield f"tool.kb.audit.ignore: there is no note {printable(one.id)}; {nearest(one.id, known)}"
        elif one.until < today:
            yield (
                f"tool.kb.audit.ignore: {one.id} was ignored until {one.until} and counts again: "
                f"solve it, or give it another day ({printable(one.reason)})"
            )
