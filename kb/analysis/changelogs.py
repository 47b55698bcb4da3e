"""From kept changelogs to findings: what is new in a month, and which versions fix a vulnerability."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from kb.changelogs.entry import Category, Section, Stage
from kb.changelogs.library import Package
from kb.changelogs.record import EntryRecord, VersionRecord, is_day
from kb.changelogs.upgrade.finding import Finding, Kind
from kb.changelogs.upgrade.report import upgrade_report
from kb.changelogs.upgrade.requirements import asked

#: Categories in the order in which a reader needs them: what breaks, then what will, then what may hurt.
ORDER = (
    Category.BREAKING,
    Category.DEPRECATION,
    Category.SECURITY,
    Category.KNOWN_ISSUE,
    Category.FEATURE,
    Category.IMPROVEMENT,
    Category.PERFORMANCE,
    Category.CHANGE,
    Category.BUGFIX,
    Category.DEPENDENCY,
    Category.DEVELOPER,
    Category.DOCS,
    Category.UNCATEGORIZED,
)


@dataclass(frozen=True)
class Noted:
    """An entry with the version that it belongs to."""

    version: VersionRecord
    record: EntryRecord

    @property
    def category(self) -> Category:
        return self.record.entry.category


@dataclass(frozen=True)
class Vulnerability:
    """One CVE, however many release notes repeat it."""

    cve: str
    package: str
    fixed_in: tuple[str, ...]  #: versions in their order
    noted: Noted  #: the first entry that names it


def news(packages: Iterable[Package]) -> dict[str, list[Noted]]:
    """Month, as `2026-11`, -> what became known in it, in the order of `ORDER`; the newest month first.

    An entry is news when it is first seen, not when its section is: sections grow for months. Of what was there when
    a package was read for the first time, the date of the version decides; what has none was never news.
    """
    found: dict[str, list[Noted]] = {}
    for package in packages:
        for version in package.versions:
            for record in version.entries:
                if month := _month(record, version, package.baseline):
                    found.setdefault(month, []).append(Noted(version, record))
    return {month: sorted(found[month], key=_place) for month in sorted(found, reverse=True)}


def _month(record: EntryRecord, version: VersionRecord, baseline: str) -> str:
    if record.first_seen > baseline:
        return record.first_seen[:7]
    return version.date[:7] if is_day(version.date) and version.stage is not Stage.UPCOMING else ""


def _place(noted: Noted) -> tuple[int, str]:
    return ORDER.index(noted.category), noted.version.package


def by_category(noted: Iterable[Noted]) -> dict[Category, list[Noted]]:
    """Category -> its entries, in the order of `ORDER`."""
    groups: dict[Category, list[Noted]] = {}
    for each in noted:
        groups.setdefault(each.category, []).append(each)
    return {category: groups[category] for category in ORDER if category in groups}


def entries_of(versions: Iterable[VersionRecord]) -> list[Noted]:
    """The entries of some versions."""
    return [Noted(version, record) for version in versions for record in version.entries]


def counts(version: VersionRecord) -> Mapping[Category, int]:
    """Category -> number of a version's entries."""
    return {category: len(each) for category, each in by_category(entries_of([version])).items()}


def adjacent_lines(package: Package) -> list[tuple[str, str]]:
    """Neighbouring minor lines, such as (`2.9`, `2.10`); the newest pair first."""
    lines = list(package.by_line)
    return list(pairwise(lines))[::-1]


def beyond_headings(package: Package, old: str, new: str) -> tuple[Finding, ...]:
    """What an upgrade from one minor line to the next brings that no heading says: deprecations that expire in it, and
    support that it drops. By the newest version of each line."""
    pins = tuple(f"{package.name}=={package.by_line[line][-1].version}" for line in (old, new))
    report = upgrade_report(asked(pins, None, None), lambda name: _sections(package) if name == package.name else [])
    return tuple(each for of in report.packages for each in of.findings if each.kind in (Kind.EXPIRED, Kind.DROPPED))


def _sections(package: Package) -> list[Section]:
    return [version.section for version in package.versions]


def vulnerabilities(packages: Iterable[Package]) -> list[Vulnerability]:
    """Every CVE of every package once, the newest number first."""
    found = [each for package in packages for each in _of_package(package)]
    return sorted(found, key=lambda each: (_number(each.cve), each.package), reverse=True)


def _of_package(package: Package) -> Iterator[Vulnerability]:
    first: dict[str, Noted] = {}
    fixed: dict[str, dict[str, None]] = {}
    for noted in entries_of(package.versions):
        for cve in noted.record.entry.cves:
            first.setdefault(cve, noted)
            fixed.setdefault(cve, {})[noted.version.version] = None
    for cve, noted in first.items():
        yield Vulnerability(cve, package.name, tuple(fixed[cve]), noted)


def _number(cve: str) -> tuple[int, ...]:
    return tuple(int(part) for part in cve.split("-") if part.isdigit())
