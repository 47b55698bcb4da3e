"""Whether a note is about what is installed here: yes, no, or unknown, with the reason in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from packaging.version import Version

from kb.packages.families import family_of
from kb.problems.conditions import Answer, Facts, all_of, holds
from kb.problems.note import Affected, Note, Range
from kb.problems.versions import contains, in_words


@dataclass(frozen=True)
class Environment:
    """Where a problem may be: what is installed, and what is known of the machine and the model."""

    packages: Mapping[str, Version]  #: distribution -> its version
    facts: Facts = field(default_factory=dict)  #: condition -> the values that hold; one that is missing is not known
    complete: bool = True  #: whether a package that is not listed is not there; False for a list of requirements
    loose: Mapping[str, str] = field(default_factory=dict)  #: package that is there in no one version -> what is known


@dataclass(frozen=True)
class Verdict:
    """What came out for one note in one environment."""

    answer: Answer
    why: str  #: one sentence
    affected: Affected | None = None  #: the combination that decided; None where none does


def affects(note: Note, environment: Environment) -> Verdict:
    """Whether any combination of the note is met. Its status does not matter here: the range of a fixed one says so."""
    verdicts = [_judge(one, environment) for one in note.affected]
    for answer in (Answer.YES, Answer.UNKNOWN):
        for verdict in verdicts:
            if verdict.answer is answer:
                return verdict
    why = "; ".join(dict.fromkeys(verdict.why for verdict in verdicts)) or "the note names no versions"
    return Verdict(Answer.NO, why)


def _judge(one: Affected, environment: Environment) -> Verdict:
    """One combination: all of its ranges and all of its conditions."""
    judged = [_in_range(part, environment) for part in one.ranges]
    judged += [_condition(name, wanted, environment.facts) for name, wanted in one.when.items()]
    answer = all_of([part for part, _ in judged])
    decisive = [why for part, why in judged if part is answer]
    return Verdict(answer, ", and ".join(decisive), one)


def _in_range(part: Range, environment: Environment) -> tuple[Answer, str]:
    """One range. Of a family several may be installed at once, each with its own version: one is enough."""
    family = family_of(part.package)
    installed = {name: version for name, version in environment.packages.items() if family_of(name) == family}
    if not installed:
        for name, known in environment.loose.items():
            if family_of(name) == family:
                return Answer.UNKNOWN, f"the version of {name} is not known ({known})"
        if environment.complete:
            return Answer.NO, f"{part.package} is not installed"
        return Answer.UNKNOWN, f"{part.package} is not listed, and may come with another package"
    for name, version in installed.items():
        if contains(part, version):
            return Answer.YES, f"{name} {version} is in {in_words(part)}"
    listed = " and ".join(f"{name} {version}" for name, version in installed.items())
    return Answer.NO, f"{listed} is not in {in_words(part)}"


def _condition(name: str, wanted: str, facts: Facts) -> tuple[Answer, str]:
    answer = holds(name, wanted, facts)
    if answer is Answer.UNKNOWN:
        return answer, f"it is not known whether {name} is {wanted}"
    here = ", ".join(facts[name]) or "none"
    return answer, f"{name} {here} is {'' if answer is Answer.YES else 'not '}{wanted}"
