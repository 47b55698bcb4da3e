"""Changelogs for the tests of the site, written for them: two plain packages, and one that tries to break out."""

from pathlib import Path

from kb.changelogs.entry import Category, Entry, Item, Section, Span, Stage
from kb.changelogs.projects import FAMILIES
from kb.changelogs.reading import read
from kb.changelogs.record import VersionRecord
from kb.changelogs.store import Checked, read_versions, replace_versions, write_checked

FIRST_DAY, LATER = "2026-09-20", "2026-11-20"

#: What a page must not come to life from. Each line is an entry, or a piece of Markdown around one.
HOSTILE_TEXT = """\
# Changelog

## 1.1.0

### Added

- <script>document.title = 'pwned'</script> a script
- [a link](javascript:document.title='pwned') and [another](JaVaScRiPt:alert(1)) and [a third](data:text/html,x)
- <img src=x onerror="document.title='pwned'"> and <a href="#" onclick="document.title='pwned'">click</a>
- <iframe src="https://example.org"></iframe> <object data="x"></object> <embed src="x">
- <svg onload="document.title='pwned'"><circle r="9"/></svg> <math><mi>x</mi></math>
- <style>body { display: none }</style> <link rel="stylesheet" href="https://example.org/x.css">
- ![a picture](https://example.org/pixel.png) and {{ 7*7 }} and {% include "mkdocs.yml" %}
- --8<-- "mkdocs.yml"
- !!! danger "An admonition" and [TOC] and {: #planted .md-header onclick=alert(1) }
- left \u202eto right\u202c and zero\u200bwidth <!-- a comment that is never closed
- # Not a heading
- <h1>Planted heading</h1> <form action="https://example.org"><input name="q"></form>
- `<b>code</b>` and **<b>bold</b>** and Tensor<T> and <details open><summary>s</summary>

  --8<-- "mkdocs.yml"

  ```html
  </code></pre><script>document.title = 'pwned'</script>
  ```

## 1.0.0

### Fixed

- nothing of note
"""


def words(text: str) -> tuple[Span, ...]:
    return (Span(text),)


def entry(category: Category, text: str, **fields: object) -> Entry:
    plain = {"heading": str(category), "heading_category": category, "component": ""}
    return Entry(category=category, text=words(text), **{**plain, **fields})  # type: ignore[arg-type]


def make_changelogs(results: Path) -> None:
    """`plainlib` is read twice, its 2.0.0 and one more entry of 1.1.0 the second time; the others once."""
    early = [
        Section("plainlib", "1.0.0", "Release 1.0.0", 9, "2026-05-02", entries=(entry(Category.FEATURE, "Begins"),)),
        Section("plainlib", "1.1.0", "Release 1.1.0", 5, "2026-08-03", entries=_eleven()),
    ]
    late = [
        early[0],
        Section(
            "plainlib", "1.1.0", "Release 1.1.0", 7, "2026-08-03",
            entries=(*_eleven(), entry(Category.KNOWN_ISSUE, "Added later: it is slow on Mondays")),
        ),
        Section("plainlib", "2.0.0", "Release 2.0.0", 3, "2026-11-19", entries=_twenty()),
        Section("plainlib", "2.1.0", "Unreleased", 1, stage=Stage.UPCOMING, entries=(entry(Category.FEATURE, "Soon"),)),
    ]  # fmt: skip
    _store(results, "plainlib", early, FIRST_DAY)
    _store(results, "plainlib", late, LATER)
    reading = read(HOSTILE_TEXT, FAMILIES["keep-a-changelog"])
    _store(results, "hostilelib", [_of("hostilelib", each) for each in reading.sections], LATER)
    for project in ("plainlib", "hostilelib"):
        write_checked(results, project, Checked(LATER, ("sections of other packages were left out: otherlib",)))


def _eleven() -> tuple[Entry, ...]:
    fixes = entry(Category.SECURITY, "Fixes a leak", cves=("CVE-2026-1111",))
    return (entry(Category.DEPRECATION, "load() is deprecated and will be removed in version 2.0"), fixes)


def _twenty() -> tuple[Entry, ...]:
    code = Item((Span("open(\n    'x')", code=True),), sample=True)
    gone = Entry(
        Category.BREAKING, "Deprecations", Category.DEPRECATION, "io",
        (Span("Removes "), Span("load()", code=True, url="https://example.org/load"), Span(" for good", strong=True)),
        (Item(words("Use the other one:"), items=(code,)),),
        symbols=("load",),
        anchor="release-200",
    )  # fmt: skip
    repeated = entry(Category.SECURITY, "Fixes the leak here as well", cves=("CVE-2026-1111", "CVE-2025-0002"))
    return (entry(Category.FEATURE, "A new loader"), gone, repeated)


def _of(package: str, section: Section) -> Section:
    return Section(package, section.version, section.heading, section.line, entries=section.entries)


def _store(results: Path, package: str, sections: list[Section], today: str) -> None:
    page = f"https://example.org/{package}/CHANGELOG.md"
    records = [VersionRecord.of(each, date_source="text", source_url=page, today=today) for each in sections]
    replace_versions(results, package, read_versions(results, package), records)
