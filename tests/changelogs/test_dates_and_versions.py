"""Dates to ISO 8601 and versions to PEP 440, from the ways that people write them."""

import pytest

from kb.changelogs.dates import iso
from kb.changelogs.fillings import is_placeholder, says_nothing
from kb.changelogs.versions import is_prerelease, normal


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2031-04-05", "2031-04-05"),
        ("2031-4-5", "2031-04-05"),
        ("2031/04/05", "2031-04-05"),
        ("April 5, 2031", "2031-04-05"),
        ("Apr 5 2031", "2031-04-05"),
        ("Sept 12, 2031", "2031-09-12"),
        ("January 12ish 2031", "2031-01-12"),
        ("5 June 2031", "2031-06-05"),
        ("June 2031", "2031-06"),
        ("2031-06-DD", "2031-06"),
        ("YYYY-MM-DD", ""),
        ("2031-02-30", ""),
        ("Moon 5, 2031", ""),
        ("", ""),
    ],
)
def test_dates(written: str, date: str) -> None:
    assert iso(written) == date


def test_versions() -> None:
    assert [normal(written) for written in ("2.19.0-rc0", "3.0 Beta", "1.0.post1", "22.04", "0.2.x")] == [
        "2.19.0rc0",
        "3.0b0",
        "1.0.post1",
        "22.4",
        "0.2.x",
    ]
    assert is_prerelease("1.0rc1")
    assert not is_prerelease("0.2.x")


@pytest.mark.parametrize("words", ["<INSERT HERE>", "<say what, and why (if known).>", "<ONE>, <TWO>"])
def test_placeholders(words: str) -> None:
    assert is_placeholder(words)
    assert not is_placeholder(f"{words} and more")


@pytest.mark.parametrize("words", ["N/A", "None.", "No breaking changes.", "TODO", "...", "……", "", "无"])
def test_nothing(words: str) -> None:
    assert says_nothing(words)


@pytest.mark.parametrize(
    "words", ["No longer accepts a tuple", "None of the trays was closed", "<T> is a type", "https://a.b"]
)
def test_something(words: str) -> None:
    assert not says_nothing(words)
    assert not is_placeholder(words)
