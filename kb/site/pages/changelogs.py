"""Changelogs: what is new, each project's versions, what an upgrade by one minor version brings, and fixed CVEs."""

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from kb.analysis.changelogs import (
    Noted,
    adjacent_lines,
    beyond_headings,
    by_category,
    counts,
    entries_of,
    news,
    vulnerabilities,
)
from kb.changelogs.entry import Category, Inline, Stage
from kb.changelogs.library import Library, Package
from kb.changelogs.upgrade.finding import TITLES, Finding
from kb.site.prose import shown, shown_items
from kb.site.render import Page, render
from kb.site.render import front_matter as any_front_matter
from kb.site.table import EMPTY, Cell, Column, Table
from kb.site.text import counted, referenced, slug

PATH = "changelogs.md"
FOLDER = "changelogs"
SECURITY = f"{FOLDER}/security.md"
#: Months of news that have a page; what is older stands on the pages of the packages.
MONTHS = 12
#: What a category is called on a page, and its tone.
WORDS: Mapping[Category, tuple[str, str]] = {
    Category.BREAKING: ("Breaking", "bad"),
    Category.DEPRECATION: ("Deprecated", "warn"),
    Category.SECURITY: ("Security", "warn"),
    Category.KNOWN_ISSUE: ("Known issues", "warn"),
    Category.FEATURE: ("New", "good"),
    Category.IMPROVEMENT: ("Improved", "good"),
    Category.PERFORMANCE: ("Performance", "good"),
    Category.CHANGE: ("Changed", "muted"),
    Category.BUGFIX: ("Fixed", "muted"),
    Category.DEPENDENCY: ("Dependencies", "muted"),
    Category.DEVELOPER: ("For developers", "muted"),
    Category.DOCS: ("Documentation", "muted"),
    Category.UNCATEGORIZED: ("Without a category", "muted"),
}
STAGES = {
    Stage.RELEASED: ("released", "good"),
    Stage.PRERELEASE: ("pre-release", "hollow"),
    Stage.UPCOMING: ("upcoming", "hollow"),
    Stage.WITHDRAWN: ("withdrawn", "bad"),
}


def pages(library: Library) -> list[Page]:
    """The overview, the news of each month, a page per package, one per upgrade, and the vulnerabilities."""
    months = dict(list(news(library.packages).items())[:MONTHS])
    return [
        _overview(library, months),
        *(_month(month, noted) for month, noted in months.items()),
        *(_package(package) for package in library.packages),
        *(_upgrade(package, *pair) for package in library.packages for pair in adjacent_lines(package)),
        _security(library),
    ]


def front_matter(title: str, description: str) -> Markup:
    """As of every page, which says what it is made of."""
    return any_front_matter(title, description, (), source="the changelogs under results/changelogs")


def _overview(library: Library, months: Mapping[str, Sequence[Noted]]) -> Page:
    columns = (
        Column("Package", "package"),
        Column("Newest", "newest"),
        Column("Released", "released"),
        Column("Versions", "versions", numeric=True),
        Column("Entries", "entries", numeric=True),
        Column("Breaking", "breaking", numeric=True),
        Column("Text read", "coverage_pct", numeric=True, unit="%"),
    )
    rows = [_package_row(package) for package in library.packages]
    checked = Table(
        "When each source was read",
        (Column("Project", "project"), Column("Read on", "read"), Column("Notices", "notices", prose=True)),
        [(Cell(name), Cell(each.day), Cell("; ".join(each.notices))) for name, each in library.checked.items()],
    )
    text = render(
        "changelogs.md",
        matter=front_matter("Changelogs", "What the frameworks' releases change, by package and by month."),
        packages=Table("Packages", columns, rows).html() if rows else None,
        checked=checked.html() if library.checked else None,
        months=_months_table(months).html() if months else None,
        security=SECURITY,
    )
    return Page(PATH, text)


