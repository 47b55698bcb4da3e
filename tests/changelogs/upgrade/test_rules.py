"""What on the way matters, one rule after the other."""

from dataclasses import replace

import pytest
from packaging.version import Version

from kb.changelogs.entry import Category, Entry, Section, Stage
from kb.changelogs.upgrade.finding import Finding, Kind
from kb.changelogs.upgrade.match import UseIndex
from kb.changelogs.upgrade.naming import naming_of
from kb.changelogs.upgrade.rules import findings, fixed_later
from kb.changelogs.upgrade.security import is_fixed
from kb.changelogs.upgrade.uses import Use
from kb.changelogs.upgrade.versions import way
from tests.changelogs.upgrade.samples import entry, section

DEPRECATION, SECURITY, KNOWN = Category.DEPRECATION, Category.SECURITY, Category.KNOWN_ISSUE


def found(start: str, end: str, *sections: Section, uses: tuple[str, ...] = ()) -> list[Finding]:
    index = UseIndex([Use("a.py", 0, 1, 1, symbol) for symbol in uses], naming_of("torch"))
    return list(findings(way(sections, Version(start), Version(end)), "torch", index))


def only(kind: Kind, *others: Finding) -> Finding:
    (finding,) = (finding for finding in others if finding.kind is kind)
    return finding


def vulnerability(*cves: str, **more: object) -> Entry:
    return entry(f"Fixes {', '.join(cves)}", SECURITY, cves=cves, **more)


def test_what_stands_under_a_breaking_heading_breaks() -> None:
    finding = only(Kind.BREAKING, *found("2.7", "2.8", section("2.8", entry("`torch.foo` is stricter"))))
    assert (finding.version, finding.reason) == ("2.8", "under a heading of breaking changes")


def test_what_stands_there_but_reads_otherwise_breaks_with_a_doubt() -> None:
    odd = entry("`torch.foo` is deprecated", DEPRECATION, heading_category=Category.BREAKING)
    finding = only(Kind.BREAKING, *found("2.7", "2.8", section("2.8", odd)))
    assert finding.reason == "under a heading of breaking changes, though it reads as a deprecation"


def test_a_removal_under_another_heading_breaks() -> None:
    hidden = entry("`torch.foo` is gone", heading="Fixes", heading_category=Category.BUGFIX)
    finding = only(Kind.REMOVAL, *found("2.7", "2.8", section("2.8", hidden)))
    assert finding.reason == "breaks by what it says, under 'Fixes'"


def test_an_item_breaks_for_what_it_names_itself() -> None:
    mixed = entry(
        "`torch.foo`", Category.BUGFIX, heading="Fixes", symbols=("torch.foo", "torch.foo.a", "torch.foo.b"),
        items=("`torch.foo.a` is gone", "`torch.foo.b` is right again"),
    )  # fmt: skip
    gone, right = mixed.items
    mixed = replace(mixed, items=(replace(gone, category=Category.BREAKING), right))
    finding = only(Kind.REMOVAL, *found("2.7", "2.8", section("2.8", mixed)))
    assert finding.entry.symbols == ("torch.foo", "torch.foo.a")
    assert finding.reason == "breaks by what it says, under 'Fixes'"


def test_an_item_can_be_the_deprecation_that_expires() -> None:
    mixed = entry("Other news", Category.CHANGE, items=("`torch.foo` is deprecated",), symbols=("torch.foo",))
    mixed = replace(mixed, items=(replace(mixed.items[0], category=DEPRECATION),))
    sections = section("2.6", mixed), section("2.8", entry("Removed `torch.foo`"))
    assert only(Kind.EXPIRED, *found("2.7", "2.8", *sections)).version == "2.6"


def test_dropped_support_is_found_under_any_heading() -> None:
    dropped = entry("Dropped support for Python 3.8", Category.FEATURE)
    finding = only(Kind.DROPPED, *found("2.7", "2.8", section("2.8", dropped)))
    assert finding.reason == "drops support: Python"


