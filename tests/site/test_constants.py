"""The method page cannot drift from the code: values and reasons are read from it."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from kb.records.statuses import MEANINGS, Status
from kb.site.constants import Undocumented, as_text, documented
from kb.site.pages.method import CONSTANTS, pages
from kb.site.text import clean

EVERY = [constant for group in CONSTANTS.values() for constant in group]


@pytest.mark.parametrize(("module", "name"), EVERY)
def test_each_constant_has_its_value_and_a_reason(module: str, name: str) -> None:
    found = documented(module, name)
    assert found.value == as_text(getattr(importlib.import_module(module), name))
    assert len(found.reason.split()) > 3
    assert found.reason == clean(found.reason), "the page would cut it short"


def test_the_page_prints_them_all() -> None:
    (page,) = pages()
    for module, name in EVERY:
        assert f">{name}<small>{module}</small></th>" in page.text
        assert documented(module, name).value.replace("<", "&lt;") in page.text


def test_a_changed_constant_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.measure.arms.CONFIDENCE", 0.123)
    assert documented("kb.measure.arms", "CONFIDENCE").value == "0.123"


def test_every_status_is_explained() -> None:
    (page,) = pages()
    assert set(MEANINGS) == set(Status)
    assert all(f">{status}</th>" in page.text for status in Status)


SOURCE = """BARE = 1
#: Two lines
#: of reason.
ANNOTATED: int = 2
BEHIND = 3  #: behind it
if BARE:
    INNER = 4
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (tmp_path / "some_constants.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("some_constants")


def test_the_reason_is_the_comment_above_or_behind(module: ModuleType) -> None:
    assert documented("some_constants", "ANNOTATED").reason == "Two lines of reason."
    assert documented("some_constants", "BEHIND").reason == "behind it"


@pytest.mark.parametrize(
    ("name", "problem"), [("BARE", "no comment"), ("INNER", "assigns no"), ("ABSENT", "assigns no")]
)
def test_a_constant_without_a_reason_is_an_error(module: ModuleType, name: str, problem: str) -> None:
    with pytest.raises(Undocumented, match=problem):
        documented("some_constants", name)


def test_values_are_written_for_a_person() -> None:
    assert as_text(0.98) == "0.98"
    assert as_text({"fp32": 1e-4}) == "fp32: 0.0001"
    assert as_text(frozenset({"b", "a"})) == "a, b"
    assert as_text((1.5, 2)) == "1.5, 2"
