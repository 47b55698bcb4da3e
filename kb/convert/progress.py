"""What is said while conversions are checked: one line each."""

from typing import IO, Any

from kb.convert.conversion import Conversion
from kb.measure.progress import duration
from kb.records.statuses import Status


class PlainProgress:
    """One line per conversion, on a terminal as in a log."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def preparing(self, model: str) -> None:
        self._say(f"{model}: reference and noise")

    def finished(self, conversion: Conversion, row: dict[str, Any], number: int, of: int, seconds: float) -> None:
        outcome = str(row["status"]) if row["status"] == Status.OK else f"{row['status']}: {str(row['reason'])[:100]}"
        self._say(f"[{number}/{of}] {conversion.id} {outcome} ({duration(seconds)})")

    def _say(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()