def test_what_is_outside_the_range_is_not_found() -> None:
    sections = [section(version, entry(f"Change in {version}")) for version in ("2.6.9", "2.7", "2.8", "2.8.1", "2.9")]
    assert [finding.version for finding in found("2.7", "2.8", *sections)] == ["2.8"]


def test_what_patch_releases_repeat_is_found_once() -> None:
    same = entry("`torch.foo` is stricter")
    assert [f.version for f in found("2.7", "2.9", section("2.8", same), section("2.8.1", same))] == ["2.8"]


@pytest.mark.parametrize(
    ("said_in", "text", "expires"),
    [
        ("2.6", "`torch.foo` will be removed in 2.8", True),  # said before the start
        ("2.7", "`torch.foo` will be removed in 2.8", True),
        ("2.7.1", "`torch.foo` will be removed in 2.8.0", True),
        ("2.7", "`torch.foo` will be removed in 2.7", False),  # gone before the way begins
        ("2.7", "`torch.foo` will be removed in 2.10", False),
        ("2.7", "`torch.foo` will be removed some day", False),
        ("2.9.1", "`torch.foo` will be removed in 2.8", False),  # said after the end
    ],
)
def test_a_deprecation_expires_in_the_version_that_it_names(said_in: str, text: str, expires: bool) -> None:
    sections = section(said_in, entry(text, DEPRECATION)), section("2.8", entry("Other")), section("2.9")
    expired = [f for f in found("2.7", "2.9", *sections) if f.kind is Kind.EXPIRED]
    assert [finding.version for finding in expired] == ([said_in] if expires else [])
    assert all(Version(finding.effective) == Version("2.8") for finding in expired)


@pytest.mark.parametrize(
    ("deprecated", "removed", "expires"),
    [
        ("`torch.foo` is deprecated", "`torch.foo` was removed", True),
        ("`torch.nn.foo` is deprecated", "Removed `nn.foo`", True),
        ("`torch.foo` is deprecated, use `torch.bar`", "Removed `torch.baz`; use `torch.foo`", False),
        ("`torch.old` is deprecated. Use `torch.foo` instead", "Removed `torch.foo`", False),
        ("`torch.foo` is deprecated", "`torch.foo` is stricter", False),
        ("`mode` is deprecated", "`mode` was removed", False),
        ("`torch.foo` is deprecated", "`torch.bar` is removed: `torch.foo(1)` does the same", False),
        ("Several functions of `torch.foo` are deprecated", "Removed `torch.foo`", False),
        ("`torch.foo` is deprecated", "Removed several functions from `torch.foo`", False),
        ("`torch.foo` is deprecated", "Removed support for `torch.foo`", True),
        ("`torch.foo` and `torch.foo.a` are deprecated", "Removed `torch.foo`", False),
    ],
)
def test_a_deprecation_expires_when_its_subject_is_removed(deprecated: str, removed: str, expires: bool) -> None:
    sections = section("2.5", entry(deprecated, DEPRECATION)), section("2.8", entry(removed))
    expired = [f for f in found("2.7", "2.9", *sections) if f.kind is Kind.EXPIRED]
    assert [f.effective for f in expired] == (["2.8"] if expires else [])


def test_a_new_deprecation_matters_only_where_it_is_used() -> None:
    new = section("2.8", entry("`torch.foo` is deprecated", DEPRECATION))
    assert found("2.7", "2.8", new) == []
    assert only(Kind.DEPRECATED, *found("2.7", "2.8", new, uses=("torch.foo",))).version == "2.8"


def test_each_vulnerability_is_told_once_with_the_versions_that_fix_it() -> None:
    sections = [
        section("2.6.5", vulnerability("CVE-2025-1")),
        section("2.7.1", vulnerability("CVE-2025-1", "CVE-2025-2")),
        section("2.8", vulnerability("CVE-2025-1"), vulnerability("CVE-2025-1", "CVE-2025-2")),
    ]
    told = {f.cve: f for f in found("2.7", "2.8", *sections) if f.kind is Kind.SECURITY}
    assert {cve: f.fixed_in for cve, f in told.items()} == {
        "CVE-2025-1": ("2.6.5", "2.7.1", "2.8"),
        "CVE-2025-2": ("2.7.1", "2.8"),
    }
    assert told["CVE-2025-1"].version == "2.7.1"
    assert told["CVE-2025-1"].reason == "not fixed in 2.7 by these notes"


