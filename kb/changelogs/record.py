"""What is kept of a version: its entries, where they come from, and since when they are known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from kb.changelogs.entry import Category, Entry, Section, Stage
from kb.changelogs.identity import identified
from kb.changelogs.inline import MAX_LINE, short_line, tidy
from kb.outside_text import safe_url

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


def is_day(text: str) -> bool:
    """Whether it is a day that exists, written `YYYY-MM-DD`."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_date(text: str) -> bool:
    """Whether it is a day, or a month of which no day is known."""
    return is_day(text) or bool(_MONTH.fullmatch(text))


@dataclass(frozen=True)
class EntryRecord:
    """One entry and its history."""

    id: str  #: within (package, version, category)
    entry: Entry
    first_seen: str  #: day on which kb first read it, ISO 8601
    last_changed: str  #: day on which kb last found it different


@dataclass(frozen=True)
class VersionRecord:
    """One version: the content of one file."""

    package: str
    version: str
    heading: str  #: as written
    date: str  #: ISO 8601, `YYYY-MM` where no day is known, or empty
    date_source: str  #: where the date is from; empty where there is none
    stage: Stage
    coverage: float  #: share of the section's text that is accounted for, 0 to 1
    trouble: str  #: why the section could not be read; empty where it could
    source_url: str  #: where a person reads it; empty where that is unknown
    first_seen: str
    last_changed: str
    entries: tuple[EntryRecord, ...] = ()

    @classmethod
    def of(cls, section: Section, *, date_source: str, source_url: str, today: str) -> Self:
        """A section read for the first time."""
        entries = tuple(
            EntryRecord(name, entry, today, today) for name, entry in identified(map(tidy, section.entries))
        )
        when = section.date if is_date(section.date) else ""
        return cls(
            package=section.package,
            version=short_line(section.version),
            heading=short_line(section.heading, MAX_LINE),
            date=when,
            date_source=date_source if when else "",
            stage=section.stage,
            coverage=min(max(section.coverage, 0.0), 1.0),
            trouble=short_line(section.trouble, MAX_LINE),
            source_url=source_url if safe_url(source_url) else "",
            first_seen=today,
            last_changed=today,
            entries=entries,
        )

    @property
    def section(self) -> Section:
        """What the changelog says of the version, without what kb remembers of it."""
        return Section(
            self.package,
            self.version,
            self.heading,
            0,
            date=self.date,
            stage=self.stage,
            entries=tuple(record.entry for record in self.entries),
            coverage=self.coverage,
            trouble=self.trouble,
        )

    def after(self, old: "VersionRecord | None") -> "VersionRecord":
        """This version as read now, with what is remembered of it from `old`.

        Where an entry stands in its source (its link) is not part of it: in a file that grows at the top, anchors move.
        """
        if old is None:
            return self
        known = {(each.entry.category, each.id): each for each in old.entries}
        same = (self.date, self.stage, self.heading, self.trouble) == (old.date, old.stage, old.heading, old.trouble)
        return replace(
            self,
            first_seen=old.first_seen,
            last_changed=old.last_changed if same else self.last_changed,
            entries=tuple(_remembered(each, known) for each in self.entries),
        )

    def entries_beyond(self, old: "VersionRecord | None") -> int:
        """How many entries there are that `old` has not."""
        known = {(each.entry.category, each.id) for each in old.entries} if old else set()
        return sum((each.entry.category, each.id) not in known for each in self.entries)

    def link(self, entry: Entry) -> str:
        """Where a person reads the entry in its source; empty where that is unknown."""
        return f"{self.source_url}#{entry.anchor}" if self.source_url and entry.anchor else self.source_url


def _remembered(new: EntryRecord, known: Mapping[tuple[Category, str], EntryRecord]) -> EntryRecord:
    old = known.get((new.entry.category, new.id))
    if old is None:
        return new
    same = replace(new.entry, anchor="") == replace(old.entry, anchor="")
    return replace(new, first_seen=old.first_seen, last_changed=old.last_changed if same else new.last_changed)
