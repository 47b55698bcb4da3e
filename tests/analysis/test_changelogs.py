"""Findings from changelogs: news by the day on which they were first seen, categories in order, CVEs once."""

from dataclasses import replace

from kb.analysis.changelogs import ORDER, adjacent_lines, by_category, entries_of, news, vulnerabilities
from kb.changelogs.entry import Category, Stage
from kb.changelogs.library import Package
from kb.changelogs.record import VersionRecord
from tests.changelogs.made_up import entry, section

FIRST, LATER = "2026-09-20", "2026-11-20"


def record(version: str, *texts: str, today: str = FIRST, **fields: object) -> VersionRecord:
    return VersionRecord.of(section(version, *texts, **fields), date_source="", source_url="", today=today)


def test_every_category_has_its_place() -> None:
    assert sorted(ORDER) == sorted(Category)


def test_what_was_there_at_first_is_of_the_month_of_its_version() -> None:
    package = Package(
        "p", (record("1.0", "a", date="2026-05-02"), record("1.1", "b"), record("1.2", "c", date="2026-06"))
    )
    assert [
        (month, [each.record.entry.text[0].text for each in found]) for month, found in news([package]).items()
    ] == [("2026-05", ["a "])]


def test_what_comes_later_is_of_the_month_in_which_it_was_seen_the_newest_first() -> None:
    old = record("1.0", "a", date="2026-05-02")
    grown = record("1.0", "a", "late", date="2026-05-02", today=LATER).after(old)
    assert {month: len(found) for month, found in news([Package("p", (grown,))]).items()} == {
        "2026-11": 1,
        "2026-05": 1,
    }
    assert list(news([Package("p", (grown,))])) == ["2026-11", "2026-05"]


def test_an_upcoming_version_is_no_news_before_it_grows() -> None:
    soon = record("2.0", "a", date="2026-12-01", stage=Stage.UPCOMING)
    assert news([Package("p", (soon,))]) == {}


def test_breaking_comes_first() -> None:
    entries = (entry("b", Category.BUGFIX), entry("x", Category.BREAKING))
    found = by_category(entries_of([record("1.0", entries=entries)]))
    assert list(found) == [Category.BREAKING, Category.BUGFIX]


def test_neighbouring_lines_are_pairs_the_newest_first() -> None:
    package = Package("p", tuple(record(each, "a") for each in ("1.9.0", "1.9.1", "1.10.0", "2.0.0")))
    assert adjacent_lines(package) == [("1.10", "2.0"), ("1.9", "1.10")]


def test_a_cve_stands_once_with_all_versions_that_name_it() -> None:
    versions = [record("1.0", "a"), record("1.1", "a", "b")]
    (found,) = vulnerabilities([Package("p", tuple(versions))])
    assert (found.cve, found.fixed_in, found.noted.version.version) == ("CVE-2026-0001", ("1.0", "1.1"), "1.0")
    other = Package("q", (replace(versions[0], package="q"),))
    assert [each.package for each in vulnerabilities([Package("p", tuple(versions)), other])] == ["q", "p"]
