"""All packages at once: versions in the order of their numbers, the newest that is released, and the minor lines."""

from pathlib import Path

from kb.changelogs.entry import Stage
from kb.changelogs.library import Library, Package, Shelf, read_library
from kb.changelogs.record import VersionRecord
from kb.changelogs.store import Checked, replace_versions, write_checked
from tests.changelogs.made_up import section

DAY = "2026-11-20"


def record(version: str, **fields: object) -> VersionRecord:
    made = section(version, f"Changes {version}", **fields)
    return VersionRecord.of(made, date_source="", source_url="https://example.org/notes", today=DAY)


def kept(results: Path, *records: VersionRecord) -> Library:
    replace_versions(results, "sample", {}, records)
    write_checked(results, "project", Checked(DAY))
    return read_library(results)


def test_an_empty_folder_is_an_empty_library(tmp_path: Path) -> None:
    assert read_library(tmp_path) == Library()


def test_versions_are_in_the_order_of_their_numbers_and_what_is_none_comes_last(tmp_path: Path) -> None:
    library = kept(tmp_path, *(record(each) for each in ("next", "1.10.0", "1.9.0", "1.10.0rc1", "1.2.0.post1")))
    (package,) = library.packages
    assert [each.version for each in package.versions] == ["1.2.0.post1", "1.9.0", "1.10.0rc1", "1.10.0", "next"]
    assert library.checked == {"project": Checked(DAY)}


def test_the_newest_version_is_a_released_number(tmp_path: Path) -> None:
    soon = record("2.0.0", stage=Stage.UPCOMING)
    (package,) = kept(tmp_path, record("1.0.0"), record("0.2.x"), soon).packages
    assert package.newest is not None
    assert package.newest.version == "1.0.0"
    assert Package("nothing", ()).newest is None


def test_minor_lines_hold_their_patch_releases_and_nothing_upcoming(tmp_path: Path) -> None:
    records = [
        record("1.0.0"),
        record("1.0.1", stage=Stage.WITHDRAWN),
        record("1.1.0"),
        record("2.0.0", stage=Stage.UPCOMING),
    ]
    (package,) = kept(tmp_path, *records).packages
    lines = {line: [each.version for each in versions] for line, versions in package.by_line.items()}
    assert lines == {"1.0": ["1.0.0", "1.0.1"], "1.1": ["1.1.0"]}


def test_a_shelf_gives_sections_and_where_an_entry_is_read(tmp_path: Path) -> None:
    kept(tmp_path, record("1.0.0"))
    shelf = Shelf(tmp_path)
    (found,) = shelf.sections_of("sample")
    assert found.entries == section("1.0.0", "Changes 1.0.0").entries
    assert shelf.source_of("sample", "1.0.0", found.entries[0]) == "https://example.org/notes#runtime"
    assert shelf.source_of("sample", "9.9", found.entries[0]) == ""
    assert shelf.sections_of("unheard-of") == []
