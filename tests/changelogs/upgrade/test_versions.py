"""Which versions lie on the way from one to another."""

import pytest
from packaging.version import Version

from kb.changelogs.entry import Section, Stage
from kb.changelogs.upgrade.versions import Way, way
from tests.changelogs.upgrade.samples import entry, section

CHANGED = entry("Something is other than before.")


def told(version: str, stage: Stage = Stage.RELEASED, date: str = "") -> Section:
    return section(version, CHANGED, stage=stage, date=date)


def on_the_way(start: str, end: str, *sections: Section) -> Way:
    return way(sections, Version(start), Version(end))


def versions(found: Way) -> list[str]:
    return [str(step.version) for step in found.steps]


@pytest.mark.parametrize(
    ("start", "end", "in_file", "expected"),
    [
        # Patch trains of the lines in between are passed; those of older lines, and what follows the end, are not.
        ("2.11.0", "2.14.0", "2.14.1 2.14.0 2.11.1 2.10.2 2.13.0 2.12.1 2.11.0", "2.11.1 2.12.1 2.13.0 2.14.0"),
        ("2.7", "2.10", "2.9.0 2.10.0 2.8.0 2.7.1 2.7.0", "2.7.1 2.8.0 2.9.0 2.10.0"),
        ("1.5.0", "1.5.10", "1.5.1 1.5.10 1.5.2 1.5.11", "1.5.1 1.5.2 1.5.10"),
        ("1.5.1", "1.5.10", "1.5.1 1.5.10", "1.5.10"),
        ("2.14.0", "2.15.0", "2.15.0.post1 2.15.0", "2.15.0"),
        ("2.15.0", "2.15.0.post1", "2.15.0.post1 2.15.0", "2.15.0.post1"),
        ("2.9.0", "2.10.0", "2.10.0+cpu 2.9.0+cpu", "2.10.0"),
        ("2.10", "2.7", "2.7.0 2.8.0 2.10.0 2.9.0", "2.10.0 2.9.0 2.8.0"),
    ],
)  # fmt: skip
def test_the_range_is_half_open_and_in_version_order(start: str, end: str, in_file: str, expected: str) -> None:
    found = on_the_way(start, end, *(told(version) for version in in_file.split()))
    assert versions(found) == expected.split()


def test_a_way_down_is_called_a_downgrade() -> None:
    assert on_the_way("2.8", "2.7", told("2.8.0")).downgrade
    assert not on_the_way("2.7", "2.8", told("2.8.0")).downgrade


def test_a_pre_release_is_told_under_its_release() -> None:
    found = on_the_way("2.7", "2.8", told("2.8.0rc1", Stage.PRERELEASE), told("2.8.0"))
    assert versions(found) == ["2.8.0"]
    assert [(out.version, out.reason) for out in found.left_out] == [
        ("2.8.0rc1", "a pre-release: what it brought is told under 2.8.0")
    ]


@pytest.mark.parametrize(
    ("end", "release"), [("2.8.0", None), ("2.8.0", section("2.8.0")), ("2.8.0rc1", told("2.8.0"))]
)
def test_a_pre_release_is_read_where_its_release_tells_nothing_or_is_not_reached(
    end: str, release: Section | None
) -> None:
    sections = [told("2.8.0rc1", Stage.PRERELEASE), *([release] if release else [])]
    assert "2.8.0rc1" in versions(on_the_way("2.7", end, *sections))


def test_what_is_not_released_is_left_out_unless_it_was_asked_for() -> None:
    sections = told("2.8.0", Stage.UPCOMING), told("2.9.0"), told("Unreleased", Stage.UPCOMING)
    found = on_the_way("2.7", "2.9", *sections)
    assert versions(found) == ["2.9.0"]
    assert {out.version: out.reason for out in found.left_out} == {
        "2.8.0": "not released yet",
        "Unreleased": "not released yet, and without a number",
    }
    asked = on_the_way("2.7", "2.8", *sections)
    assert versions(asked) == ["2.8.0"]
    assert asked.remarks == ("2.8: its notes say that it is not released yet",)


def test_a_withdrawn_version_is_shown_as_such() -> None:
    found = on_the_way("2.7", "2.9", section("2.8.0", stage=Stage.WITHDRAWN), told("2.9.0"))
    assert [(str(step.version), step.withdrawn) for step in found.steps] == [("2.8.0", True), ("2.9.0", False)]
    assert "do not install it" in on_the_way("2.7", "2.8", section("2.8.0", stage=Stage.WITHDRAWN)).remarks[0]


def test_what_is_no_version_has_no_place() -> None:
    found = on_the_way("2.7", "2.9", told("2.9.0"), told("the-old-one"))
    assert [out.version for out in found.left_out] == ["the-old-one"]


@pytest.mark.parametrize(
    ("dates", "late"),
    [
        (("2024-03-01", "2024-04-01"), True),
        (("2024-03-01", "2024-03-01"), False),
        (("2024-03-01", "2024-03"), False),
        (("2024-03-01", ""), False),
        (("", "2024-04-01"), False),
    ],
)
def test_a_patch_that_came_after_the_end_says_so(dates: tuple[str, str], late: bool) -> None:
    end, patch = dates
    found = on_the_way("2.11.0", "2.14.0", told("2.12.2", date=patch), told("2.14.0", date=end))
    assert any("came out after" in remark for remark in found.steps[0].remarks) is late


def test_two_sections_of_one_version_are_one_step() -> None:
    found = on_the_way("2.7", "2.8", told("2.8"), told("2.8.0"))
    assert [len(step.entries) for step in found.steps] == [2]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (["2.8.0"], "nothing is known of 2.9: what is known ends with 2.8.0"),
        (["2.8.0", "3.0.0"], "nothing is known of 2.9 itself"),
    ],
)
def test_an_end_that_nobody_tells_of_is_said(known: list[str], said: str) -> None:
    assert on_the_way("2.7", "2.9", *map(told, known)).remarks == (said,)


def test_a_section_that_was_not_read_well_says_so() -> None:
    found = on_the_way("2.7", "2.9", section("2.8", coverage=0.5), section("2.9", trouble="a table in a table"))
    assert [step.remarks for step in found.steps] == [
        ("only 50% of its text was understood",),
        ("was not read whole: a table in a table",),
    ]
