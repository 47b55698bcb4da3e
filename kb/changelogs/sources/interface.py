"""What every source of a changelog gives, so that readers and the store know of no network and no disk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kb.changelogs.entry import Stage

#: Largest text that is taken from anywhere: 30 times the longest changelog that was found.
MAX_BYTES = 50 * 2**20


class SourceUnreachable(Exception):
    """A source gives nothing that can be read now: what was read before stays. One line: what, where, what to do."""


class NotThere(SourceUnreachable):
    """The server is there, and has no such page."""


@dataclass(frozen=True)
class Document:
    """One text that a reader can read: a whole changelog, or what is said of one version."""

    text: str  #: lines end in LF
    origin_url: str  #: where a person reads it; empty for a file on this disk
    fetched_at: datetime  #: when it was known to be current, UTC
    version: str | None = None  #: the one that it is about; None: the text says
    date: str | None = None  #: of that version's release, ISO 8601, where the source knows it
    stage: Stage | None = None  #: of that version, where the source knows it


@dataclass(frozen=True)
class Fetched:
    """All that a source has."""

    documents: tuple[Document, ...]
    notices: tuple[str, ...] = ()  #: what was left out, and why; a line each


class Source(Protocol):
    """Gives all documents of one project."""

    def fetch(self) -> Fetched:
        """Everything that the source has now: what it does not give, it does not have any more.

        Raises:
            SourceUnreachable: it cannot be read, or not whole.
        """
        ...


def decoded(content: bytes, what: str) -> str:
    """UTF-8 text with LF as the end of lines.

    Raises:
        SourceUnreachable: it is empty, too large, or no text.
    """
    if len(content) > MAX_BYTES:
        raise SourceUnreachable(f"{what} has more than {MAX_BYTES // 2**20} MiB, which no changelog has")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceUnreachable(f"{what} is not UTF-8 (byte {error.start:,})") from None
    if "\0" in text:
        raise SourceUnreachable(f"{what} is no text")
    if not text.strip():
        raise SourceUnreachable(f"{what} is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")
