"""`kb audit` on the settings of a knowledge base: read the notes, look at the subject, compare."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from kb.config import Settings
from kb.problems.audit.changes import breaking_changes
from kb.problems.audit.judging import Audit, asks, audit
from kb.problems.audit.subject import here, subject_of
from kb.problems.reading import read_notes


def audited(settings: Settings, requirements: Path | None, model: Path | None) -> Audit:
    """The notes of a knowledge base against this environment or against files.

    Raises:
        ProblemError: a file cannot be read.
        MissingPart: what reads a model is not installed.
        OSError: the folder of the notes cannot be listed.
        DamagedFile: a changelog is not as it was written.
    """
    log = read_notes(settings.problems)
    unreadable = {found.path for found in log.complaints if found.code.fatal}
    subject = subject_of(requirements, model, asks=asks(log.notes))
    found = audit(log.notes, subject, settings.audit.ignore, date.today(), len(unreadable))
    if requirements is None:
        return found
    changes = breaking_changes(settings.results, subject.environment.packages, here())
    return replace(found, remarks=(*found.remarks, *changes))
