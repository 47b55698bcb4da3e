"""Which versions a range of a note means: the events of OSV on PEP 440, and the traps of real version numbers."""

import pytest
from packaging.version import Version

from kb.problems.note import Range
from kb.problems.versions import contains, in_words, is_empty


def in_range(version: str, introduced: str = "0", fixed: str = "", last_affected: str = "") -> bool:
    return contains(Range("torch", introduced, fixed, last_affected), Version(version))


@pytest.mark.parametrize(
    ("version", "inside"),
    [("2.3.9", False), ("2.4", True), ("2.4.0", True), ("2.5.1", True), ("2.6", False), ("2.6.0", False), ("3", False)],
)
def test_a_range_begins_with_introduced_and_ends_before_fixed(version: str, inside: bool) -> None:
    assert in_range(version, "2.4", fixed="2.6") is inside


@pytest.mark.parametrize(("version", "inside"), [("2.5.9", True), ("2.6", True), ("2.6.0", True), ("2.6.1", False)])
def test_last_affected_is_affected_itself(version: str, inside: bool) -> None:
    assert in_range(version, "2.4", last_affected="2.6") is inside


def test_without_an_end_every_later_version_is_affected() -> None:
    assert in_range("99.0", "2.4")


def test_versions_are_compared_as_numbers_and_not_as_text() -> None:
    assert in_range("2.10.0", "2.9")
    assert not in_range("2.9.0", "2.10")


@pytest.mark.parametrize("version", ["0.0.1", "0.dev0", "0a1", "2.13.0"])
def test_introduced_0_is_before_every_version(version: str) -> None:
    assert in_range(version, "0")


class TestNightlies:
    def test_they_still_have_what_their_release_fixes(self) -> None:
        assert in_range("2.11.0.dev20260101", "2.4", fixed="2.11")

    def test_they_do_not_yet_have_what_their_release_introduced(self) -> None:
        assert not in_range("2.11.0.dev20260101", "2.11")

    def test_a_note_can_include_them(self) -> None:
        assert in_range("2.11.0.dev20260101+cpu", "2.11.dev0")

    def test_a_note_can_name_the_day_of_the_fix(self) -> None:
        assert in_range("2.11.0.dev20260101", "2.10", fixed="2.11.0.dev20260105")
        assert not in_range("2.11.0.dev20260105", "2.10", fixed="2.11.0.dev20260105")
        assert not in_range("2.11.0", "2.10", fixed="2.11.0.dev20260105")


class TestLocalVersions:
    """What a build was made for is no newer version, though PEP 440 sorts it after the release."""

    def test_a_build_of_the_last_affected_version_is_affected(self) -> None:
        assert Version("2.13.0+cpu") > Version("2.13.0")
        assert in_range("2.13.0+cpu", last_affected="2.13.0")

    def test_a_build_of_the_fixed_version_is_fixed(self) -> None:
        assert not in_range("2.13.0+cu128", fixed="2.13.0")

    def test_a_build_of_the_introduced_version_is_affected(self) -> None:
        assert in_range("2.13.0+rocm6.4", "2.13.0")


class TestPreAndPostReleases:
    def test_a_candidate_comes_before_its_release(self) -> None:
        assert in_range("2.6.0rc1", "2.4", fixed="2.6")
        assert not in_range("2.6.0rc1", "2.6")

    def test_a_range_may_begin_with_a_candidate(self) -> None:
        assert not in_range("2.6.0rc1", "2.6.0rc2")
        assert in_range("2.6.0rc2", "2.6.0rc2")

    def test_a_post_release_comes_after_its_release(self) -> None:
        assert not in_range("2.6.0.post1", last_affected="2.6.0")
        assert not in_range("2.6.0.post1", fixed="2.6.0")
        assert in_range("2.6.0.post1", fixed="2.6.1")

    def test_an_epoch_is_above_all_numbers(self) -> None:
        assert not in_range("1!1.0", fixed="99")


@pytest.mark.parametrize(
    ("introduced", "fixed", "last_affected", "empty"),
    [
        ("2.6", "2.6", "", True),
        ("2.6", "2.4", "", True),
        ("2.10", "2.9", "", True),
        ("2.9", "2.10", "", False),
        ("2.6", "2.6.0+cpu", "", True),
        ("2.6", "", "2.6", False),
        ("2.6", "", "2.5", True),
        ("0", "0.1", "", False),
    ],
)
def test_a_range_that_ends_before_it_begins_is_empty(
    introduced: str, fixed: str, last_affected: str, empty: bool
) -> None:
    assert is_empty(Range("torch", introduced, fixed, last_affected)) is empty


@pytest.mark.parametrize(
    ("affected", "words"),
    [
        (Range("torch", "2.4", "2.6"), "torch from 2.4 to before 2.6"),
        (Range("torch", "0", "2.6"), "torch before 2.6"),
        (Range("torch", "0", "", "2.6"), "torch up to 2.6"),
        (Range("torch", "2.4", "", "2.6"), "torch from 2.4 up to 2.6"),
        (Range("torch", "2.4"), "torch from 2.4 on"),
        (Range("torch", "0"), "torch of any version"),
    ],
)
def test_a_range_can_be_said(affected: Range, words: str) -> None:
    assert in_words(affected) == words
