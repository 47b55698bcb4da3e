"""The issue form asks for what a note says, with the same words."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kb.problems.checks import REFERENCE_TYPES
from kb.problems.conditions import CONDITIONS
from kb.problems.note import Kind, Severity, State
from kb.problems.reading import KEYS
from kb.problems.sections import SECTIONS

#: GitHub itself knows these, or `kb problem assign-ids` gives them.
GIVEN = {"id", "title", "created", "modified"}


@pytest.fixture(scope="module")
def form(repo_root: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((repo_root / ".github/ISSUE_TEMPLATE/problem.yml").read_text())
    return content


@pytest.fixture(scope="module")
def fields(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["id"]: field for field in form["body"] if field["type"] != "markdown"}


def test_it_has_what_github_requires(form: dict[str, Any]) -> None:
    assert {"name", "description", "body"} <= set(form)
    assert all(field["type"] in ("markdown", "textarea", "input", "dropdown") for field in form["body"])


def test_it_asks_for_every_field_and_section_of_a_note_and_for_nothing_else(fields: dict[str, Any]) -> None:
    assert set(fields) == set(KEYS) - GIVEN | {section.lower() for section in SECTIONS}


@pytest.mark.parametrize(("name", "choices"), [("kind", Kind), ("severity", Severity), ("status", State)])
def test_its_choices_are_those_of_a_note(
    fields: dict[str, Any], name: str, choices: type[Kind] | type[Severity] | type[State]
) -> None:
    assert fields[name]["attributes"]["options"] == [choice.value for choice in choices]


def test_what_a_note_cannot_be_without_is_required(fields: dict[str, Any]) -> None:
    required = {name for name, field in fields.items() if field.get("validations", {}).get("required")}
    assert required == {"symptom", "kind", "severity", "status", "affected"}


def test_its_hints_name_what_there_is(fields: dict[str, Any]) -> None:
    assert all(name in fields["affected"]["attributes"]["description"] for name in CONDITIONS)
    assert all(name in fields["references"]["attributes"]["description"] for name in REFERENCE_TYPES)
