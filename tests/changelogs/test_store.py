"""One file per version: written only where it differs, read strictly, remembering since when an entry is known."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.changelogs.columns import VERSIONS
from kb.changelogs.entry import Category, Section, Stage
from kb.changelogs.record import VersionRecord
from kb.changelogs.store import (
    Checked,
    Stored,
    read_checked,
    read_version,
    read_versions,
    replace_versions,
    version_path,
    write_checked,
)
from kb.records.cells import to_text
from kb.records.damage import DamagedFile
from kb.records.lines import check_of
from tests.changelogs.made_up import entry, section, sections

URL = "https://example.org/notes"
FIRST, LATER = "2026-10-01", "2026-11-01"


def records(found: Iterable[Section], today: str = FIRST) -> list[VersionRecord]:
    return [VersionRecord.of(each, date_source="text", source_url=URL, today=today) for each in found]


def store(results: Path, found: Iterable[Section], today: str = FIRST) -> Stored:
    return replace_versions(results, "sample", read_versions(results, "sample"), records(found, today))


def contents(results: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(results.rglob("*")) if path.is_file()}


def timeless(results: Path) -> list[VersionRecord]:
    """What is stored, days of kb's own left out."""
    return [
        replace(
            version,
            first_seen="",
            last_changed="",
            entries=tuple(replace(each, first_seen="", last_changed="") for each in version.entries),
        )
        for version in read_versions(results, "sample").values()
    ]


