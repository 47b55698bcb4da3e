"""What breaks on the way from the packages here to those of a file is told by the changelogs that were read."""

from dataclasses import replace
from pathlib import Path

from packaging.version import Version

from kb.changelogs.entry import Category, Section
from kb.changelogs.record import VersionRecord
from kb.changelogs.store import replace_versions
from kb.problems.audit.changes import breaking_changes
from tests.changelogs.made_up import entry, section

HERE = {name: Version(version) for name, version in (("sample", "1.0"), ("other", "1.0"), ("same", "2.0+cpu"))}


def kept(results: Path, *sections: Section) -> Path:
    records = [VersionRecord.of(each, date_source="", source_url="", today="2026-11-27") for each in sections]
    replace_versions(results, "sample", {}, records)
    return results


def told(results: Path, **wanted: str) -> tuple[str, ...]:
    return breaking_changes(results, {name: Version(version) for name, version in wanted.items()}, HERE)


def test_a_package_that_breaks_on_the_way_is_one_line_with_the_command_that_tells_all(tmp_path: Path) -> None:
    broken = entry("Loading is gone", Category.BREAKING, heading_category=Category.BREAKING)
    kept(tmp_path, section("1.1", entries=(broken,)), section("1.2", "Faster"), section("1.0"))
    assert told(tmp_path, sample="1.2") == (
        "1 breaking change lies between sample 1.0, which is here, and sample 1.2: kb upgrade sample==1.0 sample==1.2",
    )


def test_what_is_of_one_version_or_breaks_nothing_or_has_no_changelog_is_passed_over(tmp_path: Path) -> None:
    kept(tmp_path, section("1.0"), section("1.2", "Faster"))
    assert told(tmp_path, sample="1.2", other="2.0", same="2.0", unheard="1.0") == ()


def test_another_build_of_a_project_is_told_of_in_its_changelog(tmp_path: Path) -> None:
    broken = entry("Loading is gone", Category.BREAKING, heading_category=Category.BREAKING)
    records = [
        VersionRecord.of(replace(each, package="onnxruntime"), date_source="", source_url="", today="2026-11-27")
        for each in (section("1.21", entries=(broken,)), section("1.20"))
    ]
    replace_versions(tmp_path, "onnxruntime", {}, records)
    here, wanted = {"onnxruntime": Version("1.20")}, {"onnxruntime-gpu": Version("1.21")}
    assert breaking_changes(tmp_path, wanted, here) == (
        "1 breaking change lies between onnxruntime 1.20, which is here, and onnxruntime-gpu 1.21: "
        "kb upgrade onnxruntime==1.20 onnxruntime-gpu==1.21",
    )