def _months_table(months: Mapping[str, Sequence[Noted]]) -> Table:
    columns = (
        Column("Month", "month"),
        Column("Entries", "entries", numeric=True),
        Column("Breaking", "breaking", numeric=True),
        Column("Security", "security", numeric=True),
        Column("Packages", "packages", prose=True),
    )
    rows = []
    for month, noted in months.items():
        of = {category: len(each) for category, each in by_category(noted).items()}
        known = (len(noted), of.get(Category.BREAKING, 0), of.get(Category.SECURITY, 0))
        numbers = (Cell(f"{number:,}", number) for number in known)
        packages = Cell(", ".join(sorted(_packages(noted))))
        rows.append((Cell(month, href=f"{FOLDER}/{month}.html"), *numbers, packages))
    return Table("News by month", columns, rows)


def _package_row(package: Package) -> tuple[Cell, ...]:
    newest = package.newest
    every = entries_of(package.versions)
    read = [version.coverage for version in package.versions]
    return (
        Cell(package.name, href=f"{FOLDER}/{slug(package.name)}.html"),
        Cell(newest.version) if newest else EMPTY,
        Cell(newest.date) if newest else EMPTY,
        Cell(f"{len(package.versions):,}", len(package.versions)),
        Cell(f"{len(every):,}", len(every)),
        Cell(f"{sum(each.category is Category.BREAKING for each in every):,}"),
        Cell(f"{100 * sum(read) / len(read):.0f}", 100 * sum(read) / len(read)) if read else EMPTY,
    )


def _month(month: str, noted: Sequence[Noted]) -> Page:
    text = render(
        "changelog_month.md",
        matter=front_matter(f"News of {month}", f"What the frameworks' changelogs said that was new in {month}."),
        month=month,
        summary=f"{counted(len(noted), 'entry', 'entries')} of {counted(len(_packages(noted)), 'package')}",
        found=_groups(noted, with_package=True),
    )
    return Page(f"{FOLDER}/{month}.md", text)


def _package(package: Package) -> Page:
    pairs = adjacent_lines(package)
    upcoming = [version for version in package.versions if version.stage is Stage.UPCOMING]
    newest = package.newest
    issues = by_category(entries_of([newest])).get(Category.KNOWN_ISSUE, []) if newest else []
    text = render(
        "changelog_package.md",
        matter=front_matter(package.name, f"Versions of {package.name} and what they change."),
        name=package.name,
        versions=_versions_table(package).html(f"../data/changelog-{slug(package.name)}.csv"),
        csv=f"../data/changelog-{slug(package.name)}.csv",
        upgrades=[(old, new, f"{_upgrade_name(package, old, new)}.html") for old, new in pairs],
        upcoming=_groups(entries_of(upcoming)),
        newest=newest,
        issues=_entries(issues),
    )
    return Page(
        f"{FOLDER}/{slug(package.name)}.md",
        text,
        {f"data/changelog-{slug(package.name)}.csv": _versions_table(package).csv()},
    )


def _versions_table(package: Package) -> Table:
    shown_counts = (Category.BREAKING, Category.DEPRECATION, Category.SECURITY, Category.FEATURE, Category.BUGFIX)
    columns = (
        Column("Version", "version"),
        Column("Date", "date"),
        Column("Stage", "stage"),
        *(Column(WORDS[category][0], str(category), numeric=True) for category in shown_counts),
        Column("All", "entries", numeric=True),
        Column("Text read", "coverage_pct", numeric=True, unit="%"),
    )
    rows = []
    for version in reversed(package.versions):
        found = counts(version)
        word, tone = STAGES[version.stage]
        rows.append(
            (
                Cell(version.version, href=version.source_url),
                Cell(version.date, note=version.date_source),
                Cell(word, tone=tone),
                *(Cell(f"{found[each]:,}", found[each]) if each in found else EMPTY for each in shown_counts),
                Cell(f"{len(version.entries):,}", len(version.entries)),
                Cell(f"{100 * version.coverage:.0f}", 100 * version.coverage, note=version.trouble),
            )
        )
    return Table(f"Versions of {package.name}", columns, rows)


def _upgrade_name(package: Package, old: str, new: str) -> str:
    return f"{slug(package.name)}-{old}-to-{new}"