def test_a_vulnerability_that_the_start_has_fixed_is_no_gain() -> None:
    sections = section("2.7.1", vulnerability("CVE-2025-1")), section("2.8", vulnerability("CVE-2025-1"))
    assert found("2.7.1", "2.8", *sections) == []


def test_a_fix_that_is_passed_by_but_not_in_the_end_is_told() -> None:
    sections = section("2.7.5", vulnerability("CVE-2025-1")), section("2.8.1", vulnerability("CVE-2025-1"))
    finding = only(Kind.SECURITY, *found("2.7", "2.8", *sections, section("2.8", entry("Other"))))
    assert finding.reason == "fixed in 2.7.5, but not in 2.8; 2.8.1 has it"


def test_a_security_entry_without_a_number_is_told_too() -> None:
    finding = only(Kind.SECURITY, *found("2.7", "2.8", section("2.8", entry("Reads no further than it may", SECURITY))))
    assert (finding.cve, finding.reason) == ("", "about security")


@pytest.mark.parametrize(
    ("version", "fixes", "fixed"),
    [
        ("2.7.0", "2.6.3 2.7.1", False),
        ("2.7.1", "2.6.3 2.7.1", True),
        ("2.7.2", "2.6.3 2.7.1", True),
        ("2.8.0", "2.6.3 2.7.1", True),
        ("2.6.4", "2.6.3 2.7.1", True),
        ("2.9.0", "2.6.3 2.8.0", True),
        ("2.9.0", "2.8.0 2.10.0", True),
        ("2.7.0", "2.6.3 2.8.0", False),
        ("2.5.0", "2.6.3", False),
    ],
)
def test_a_fix_in_one_line_is_not_in_every_higher_version(version: str, fixes: str, fixed: bool) -> None:
    assert is_fixed(Version(version), [Version(fix) for fix in fixes.split()]) is fixed


def test_known_issues_are_those_of_the_end_that_nothing_later_fixes() -> None:
    issue, fixed = entry("Crashes on Mondays", KNOWN), entry("Forgets its name", KNOWN, numbers=["7"])
    fix = entry("Remembers its name", Category.BUGFIX, numbers=["7"])
    sections = section("2.7.5", entry("Old", KNOWN)), section("2.8", issue, fixed), section("2.8.1", fix)
    told = [f.entry for f in found("2.7", "2.8", *sections) if f.kind is Kind.KNOWN_ISSUE]
    assert told == [issue]
    assert fixed_later(way(sections, Version("2.7"), Version("2.8"))) == ((fixed, "2.8.1"),)


def test_on_the_way_down_changes_are_undone_and_fixes_lost() -> None:
    sections = [
        section("2.8", entry("`torch.foo` is stricter"), vulnerability("CVE-2025-1")),
        section("2.9", entry("`torch.new` is there", Category.FEATURE), entry("Dropped Python 3.9 support")),
        section("2.9.1", entry("`torch.foo` is deprecated", DEPRECATION)),
    ]  # fmt: skip
    down = found("2.9.1", "2.7", *sections, uses=("torch.new", "torch.foo"))
    assert {(f.kind, f.version) for f in down} == {
        (Kind.BREAKING, "2.8"), (Kind.BREAKING, "2.9"), (Kind.LOST, "2.9"), (Kind.SECURITY, "2.8"),
    }  # fmt: skip
    assert only(Kind.SECURITY, *down).reason == "the fix that 2.9.1 has is lost: 2.7 does not have it"
    assert only(Kind.LOST, *down).reason == "2.7 does not have it yet"


def test_what_is_upcoming_is_not_found() -> None:
    assert found("2.7", "2.9", section("2.8", entry("Planned"), stage=Stage.UPCOMING)) == []
