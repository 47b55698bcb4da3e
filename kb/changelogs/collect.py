"""From the sources to the files: each project by itself, so that one that fails costs only a line."""

import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from packaging.utils import canonicalize_name

from kb.caches import cache_folder
from kb.changelogs.entry import Reading, Section, Stage, plain
from kb.changelogs.inline import MAX_LINE, short_line, short_lines
from kb.changelogs.record import VersionRecord
from kb.changelogs.release_dates import KnownDates, dated, known_dates
from kb.changelogs.sources.cache import Cache
from kb.changelogs.sources.interface import Document, SourceUnreachable
from kb.changelogs.sources.opening import open_source
from kb.changelogs.sources.web import Web
from kb.changelogs.store import Checked, Stored, read_checked, read_versions, replace_versions, write_checked
from kb.complaints import nearest
from kb.config import ChangelogSettings, ConfigError, Settings
from kb.records.damage import DamagedFile

#: Ages beyond this are told in months: nobody counts in days then.
DAYS_TOLD = 60


class Read(Protocol):
    """A reader: what a document says, in the format of a project."""

    def __call__(self, document: Document, project: str, settings: ChangelogSettings) -> Reading: ...


class State(StrEnum):
    """How reading one project ended. In all but the first, what was read before stays."""

    READ = "read"
    OFFLINE = "offline"  #: not asked, because the user said so
    UNREACHABLE = "unreachable"  #: the source gives nothing now
    FAILED = "failed"  #: a file here is damaged or cannot be written, or kb has a fault


@dataclass(frozen=True)
class Outcome:
    """What came of one project."""

    project: str
    state: State
    sentence: str
    versions: int = 0
    new_entries: int = 0
    written: tuple[Path, ...] = ()  #: files to commit
    removed: tuple[Path, ...] = ()  #: files that are gone
    notices: tuple[str, ...] = ()  #: what was left out or could not be found out, a line each
    fault: str = ""  #: the traceback, where kb has one

    @property
    def was_read(self) -> bool:
        return self.state is State.READ

    @property
    def line(self) -> str:
        return f"{self.project}: {self.sentence}"


def collect(
    settings: Settings,
    names: Sequence[str] = (),
    *,
    read: Read,
    offline: bool = False,
    now: datetime | None = None,
    web: Web | None = None,
) -> list[Outcome]:
    """Read the changelogs of the projects (or those of the given projects and packages) and store what they say.

    Args:
        offline: ask no server; files are read.
        now: the time, for tests.
        web: the way to the servers; default: one that keeps answers in the user's cache folder.

    Raises:
        ConfigError: a name is neither a project's nor a package's.
    """
    projects = _chosen(settings.changelogs, names)
    today = (now or datetime.now(UTC)).date()
    with web or Web(Cache(cache_folder("changelogs"))) as way:
        return [_guarded(_Job(settings.results, name, each, read, way, offline, today)) for name, each in projects]


def age(day: str, today: date) -> str:
    """How old something of `day` is, in words."""
    days = (today - date.fromisoformat(day)).days
    if days <= 0:
        return "less than a day"
    if days == 1:
        return "1 day"
    return f"{days} days" if days <= DAYS_TOLD else f"{round(days / 30.44)} months"


@dataclass(frozen=True)
class _Job:
    """One project to be read."""

    results: Path
    project: str
    settings: ChangelogSettings
    read: Read
    web: Web
    offline: bool
    today: date

    @property
    def packages(self) -> tuple[str, ...]:
        return tuple(canonicalize_name(package) for package in self.settings.packages)


def _chosen(projects: dict[str, ChangelogSettings], names: Sequence[str]) -> list[tuple[str, ChangelogSettings]]:
    if not names:
        return [(name, each) for name, each in projects.items() if each.enabled]
    by_name: dict[str, str] = {}
    for name, each in projects.items():
        by_name |= {str(canonicalize_name(package)): name for package in each.packages}
    by_name |= {name: name for name in projects}
    chosen = {}
    for wanted in names:
        project = by_name.get(wanted) or by_name.get(canonicalize_name(wanted))
        if project is None:
            raise ConfigError(f"no changelog is configured for {wanted!r}; {nearest(wanted, by_name)}")
        chosen[project] = projects[project]
    return list(chosen.items())


def _guarded(job: _Job) -> Outcome:
    """What came of the job, whatever happens in it."""
    try:
        checked = read_checked(job.results, job.project)
        if job.offline and job.settings.source != "file":
            return Outcome(job.project, State.OFFLINE, f"offline; {_shown(checked, job.today)}")
        try:
            return _read(job)
        except SourceUnreachable as error:
            return Outcome(job.project, State.UNREACHABLE, f"unreachable: {error}; {_shown(checked, job.today)}")
    except (DamagedFile, OSError) as error:
        return Outcome(job.project, State.FAILED, short_line(str(error), 2 * MAX_LINE))
    except Exception as error:  # noqa: BLE001 - one project's fault must not stop the others; it is in the outcome
        sentence = short_line(f"a fault of kb, please report it: {type(error).__name__}: {error}", MAX_LINE)
        return Outcome(job.project, State.FAILED, sentence, fault=traceback.format_exc())