class TestWriting:
    def test_what_is_written_comes_back(self, tmp_path: Path) -> None:
        found = section("2.0", "Loads faster.", "Reads tars.", date="2026-09-30", coverage=0.75, trouble="an odd table")
        store(tmp_path, [found])
        assert read_versions(tmp_path, "sample") == {"2.0": records([found])[0]}
        assert (tmp_path / "changelogs" / "sample" / "2.0.csv").exists()

    def test_twice_writes_nothing_the_second_time(self, tmp_path: Path) -> None:
        found = [section("2.0", "Loads faster."), section("1.0", "Exists.")]
        assert len(store(tmp_path, found).written) == 2
        before = contents(tmp_path)
        assert store(tmp_path, found, LATER) == Stored()
        assert contents(tmp_path) == before

    def test_only_the_file_that_differs_is_written(self, tmp_path: Path) -> None:
        store(tmp_path, [section("2.0", "Loads faster."), section("1.0", "Exists.")])
        stored = store(tmp_path, [section("2.0", "Loads faster.", "Reads tars."), section("1.0", "Exists.")], LATER)
        assert [path.name for path in stored.written] == ["2.0.csv"]
        assert stored.new_entries == 1

    def test_a_version_without_entries_is_there(self, tmp_path: Path) -> None:
        store(tmp_path, [section("2.0", date="2026-09", stage=Stage.WITHDRAWN)])
        kept = read_versions(tmp_path, "sample")["2.0"]
        assert (kept.entries, kept.date, kept.stage) == ((), "2026-09", Stage.WITHDRAWN)

    def test_equal_texts_of_one_category_are_all_kept(self, tmp_path: Path) -> None:
        store(tmp_path, [section("2.0", "Fixes a leak.", "Fixes a leak.")])
        first, second = read_versions(tmp_path, "sample")["2.0"].entries
        assert second.id == f"{first.id}-2"
        assert second.entry == first.entry

    def test_a_date_that_is_none_is_left_out(self, tmp_path: Path) -> None:
        store(tmp_path, [section("2.0", date="7/11/2024")])
        kept = read_versions(tmp_path, "sample")["2.0"]
        assert (kept.date, kept.date_source) == ("", "")

    @pytest.mark.parametrize(
        "version",
        ["../../evil", "/etc/passwd", "..", ".hidden", "3.0 Beta", "未发布", "a" * 500, "1!2.0+cpu", "a\\b", "CON:x"],
    )
    def test_any_version_has_a_file_in_the_folder_of_its_package(self, tmp_path: Path, version: str) -> None:
        found = section(version)
        store(tmp_path, [found])
        folder = tmp_path / "changelogs" / "sample"
        (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert path.parent == folder
        assert not path.name.startswith(".")
        assert list(read_versions(tmp_path, "sample").values()) == records([found])

    @given(st.text(max_size=80), st.text(max_size=80))
    def test_two_versions_have_two_files(self, one: str, other: str) -> None:
        try:
            paths = {version_path(Path(), "p", text) for text in (one, other)}
        except UnicodeEncodeError:  # a lone surrogate, which no record holds
            return
        assert len(paths) == len({one, other})


class TestHistory:
    def test_first_seen_is_kept_while_the_entry_is_there(self, tmp_path: Path) -> None:
        store(tmp_path, [section("2.0", "Loads faster.")])
        store(tmp_path, [section("2.0", "Reads tars.", "Loads faster.")], LATER)
        new, old = read_versions(tmp_path, "sample")["2.0"].entries
        assert (old.first_seen, old.last_changed) == (FIRST, FIRST)
        assert (new.first_seen, new.last_changed) == (LATER, LATER)

    def test_last_changed_moves_when_a_field_does(self, tmp_path: Path) -> None:
        store(tmp_path, [section("2.0", entries=(entry("Loads faster."),))])
        store(tmp_path, [section("2.0", entries=(entry("Loads faster.", symbols=("runtime.read",)),))], LATER)
        (kept,) = read_versions(tmp_path, "sample")["2.0"].entries
        assert (kept.first_seen, kept.last_changed) == (FIRST, LATER)

    def test_an_anchor_that_moved_is_no_change(self, tmp_path: Path) -> None:
        store(tmp_path, [section("2.0", entries=(entry("Loads faster."),))])
        store(tmp_path, [section("2.0", entries=(entry("Loads faster.", anchor="runtime-1"),))], LATER)
        (kept,) = read_versions(tmp_path, "sample")["2.0"].entries
        assert (kept.last_changed, kept.entry.anchor) == (FIRST, "runtime-1")

    def test_an_entry_that_moved_to_another_category_is_a_new_one(self, tmp_path: Path) -> None:
        store(tmp_path, [section("2.0", entries=(entry("Loads faster."),))])
        store(tmp_path, [section("2.0", entries=(entry("Loads faster.", Category.BREAKING),))], LATER)
        (kept,) = read_versions(tmp_path, "sample")["2.0"].entries
        assert kept.first_seen == LATER

    def test_a_re_flow_changes_nothing(self, tmp_path: Path) -> None:
        store(tmp_path, sections("= 2.0\nLoads faster and reads tars.\n", "sample"))
        narrow = section("2.0")
        wide = next(iter(sections("= 2.0\nLoads   faster and\treads tars. \n", "sample")))
        assert store(tmp_path, [replace(wide, line=narrow.line + 7)], LATER) == Stored()

    def test_what_the_source_says_no_more_is_gone(self, tmp_path: Path) -> None:
        store(tmp_path, sections("= next\nReads tars.\n= 1.0\nExists.\nIs small.\n", "sample"))
        stored = store(tmp_path, sections("= 2.0\nReads tars.\n= 1.0\nExists.\n", "sample"), LATER)
        assert [path.name for path in stored.removed] == ["next.csv"]
        kept = read_versions(tmp_path, "sample")
        assert sorted(kept) == ["1.0", "2.0"]
        assert len(kept["1.0"].entries) == 1

    def test_all_snapshots_in_turn_leave_what_the_newest_alone_does(self, tmp_path: Path) -> None:
        snapshots = [
            "= next\nReads tars.\n= 1.0 2026-01-01\nExists.\nFixes a leak.\nFixes a leak.\n",
            "= next\n!Reads tars.\n= 1.0.post1\n= 1.0 2026-01-01\nFixes a leak.\nExists.\n",
            "= 2.0 2026-05-01\n!Reads tars.\nIs new.\n= 1.0 2026-01-02\nExists.\nFixes a leak.\nFixes a leak.\n",
        ]
        for month, text in enumerate(snapshots, 1):
            store(tmp_path / "all", sections(text, "sample"), f"2026-{month:02d}-01")
        store(tmp_path / "newest", sections(snapshots[-1], "sample"), "2026-03-01")
        assert timeless(tmp_path / "all") == timeless(tmp_path / "newest")
        seen = {each.first_seen for each in read_versions(tmp_path / "all", "sample")["1.0"].entries}
        assert seen == {"2026-01-01", "2026-03-01"}  # the second leak was away for a month


def cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode().rstrip("\n")]))


def seal(texts: Sequence[str]) -> bytes:
    """A line with the right check, as a faulty program would write it."""
    body = ",".join(map(to_text, texts)).encode()
    return body + b"," + check_of(body) + b"\n"


