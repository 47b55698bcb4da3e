"""When versions came out, where their changelog does not say: from the package index, GitHub's releases, or a table."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from kb.changelogs.entry import Section, Stage
from kb.changelogs.inline import short_line
from kb.changelogs.record import VersionRecord, is_day
from kb.changelogs.sources.github import GithubReleases, version_of
from kb.changelogs.sources.index import PackageIndex
from kb.changelogs.sources.interface import Document, SourceUnreachable, decoded
from kb.changelogs.sources.web import Web
from kb.config import ChangelogSettings
from kb.records.damage import quoted

#: Values of `date_source` beside those of a table.
TEXT, INDEX, RELEASES = "text", "index", "releases"
TABLE_COLUMNS = ["package", "version", "date", "source"]


@dataclass(frozen=True)
class ReleaseDate:
    """What is known of a version beside its changelog."""

    day: str  #: ISO 8601; empty where it is not known
    source: str  #: who says so
    withdrawn: bool = False


@dataclass(frozen=True)
class KnownDates:
    """What the sources of dates say of one package."""

    by_version: Mapping[Version, ReleaseDate]
    troubles: tuple[str, ...] = ()  #: sources that could not be read; what they said before still counts


def known_dates(settings: ChangelogSettings, package: str, web: Web | None) -> KnownDates:
    """Ask the project's sources of dates in their order: the first that knows a day counts, and any that withdraws.

    Without `web`, only tables are read. A source that cannot be read is a trouble, not an error.
    """
    found: dict[Version, ReleaseDate] = {}
    troubles = []
    for source in settings.dates:
        try:
            dates = _dates(source, settings, package, web)
        except SourceUnreachable as error:
            troubles.append(f"dates: {error}")
            continue
        for version, new in dates.items():
            old = found.get(version)
            first = old if old and old.day else new
            found[version] = replace(first, withdrawn=new.withdrawn or bool(old and old.withdrawn))
    return KnownDates(found, tuple(troubles))


def dated(section: Section, document: Document, known: KnownDates, old: VersionRecord | None) -> tuple[Section, str]:
    """The section with its date and stage as far as they are known, and who says the date.

    What the text states counts before all else; `old` fills in for sources that could not be read now.
    """
    beside = _of(section.version, known.by_version)
    stage = section.stage
    if stage is Stage.RELEASED:
        stage = document.stage or stage
    if stage in (Stage.RELEASED, Stage.PRERELEASE) and _withdrawn(beside, known, old):
        stage = Stage.WITHDRAWN
    day, source = section.date, TEXT
    if not is_day(day) and stage is not Stage.UPCOMING:
        candidates = [(document.date or "", RELEASES), (beside.day, beside.source)]
        if old is not None and known.troubles:
            candidates.append((old.date, old.date_source))
        fuller = [each for each in candidates if each[0] and each[0].startswith(day)]
        day, source = fuller[0] if fuller else (day, source)
    return replace(section, date=day, stage=stage), source if day else ""


def _withdrawn(beside: ReleaseDate, known: KnownDates, old: VersionRecord | None) -> bool:
    return beside.withdrawn or (bool(known.troubles) and old is not None and old.stage is Stage.WITHDRAWN)


def _of(version: str, dates: Mapping[Version, ReleaseDate]) -> ReleaseDate:
    """By value: a changelog's 2.0 is the index's 2.0.0."""
    nothing = ReleaseDate("", "")
    try:
        return dates.get(Version(version), nothing)
    except InvalidVersion:
        return nothing


def _dates(source: str, settings: ChangelogSettings, package: str, web: Web | None) -> Mapping[Version, ReleaseDate]:
    if source not in (INDEX, RELEASES):
        return table_dates(Path(source)).get(package, {})
    if web is None:
        raise SourceUnreachable(f"{source}: not asked, kb is offline")
    if source == INDEX:
        versions = PackageIndex(web, settings.index).versions(package)
        return {each.version: ReleaseDate(each.day, INDEX, each.yanked) for each in versions}
    releases = GithubReleases(web, settings.repository, settings.tag_prefix, settings.api).releases()
    tagged = ((version_of(each.tag, settings.tag_prefix), each.date) for each in releases)
    return {version: ReleaseDate(day, RELEASES) for version, day in tagged if version}


def table_dates(path: Path) -> dict[str, dict[Version, ReleaseDate]]:
    """Package -> version -> date of a user's table: a CSV file with the columns package,version,date,source.

    Raises:
        SourceUnreachable: it cannot be read, or a line of it means nothing; with file, line and column.
    """
    try:
        text = decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise SourceUnreachable(f"{path} cannot be read: {error.strerror}") from None
    found: dict[str, dict[Version, ReleaseDate]] = {}
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        if next(reader) != TABLE_COLUMNS:
            raise SourceUnreachable(f"{path}:1: expected the columns {','.join(TABLE_COLUMNS)}")
        for cells in reader:
            if cells:
                package, version, date = _line(f"{path}:{reader.line_num}", cells)
                found.setdefault(package, {})[version] = date
    except csv.Error as error:
        raise SourceUnreachable(f"{path}:{reader.line_num}: not a line of CSV ({error})") from None
    return found


def _line(where: str, cells: list[str]) -> tuple[str, Version, ReleaseDate]:
    if len(cells) != len(TABLE_COLUMNS):
        raise SourceUnreachable(f"{where}: expected {len(TABLE_COLUMNS)} columns, found {len(cells)}")
    package, version, date, source = (cell.strip() for cell in cells)
    if not is_day(date):
        raise SourceUnreachable(f"{where}: column `date`: expected a day, e.g. 2026-11-27, found {quoted(date)}")
    if not source:
        raise SourceUnreachable(f"{where}: column `source`: expected who says so, found nothing")
    try:
        return canonicalize_name(package), Version(version), ReleaseDate(date, short_line(source))
    except InvalidVersion:
        found = quoted(version)
        raise SourceUnreachable(f"{where}: column `version`: expected a version of PEP 440, found {found}") from None