def _shown(checked: Checked | None, today: date) -> str:
    return f"what is shown is {age(checked.day, today)} old" if checked else "nothing is shown yet"


def _read(job: _Job) -> Outcome:
    old = {package: read_versions(job.results, package) for package in job.packages}  # before a server is asked
    fetched = open_source(job.settings, job.web).fetch()
    notices = list(fetched.notices)
    found = _by_version(_sections(job, fetched.documents, notices), notices)
    if not found:
        raise SourceUnreachable("no version was found in what it gives")
    stored: list[Stored] = []
    troubles: list[str] = []
    for package in job.packages:
        known = known_dates(job.settings, package, None if job.offline else job.web)
        troubles += known.troubles
        mine = [pair for (owner, _), pair in found.items() if owner == package]
        records = [_record(section, document, known, old[package], job.today) for section, document in mine]
        stored.append(replace_versions(job.results, package, old[package], records))
    lasting = short_lines(notices, MAX_LINE)
    written = write_checked(job.results, job.project, Checked(job.today.isoformat(), lasting))
    stored.append(Stored(written))
    return _outcome(job, len(found), stored, (*lasting, *short_lines(troubles, MAX_LINE)))


def _outcome(job: _Job, versions: int, stored: Sequence[Stored], notices: tuple[str, ...]) -> Outcome:
    new = sum(each.new_entries for each in stored)
    return Outcome(
        job.project,
        State.READ,
        f"{_counted(versions, 'version')}, {_counted(new, 'new entry', 'new entries')}",
        versions,
        new,
        written=tuple(path for each in stored for path in each.written),
        removed=tuple(path for each in stored for path in each.removed),
        notices=notices,
    )


def _sections(job: _Job, documents: Iterable[Document], notices: list[str]) -> Iterator[tuple[Section, Document]]:
    """The sections of all documents that are about the project's packages."""
    strangers: dict[str, None] = {}
    for document in documents:
        reading = job.read(document, job.project, job.settings)
        notices += [reading.trouble] if reading.trouble else []
        if document.version is not None:
            yield _single(reading.sections, document.version, job.packages[0]), document
            continue
        for section in (*reading.sections, *_skipped(reading)):
            package = canonicalize_name(section.package)
            if package in job.packages:
                yield replace(section, package=package), document
            else:
                strangers[section.package] = None
    if strangers:
        notices.append(f"sections of other packages were left out: {', '.join(strangers)}")


def _skipped(reading: Reading) -> Iterator[Section]:
    """The versions that the text says were never out, or not for long: their heading is the sentence that says so."""
    known = {(section.package, section.version) for section in reading.sections}
    for notice in reading.notices:
        for version in notice.versions:
            if (notice.package, version) not in known:
                yield Section(notice.package, version, plain(notice.text), notice.line, stage=Stage.WITHDRAWN)


def _single(sections: Sequence[Section], version: str, package: str) -> Section:
    """All that a document about one version says: the section of that version, or whatever else there is, as one."""
    about = [section for section in sections if section.version == version] or sections
    whole = [replace(section, package=package, version=version) for section in about]
    return _joined(whole) if whole else Section(package, version, heading=version, line=1)


def _by_version(
    sections: Iterable[tuple[Section, Document]], notices: list[str]
) -> dict[tuple[str, str], tuple[Section, Document]]:
    """One section for each version; where a version has several headings, all that stands below them."""
    found: dict[tuple[str, str], tuple[Section, Document]] = {}
    for section, document in sections:
        key = section.package, short_line(section.version)
        if not key[1]:
            notices.append(f"a section without a version was left out (line {section.line})")
        elif key in found:
            first, origin = found[key]
            found[key] = _joined((first, section)), origin
        else:
            found[key] = replace(section, version=key[1]), document
    return found


def _joined(sections: Sequence[Section]) -> Section:
    first = sections[0]
    if len(sections) == 1:
        return first
    return replace(
        first,
        date=next((section.date for section in sections if section.date), ""),
        entries=tuple(entry for section in sections for entry in section.entries),
        coverage=min(section.coverage for section in sections),
        trouble="; ".join(dict.fromkeys(section.trouble for section in sections if section.trouble)),
    )


def _record(
    section: Section, document: Document, known: KnownDates, old: dict[str, VersionRecord], today: date
) -> VersionRecord:
    whole, source = dated(section, document, known, old.get(section.version))
    return VersionRecord.of(whole, date_source=source, source_url=document.origin_url, today=today.isoformat())


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