def _upgrade(package: Package, old: str, new: str) -> Page:
    versions = package.by_line[new]
    released = [version for version in versions if version.stage is Stage.RELEASED]
    text = render(
        "changelog_upgrade.md",
        matter=front_matter(f"{package.name} {old} to {new}", f"What changes from {package.name} {old} to {new}."),
        name=package.name,
        page=f"{slug(package.name)}.md",
        old=old,
        new=new,
        versions=[(version.version, version.date, *STAGES[version.stage]) for version in versions],
        command=f"kb upgrade {package.name}=={package.by_line[old][-1].version} {package.name}=={versions[-1].version}",
        beyond=_beyond(beyond_headings(package, old, new)),
        found=_groups(entries_of(released)),
    )
    return Page(f"{FOLDER}/{_upgrade_name(package, old, new)}.md", text)


def _beyond(found: Sequence[Finding]) -> Markup:
    """What no heading says, each with why it stands here."""
    made = [
        Markup("<li><strong>{}</strong> {} <small>{} · {}</small></li>").format(
            TITLES[each.kind], shown(each.entry.text), referenced(each.version), referenced(each.reason)
        )
        for each in found
    ]
    return Markup('<ul class="kb-entries">{}</ul>').format(Markup("").join(made)) if made else Markup("")


def _security(library: Library) -> Page:
    columns = (
        Column("CVE", "cve"),
        Column("Package", "package"),
        Column("Fixed in", "fixed_in", prose=True),
        Column("First said of it", "text", prose=True),
    )
    rows = [
        (
            Cell(each.cve, href=f"https://nvd.nist.gov/vuln/detail/{each.cve}"),
            Cell(each.package, href=f"{slug(each.package)}.html"),
            Cell(", ".join(each.fixed_in)),
            Cell(_words(each.noted.record.entry.text)),
        )
        for each in vulnerabilities(library.packages)
    ]
    table = Table("Vulnerabilities", columns, rows)
    csv = "data/changelog-security.csv"
    text = render(
        "changelog_security.md",
        matter=front_matter("Security", "Vulnerabilities that the frameworks' changelogs name, and what fixes them."),
        count=len(rows),
        table=table.html(f"../{csv}") if rows else None,
        csv=f"../{csv}",
    )
    return Page(SECURITY, text, {csv: table.csv()})


def _groups(noted: Iterable[Noted], *, with_package: bool = False) -> list[Mapping[str, object]]:
    """What a template shows of entries: a group per category, with its words, tone and list."""
    return [
        {
            "id": str(category).replace("_", "-"),
            "words": WORDS[category][0],
            "tone": WORDS[category][1],
            "count": counted(len(members), "entry", "entries"),
            "list": _entries(members, with_package=with_package),
        }
        for category, members in by_category(noted).items()
    ]


def _entries(noted: Sequence[Noted], *, with_package: bool = False) -> Markup:
    """A list of entries on one line, each with an anchor, its version and a link to its source."""
    made = Markup("").join(_entry(each, with_package) for each in noted)
    return Markup('<ul class="kb-entries">{}</ul>').format(made) if made else Markup("")


def _entry(noted: Noted, with_package: bool) -> Markup:
    entry, version = noted.record.entry, noted.version
    said = [referenced(f"{version.package} {version.version}" if with_package else version.version)]
    if entry.component and entry.component not in _words(entry.text):
        said.append(referenced(entry.component))
    if entry.category is not entry.heading_category and entry.heading:
        said.append(Markup("under “{}”").format(referenced(entry.heading)))
    if link := version.link(entry):
        said.append(Markup('<a href="{}" rel="noopener nofollow">source</a>').format(referenced(link)))
    return Markup('<li id="{}"><span>{}</span> <small>{}</small>{}</li>').format(
        anchor(noted), shown(entry.text), Markup(" · ").join(said), shown_items(entry.items)
    )


def _words(text: Inline) -> str:
    return "".join(span.text for span in text)


def anchor(noted: Noted) -> str:
    """Where an entry can be linked to: the same in every build, and on every page that shows it."""
    return slug(f"{noted.version.package}-{noted.version.version}-{noted.category}-{noted.record.id}")


def _packages(noted: Iterable[Noted]) -> set[str]:
    return {each.version.package for each in noted}