class TestDamage:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        store(tmp_path, [section("2.0", "Loads faster.", "Reads tars.", date="2026-09-30")])
        return version_path(tmp_path, "sample", "2.0")

    def test_any_changed_byte_is_found(self, path: Path) -> None:
        whole = path.read_bytes()
        for place in range(len(whole)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(DamagedFile):
                read_version(path)

    def test_any_missing_end_is_found(self, path: Path) -> None:
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(DamagedFile):
                read_version(path)

    def test_the_message_says_where_and_what_to_do(self, path: Path) -> None:
        path.write_bytes(path.read_bytes().replace(b"Reads", b"reads"))
        with pytest.raises(DamagedFile, match=rf"^{path}:4: column `check`: .*restore the file from git, or delete it"):
            read_version(path)

    @pytest.mark.parametrize(
        ("line", "column", "text", "expected"),
        [
            (3, "text", '[["click","","javascript:alert(1)"]]', "http, https or mailto link"),
            (3, "text", '["half', "expected JSON"),
            (3, "items", '[{"html":"<script>"}]', "expected items"),
            (3, "references", '[["#1","data:x"]]', "http, https or mailto link"),
            (3, "symbols", "load", "expected JSON"),
            (3, "category", "nice", "expected one of"),
            (2, "kind", "release", "expected one of"),
            (3, "first_seen", "yesterday", "expected a day"),
            (3, "last_changed", "2026-02-30", "expected a day"),
            (3, "id", "", "expected a value"),
            (3, "package", "other", "expected 'sample' as in line 2"),
            (3, "date", "2026-10-01", "expected '2026-09-30' as in line 2"),
            (2, "stage", "lost", "expected one of"),
            (2, "entries", "3", "expected 2"),
            (2, "coverage", "nan", "expected a finite number"),
            (2, "first_seen", "20261001", "expected a day"),
        ],
    )
    def test_a_sealed_line_must_still_mean_something(
        self, path: Path, line: int, column: str, text: str, expected: str
    ) -> None:
        lines = path.read_bytes().splitlines(keepends=True)
        texts = cells(lines[line - 1])[:-1]
        texts[VERSIONS.names.index(column)] = text
        path.write_bytes(b"".join([*lines[: line - 1], seal(texts), *lines[line:]]))
        with pytest.raises(DamagedFile, match=f":{line}: column `{column}`: .*{expected}"):
            read_version(path)

    @pytest.mark.parametrize(
        ("column", "text", "expected"),
        [("date", "soon", "expected a day or a month"), ("source_url", "javascript:x", "expected an http, https")],
    )
    def test_nor_may_all_lines_lie_together(self, path: Path, column: str, text: str, expected: str) -> None:
        header, *lines = path.read_bytes().splitlines(keepends=True)
        place = VERSIONS.names.index(column)
        changed = [seal([*texts[:place], text, *texts[place + 1 : -1]]) for texts in map(cells, lines)]
        path.write_bytes(header + b"".join(changed))
        with pytest.raises(DamagedFile, match=f":2: column `{column}`: {expected}"):
            read_version(path)

    def test_a_renamed_file_is_found(self, path: Path) -> None:
        with pytest.raises(DamagedFile, match=r"expected a file sample/2\.0\.csv"):
            read_version(path.rename(path.with_name("3.0.csv")))

    def test_a_file_without_the_row_of_the_version_is_found(self, path: Path) -> None:
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
        with pytest.raises(DamagedFile, match="expected the row of the version"):
            read_version(path)

    def test_a_damaged_file_is_never_overwritten(self, path: Path, tmp_path: Path) -> None:
        path.write_bytes(b"scribble")
        with pytest.raises(DamagedFile):
            store(tmp_path, [section("2.0", "Loads faster.")])
        assert path.read_bytes() == b"scribble"


class TestChecked:
    def test_comes_back(self, tmp_path: Path) -> None:
        checked = Checked(FIRST, ("2 tags are no version: nightly, latest",))
        assert write_checked(tmp_path, "sample", checked) == (tmp_path / "changelogs" / "sample.csv",)
        assert read_checked(tmp_path, "sample") == checked
        assert write_checked(tmp_path, "sample", checked) == ()

    def test_is_nothing_before_the_first_time(self, tmp_path: Path) -> None:
        assert read_checked(tmp_path, "sample") is None

    def test_is_read_strictly(self, tmp_path: Path) -> None:
        (path,) = write_checked(tmp_path, "sample", Checked(FIRST))
        other = path.rename(path.with_name("other.csv"))
        with pytest.raises(DamagedFile, match="expected one row, of project 'other'"):
            read_checked(tmp_path, "other")
        assert other.exists()
