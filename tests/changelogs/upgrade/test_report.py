"""The report as a whole: its order, what it does not know, and whether code breaks."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.changelogs.entry import Category, Entry, Section
from kb.changelogs.upgrade.finding import Kind
from kb.changelogs.upgrade.report import Report, upgrade_report
from kb.changelogs.upgrade.requirements import Question, from_locks, from_words
from tests.changelogs.upgrade.samples import entry, section

STRICT = section("2.8", entry("Everything is stricter"), entry("`torch.foo` is stricter", numbers=["5"]))
NOTED = section("2.8", entry("`torch.foo` is faster", Category.PERFORMANCE))


def report(
    folder: Path, code: str | None, *sections: Section, question: Question | None = None, package: str = "torch"
) -> Report:
    paths = []
    if code is not None:
        paths.append(folder / "code.py")
        paths[0].write_text(code)

    def sections_of(name: str) -> Sequence[Section]:
        return sections if name == package else ()

    return upgrade_report(question or from_words(["torch==2.7", "torch==2.8"]), sections_of, paths)


def test_what_names_the_code_comes_first_with_its_place(tmp_path: Path) -> None:
    (package,) = report(tmp_path, "import torch\ntorch.foo()\n", STRICT).packages
    first, second = package.findings
    assert [match.use.line for match in first.matches] == [2]
    assert second.matches == ()


def test_the_rest_is_in_the_order_of_kinds_and_versions(tmp_path: Path) -> None:
    later = section("2.10", entry("Late"), entry("Hidden", heading_category=Category.CHANGE))
    question = from_words(["torch==2.7", "torch==2.10"])
    (package,) = report(tmp_path, None, later, section("2.9", entry("Early")), question=question).packages
    assert [(f.kind, f.version) for f in package.findings] == [
        (Kind.BREAKING, "2.9"),
        (Kind.BREAKING, "2.10"),
        (Kind.REMOVAL, "2.10"),
    ]


@pytest.mark.parametrize(
    ("code", "sections", "breaks"),
    [
        (None, (STRICT,), True),
        (None, (NOTED,), False),
        ("import torch\ntorch.foo()", (STRICT,), True),
        ("import torch\ntorch.bar()", (STRICT,), False),
        ("import torch\ntorch.foo()", (NOTED,), False),
        ("from torch import *\nfoo()", (STRICT,), False),  # possible is not enough
    ],
)
def test_code_breaks_when_it_surely_uses_what_breaks(
    tmp_path: Path, code: str | None, sections: tuple[Section, ...], breaks: bool
) -> None:
    assert report(tmp_path, code, *sections).breaks is breaks


def test_nothing_known_is_no_answer(tmp_path: Path) -> None:
    unknown = report(tmp_path, None)
    assert not unknown.tells
    assert unknown.packages[0].remarks == ("nothing is known of torch; run `kb changelog torch`",)


def test_nothing_known_of_the_way_is_no_answer(tmp_path: Path) -> None:
    unknown = report(tmp_path, None, section("2.6", entry("Old")))
    assert not unknown.tells
    assert unknown.packages[0].remarks == (
        "nothing is known of 2.8: what is known ends with 2.6",
        "nothing is known of the versions from 2.7 to 2.8; run `kb changelog torch`",
    )


def test_of_packages_that_were_named_each_must_be_known(tmp_path: Path) -> None:
    question = from_words(["torch==2.7", "torch==2.8", "jax==0.5", "jax==0.6"])
    assert not report(tmp_path, None, STRICT, question=question).tells


@pytest.mark.parametrize(
    ("before", "after", "tells"),
    [
        ("torch==2.7\njax==0.5", "torch==2.8\njax==0.6", True),
        ("jax==0.5", "jax==0.6", False),
        ("torch==2.8", "torch==2.8", True),  # nothing changes, and that is the answer
        ("torch==2.8", "torch==2.8\njax==0.6", True),
    ],
)
def test_of_lock_files_one_known_package_is_an_answer(tmp_path: Path, before: str, after: str, tells: bool) -> None:
    for name, text in (("a.txt", before), ("b.txt", after)):
        (tmp_path / name).write_text(text)
    question = from_locks(tmp_path / "a.txt", tmp_path / "b.txt")
    assert report(tmp_path, None, STRICT, question=question).tells is tells


def test_the_changelog_may_be_kept_under_another_name_of_the_project(tmp_path: Path) -> None:
    assert report(tmp_path, None, STRICT, package="pytorch").tells


def test_a_downgrade_says_that_it_is_one(tmp_path: Path) -> None:
    question = from_words(["torch==2.8", "torch==2.7"])
    (package,) = report(tmp_path, None, STRICT, section("2.7"), question=question).packages
    assert package.remarks == ("a downgrade: what is listed is undone or lost on the way from 2.8 to 2.7",)


def test_a_later_version_that_fixes_known_issues_is_recommended(tmp_path: Path) -> None:
    issue = entry("Forgets its name", Category.KNOWN_ISSUE, numbers=["7"])
    fix = entry("Remembers its name", Category.BUGFIX, numbers=["7"])
    (package,) = report(tmp_path, None, section("2.8", issue), section("2.8.1", fix)).packages
    assert package.remarks == ("2.8.1 fixes 1 known issue of 2.8: consider it instead",)


def test_the_source_is_what_the_caller_knows_or_the_first_reference(tmp_path: Path) -> None:
    def source_of(project: str, version: str, told: Entry) -> str:
        return "" if told.references else f"https://example.org/{project}/{version}"

    question = from_words(["torch==2.7", "torch==2.8"])
    (package,) = upgrade_report(question, lambda _: (STRICT,), source_of=source_of).packages
    assert [f.source for f in package.findings] == ["https://example.org/torch/2.8", "https://example.org/pull/5"]
