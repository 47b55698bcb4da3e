"""What `kb problem` does with the settings of a knowledge base: each verb puts the parts together in one function."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from kb.config import Settings
from kb.problems.answers import as_text as hits_as_text
from kb.problems.answers import hits_of
from kb.problems.arms import arm_of
from kb.problems.clipboard import read_clipboard
from kb.problems.complaint import Complaint
from kb.problems.drafting import draft
from kb.problems.errors import ProblemError
from kb.problems.lint import lint
from kb.problems.new import open_editor, read_source, write_draft
from kb.problems.outcomes import latest, names_of, recorded
from kb.problems.pasted import last_error
from kb.problems.proposing import Proposal
from kb.problems.proposing import propose as propose_patch
from kb.problems.reading import note_files, read_notes
from kb.problems.signature import matches, propose
from kb.problems.surroundings import seen_here
from kb.problems.telling import as_text
from kb.records.run import RunInfo

Say = Callable[[str], None]

#: Most notes that a new one is held against: more, and nobody reads them.
MAX_KNOWN = 3


def check(settings: Settings, files: Sequence[Path] = ()) -> tuple[tuple[Complaint, ...], int]:
    """What is wrong in the notes, or in some of them, and how many were checked.

    Raises:
        ProblemError: a file is no note of this knowledge base.
        DamagedFile: what reproducers showed cannot be read.
        OSError: the folder cannot be listed.
    """
    notes = note_files(settings.problems)
    shown = latest(recorded(settings.results))
    complaints = lint(settings.problems, matches, packages=settings.packages, today=date.today(), shown=shown)
    if not files:
        return complaints, len(notes)
    wanted = {file.resolve() for file in files}
    for path in sorted(wanted - {note.resolve() for note in notes}):
        raise ProblemError(f"{path} is no note: name .md files in {settings.problems}")
    return tuple(one for one in complaints if one.path.resolve() in wanted), len(wanted)


def begin(settings: Settings, source: str | None, *, clipboard: bool, title: str, edit: bool, say: Say) -> Path:
    """Write a new note, open it, and say what is left to do; its path.

    Args:
        source: file with the error, `-` for standard input, None for a note without one.
        clipboard: take the error from there.
        say: takes lines for the person who waits.

    Raises:
        ProblemError: there is no error to read, or no name for the file.
        OSError: the file cannot be written.
    """
    text = read_clipboard() if clipboard else read_source(source) if source else ""
    error = last_error(text) if text else None
    if known := hits_of(settings.problems, error.text if error else title, MAX_KNOWN, pasted=error is not None):
        say("Perhaps known already:\n" + hits_as_text(known, settings.problems) + "\n")
    seen = seen_here(error.modules if error else ())
    path = write_draft(settings.problems, draft(error, seen, propose, date.today(), title))
    if edit and (reason := open_editor(path)):
        say(reason)
    complaints, _ = check(settings, [path]) if path.exists() else ((), 0)
    if complaints:
        say("Still to do (kb problem lint):\n" + as_text(complaints, settings.root))
    return path


def proposed(settings: Settings, wanted: str) -> Proposal | None:
    """The patch that settles what the reproducer of a note contradicts in it; None where nothing does.

    Raises:
        ProblemError: there is no such note.
        DamagedFile: what reproducers showed cannot be read.
    """
    from kb.problems.verifying import find

    notes = read_notes(settings.problems).notes
    note = find(notes, wanted)
    shown = latest(recorded(settings.results)).get(names_of(notes)[note.path], ())
    return propose_patch(note, shown, settings.root, date.today())


def verified(
    settings: Settings, ids: Sequence[str], arms: Sequence[str], *, commit: str | None, say: Say
) -> tuple[RunInfo, Path] | None:
    """Run reproducers; run.json as it is at the end and the run's folder, or None where there are none to run.

    Args:
        ids: of notes; without any, all that have a reproducer.
        arms: what `--with` says, an environment each; without any, what is installed here.

    Raises:
        ProblemError: there is no such note, or an environment is not written as one.
        OSError: the results or the cache cannot be written.
    """
    from kb.machine.fingerprint import fingerprint
    from kb.problems.verifying import verify

    wanted = list({arm.name: arm for arm in map(arm_of, arms)}.values())
    notes = read_notes(settings.problems).notes
    return verify(settings, notes, ids, wanted, matches, fingerprint(), commit=commit, say=say)
