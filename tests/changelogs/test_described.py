"""How a project's notes are read: as kb knows the project, or as its settings say."""

from datetime import UTC, datetime

import pytest

from kb.changelogs.described import project_of, read_document
from kb.changelogs.sources.interface import Document
from kb.config import ChangelogSettings, ConfigError

NOTES = "# Changelog\n\n## [1.2.0] - 2026-05-06\n\n### Removed\n\n- the old loader\n"


def settings(**fields: object) -> ChangelogSettings:
    plain = {"packages": ("ourlib",), "source": "file", "location": "CHANGELOG.md"}
    return ChangelogSettings.model_validate({**plain, **fields})


def test_a_project_that_is_known_needs_no_format() -> None:
    assert (
        project_of("tensorflow", settings(packages=("tensorflow",))).heading
        == project_of("tensorflow", settings()).heading
    )


def test_a_project_of_ones_own_names_a_family_or_a_known_project() -> None:
    document = Document(NOTES, "https://example.org", datetime(2026, 5, 7, tzinfo=UTC))
    reading = read_document(document, "ours", settings(format="keep-a-changelog", repository="us/ourlib"))
    (found,) = reading.sections
    assert (found.package, found.version, found.date) == ("ourlib", "1.2.0", "2026-05-06")
    assert [entry.category for entry in found.entries] == ["breaking"]


def test_a_format_that_does_not_exist_is_one_line_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"changelogs\.ours: no format is called 'keep-changelog'.*keep-a-changelog"):
        project_of("ours", settings(format="keep-changelog"))
