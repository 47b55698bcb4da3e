"""The upgrade report: what matters on the way of each package, what names the user's code first."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from kb.changelogs.entry import Entry, Section
from kb.changelogs.upgrade.finding import BREAKS, Finding, Kind
from kb.changelogs.upgrade.match import Confidence, UseIndex
from kb.changelogs.upgrade.naming import naming_of
from kb.changelogs.upgrade.requirements import Change, Question
from kb.changelogs.upgrade.rules import findings, fixed_later
from kb.changelogs.upgrade.scan import scan
from kb.changelogs.upgrade.uses import Scan
from kb.changelogs.upgrade.versions import Way, public_version, way
from kb.packages.families import names_of

#: Gives what is known of a package; empty where nothing is.
SectionsOf = Callable[[str], Sequence[Section]]

#: Gives where an entry of a version of a package can be read; empty where that is not known.
SourceOf = Callable[[str, str, Entry], str]

_KINDS = list(Kind)


@dataclass(frozen=True)
class PackageReport:
    """What the change of one package brings."""

    change: Change
    way: Way | None = None  #: None where nothing is known of the package, or it is added or removed
    findings: tuple[Finding, ...] = ()  #: those about the user's code first, the surest first; then by kind and version
    remarks: tuple[str, ...] = ()  #: what is not known, and what is worth knowing besides

    @property
    def known(self) -> bool:
        """Something can be said: there is at least one version on the way that could be read."""
        return self.way is not None and any(step.entries or step.withdrawn for step in self.way.steps)

    def of_kind(self, kind: Kind) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.kind is kind)


@dataclass(frozen=True)
class Report:
    """The answer to one question."""

    packages: tuple[PackageReport, ...]
    scan: Scan | None = None  #: None where no code was given
    remarks: tuple[str, ...] = ()
    asked_for: bool = True  #: each package was named by the user

    @property
    def changed(self) -> tuple[PackageReport, ...]:
        return tuple(package for package in self.packages if package.change.ends)

    @property
    def unknown(self) -> tuple[PackageReport, ...]:
        """Packages whose version changes and of which nothing can be said."""
        return tuple(package for package in self.changed if not package.known)

    @property
    def tells(self) -> bool:
        """Whether the question is answered: of all packages that the user named, or of one in the lock files."""
        if not self.changed:
            return True
        return not self.unknown if self.asked_for else len(self.unknown) < len(self.changed)

    @property
    def breaks(self) -> bool:
        """With code: a name that it uses breaks. Without: anything breaks."""
        found = (finding for package in self.packages for finding in package.findings)
        if self.scan is None:
            return any(finding.kind in BREAKS for finding in found)
        return any(finding.breaks_code for finding in found)


def upgrade_report(
    question: Question, sections_of: SectionsOf, paths: Sequence[Path] = (), source_of: SourceOf | None = None
) -> Report:
    """What an upgrade brings, for the code at `paths` where there are any.

    Raises:
        kb.changelogs.upgrade.scan.ScanError: a path holds no Python code.
    """
    projects = [change.project for change in question.changes if change.ends]
    roots = {package for project in projects for package in naming_of(project).packages}
    scanned = scan(paths, roots) if paths else None
    packages = tuple(_package(change, sections_of, scanned, source_of) for change in question.changes)
    return Report(packages, scanned, question.remarks, question.asked_for)


def _package(
    change: Change, sections_of: SectionsOf, scanned: Scan | None, source_of: SourceOf | None
) -> PackageReport:
    if change.ends is None:
        return PackageReport(change)
    sections = next((known for name in names_of(change.project) if (known := sections_of(name))), ())
    if not sections:
        return PackageReport(
            change, remarks=(f"nothing is known of {change.project}; run `kb changelog {change.project}`",)
        )
    found_way = way(sections, *change.ends)
    index = UseIndex(scanned.uses if scanned else (), naming_of(change.project))
    found = [
        replace(
            finding,
            matches=index.matches(finding.entry),
            source=_source(change.project, finding, source_of),
        )
        for finding in findings(found_way, change.project, index)
    ]
    package = PackageReport(change, found_way, _in_order(found, found_way))
    return replace(package, remarks=tuple(_remarks(package, found_way)))


def _remarks(package: PackageReport, found_way: Way) -> Iterable[str]:
    yield from found_way.remarks
    if found_way.downgrade:
        yield f"a downgrade: what is listed is undone or lost on the way from {found_way.start} to {found_way.end}"
    fixes = fixed_later(found_way)
    for version in sorted({version for _, version in fixes}):
        count = sum(fixed == version for _, fixed in fixes)
        yield f"{version} fixes {count} known issue{'s' if count > 1 else ''} of {found_way.end}: consider it instead"
    if not package.known:
        run = f"run `kb changelog {package.change.project}`"
        yield f"nothing is known of the versions from {found_way.start} to {found_way.end}; {run}"


def _in_order(found: Iterable[Finding], found_way: Way) -> tuple[Finding, ...]:
    """What is about the user's code first, the surest first; then by kind; then in the order of the way."""

    def version(finding: Finding) -> Version:
        return public_version(finding.effective or finding.version) or found_way.start

    def rank(finding: Finding) -> tuple[int, int]:
        unused = Confidence.CERTAIN + 1
        doubt = unused if finding.confidence is None else Confidence.CERTAIN - finding.confidence
        return doubt, _KINDS.index(finding.kind)

    return tuple(sorted(sorted(found, key=version, reverse=found_way.downgrade), key=rank))


def _source(project: str, finding: Finding, source_of: SourceOf | None) -> str:
    """Where the entry is, as the caller knows it; else the first report that it names."""
    if source_of and (url := source_of(project, finding.version, finding.entry)):
        return url
    return next((reference.url for reference in finding.entry.references if reference.url), "")
