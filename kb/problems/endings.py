"""What the end of a reproducer says of its problem: gone, still there, cannot run here, or unclear."""

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from kb.problems.checks import Matches
from kb.problems.note import Note
from kb.records.damage import printable
from kb.records.statuses import Status
from kb.workers.script import Ending

#: What a reproducer ends with that cannot run here, as tests of autotools and Meson do.
SKIPPED = 77
GONE, REPRODUCES, CANNOT_RUN, UNCLEAR = "gone", "reproduces", "cannot_run", "unclear"
#: A machine without the package has nothing to say of it.
_ABSENT = re.compile(r"ModuleNotFoundError: (No module named .+)")


@dataclass(frozen=True)
class Judged:
    """What an ending says of the problem."""

    outcome: str
    status: Status
    stage: str = ""
    reason: str = ""


def judge(note: Note, ending: Ending, output: str, matches: Matches) -> Judged:
    """What an ending says: by exit code and by whether the note's signature was printed."""
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
    if ending.stopped is not None:
        return Judged(UNCLEAR, ending.stopped, "run", ending.reason)
    if ending.code == 0:
        return Judged(GONE, Status.OK)
    if ending.code == SKIPPED:
        return Judged(CANNOT_RUN, Status.UNSUPPORTED, "run", printable(last) or "it does not say why")
    if any(_matched(signature, output, matches) for signature in note.signatures):
        return Judged(REPRODUCES, Status.OK)
    if absent := _ABSENT.fullmatch(last):
        return Judged(CANNOT_RUN, Status.UNSUPPORTED, "run", printable(absent[1]))
    how = _how(ending.code or 0)
    status = Status.CRASHED if (ending.code or 0) < 0 else Status.RUN_FAILED
    why = "printed none of the note's signatures" if note.signatures else "the note has no signature to know it by"
    return Judged(UNCLEAR, status, "run", f"{how}, and {why}" + (f": {printable(last)[:300]}" if last else ""))


def without_paths(output: str, prefix: Path) -> str:
    """The output without what names the machine or its user: rows are published."""
    for path, name in ((prefix, "<python>"), (Path.home(), "~")):
        if len(str(path)) > 1:
            output = output.replace(str(path), name)
    return output


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    known = {each.value: each.name for each in signal.Signals}
    return f"killed by {known.get(-code, f'signal {-code}')}"


def _matched(signature: str, text: str, matches: Matches) -> bool:
    """A signature that cannot be used matches nothing; `kb problem lint` tells of it."""
    try:
        return matches(signature, text)
    except ValueError:
        return False
