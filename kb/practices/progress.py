"""What is said while practices are measured: one line per process."""

from typing import IO

from kb.measure.progress import duration
from kb.measure.quality import Row
from kb.practices.plan import Turn
from kb.records.statuses import Status


class PlainProgress:
    """One line per process, on a terminal as in a log: there are a hundred, not a thousand."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._place = ""

    def running(self, turn: Turn, number: int, of: int) -> None:
        self._place = f"[{number}/{of}]"

    def finished(self, turn: Turn, row: Row, seconds: float) -> None:
        outcome = f"{row['value']:.4g} {row['measure']}" if row["status"] == Status.OK else _trouble(row)
        self._stream.write(f"{self._place} {turn.trial.id} {outcome} ({duration(seconds)})\n")
        self._stream.flush()


def _trouble(row: Row) -> str:
    return f"{row['status']}: {str(row['reason'])[:100]}"
