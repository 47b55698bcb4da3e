"""Reading is strict: what comes out is what was written, and whatever was done to a file is named with its place."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.records.cells import Cell
from kb.records.damage import DamagedFile
from kb.records.folder import RunFolder
from kb.records.lines import normal_row
from kb.records.reading import Results, read_results, read_run
from kb.records.run import Validity
from kb.records.schema import BENCHMARKS
from kb.records.statuses import Status
from kb.records.tablefile import read_table_file
from tests.benchmarks.many_runs import write_runs
from tests.records.conftest import CASES, ROWS, change_line, holding, set_cell, snapshot
from tests.records.synthetic import MACHINE, TROUBLED, grid, make_info, make_rows, make_run
from tests.records.test_infofile import rewrite

COLUMNS = ["run", *(column.name for column in BENCHMARKS.data_columns)]

fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def damage_of(results: Path) -> DamagedFile:
    """The error that reading raises; nothing may be written meanwhile, and a run alone must be refused likewise."""
    before = snapshot(results)
    with pytest.raises(DamagedFile) as caught:
        read_results(results)
    assert snapshot(results) == before
    assert "\n" not in str(caught.value)
    return caught.value


def cells(column: "pd.Series[Any]") -> list[Cell]:
    """The values of a column, None where there is none."""
    return [None if pd.isna(value) else value for value in column]


class TestSoundResults:
    def test_come_back_as_they_were_written(self, results: Path) -> None:
        make_run(results, 5, grid(), 3, mix=TROUBLED)
        read = read_results(results).benchmarks
        expected = [normal_row(BENCHMARKS, row) for row in make_rows(5, grid(), 3, mix=TROUBLED)]
        assert list(read.columns) == COLUMNS
        for name in COLUMNS[1:]:
            assert cells(read[name]) == [row[name] for row in expected], name

    def test_have_the_types_of_the_schema(self, results: Path) -> None:
        for read in (read_results(results).benchmarks, read_run(make_run(results, 5, CASES, 2)).benchmarks):
            for column in BENCHMARKS.data_columns:
                dtype = read[column.name].dtype
                if column.type == "integer":
                    assert dtype == pd.Int64Dtype()
                elif column.type == "number":
                    assert dtype == np.float64
                elif not column.free_text:
                    assert isinstance(dtype, pd.CategoricalDtype)
                    assert not column.values or list(dtype.categories) == list(column.values)

    def test_are_ordered_by_run(self, results: Path) -> None:
        start = make_info(1, CASES, 1).started
        for days in (40, 3, 200, 0):
            make_run(results, days, CASES, 1, started=start + timedelta(days=days))
        read = read_results(results)
        names = [run.info.run for run in read.runs]
        assert names == sorted(names)
        assert [run.folder.parent.name for run in read.runs] == ["2026", "2026", "2027", "2027"]
        assert list(read.benchmarks.run.unique()) == names
        assert list(read.benchmarks.run.cat.categories) == names

    def test_of_several_machines_lie_beside_each_other(self, results: Path) -> None:
        other = MACHINE.model_copy(update={"id": "0badcafe"})
        folders = {make_run(results, 1, CASES, 1), make_run(results, 1, CASES, 1, machine=other)}
        assert {run.folder for run in read_results(results).runs} == folders

    def test_include_invalid_and_unfinished_runs(self, results: Path) -> None:
        make_run(results, 1, CASES, 1, validity=Validity.INVALID)
        make_run(results, 2, CASES, 1, validity=Validity.UNFINISHED)
        read = read_results(results)
        assert [run.info.validity for run in read.runs] == [Validity.INVALID, Validity.UNFINISHED]
        assert read.benchmarks.run.nunique() == 2

    def test_made_by_the_script_of_many_runs_are_sound(self, results: Path) -> None:
        write_runs(results, 3)
        assert len(read_results(results).benchmarks) == 600

    def test_hold_any_text(self, results: Path) -> None:
        reason = '超时，"300 秒"之后：\nTraceback (most recent call last):\n  File "a,b.py"'
        with RunFolder.create(results, make_info(1, CASES, 1)) as run:
            row = next(iter(make_rows(1, CASES, 1, unsupported=CASES)))
            run.append(BENCHMARKS, row | {"reason": reason})
        [read] = read_results(results).benchmarks.reason
        assert read == reason.replace("\n", "\\n")

    def test_dot_files_are_nobodys_business(self, results: Path, finished: Path) -> None:
        for folder in (results, results / "runs", finished.parent, finished):
            (folder / ".DS_Store").write_bytes(b"\0")
        (finished.parent / ".unfinished-run").mkdir()
        assert len(read_results(results).runs) == 1


class TestNothing:
    """Only "no such file" means empty."""

    @pytest.mark.parametrize("made", ["", "results", "results/runs", "results/runs/2026"])
    def test_no_runs(self, tmp_path: Path, made: str) -> None:
        (tmp_path / made).mkdir(parents=True, exist_ok=True)
        read = read_results(tmp_path / "results")
        assert read.runs == ()
        assert list(read.benchmarks.columns) == COLUMNS
        assert len(read.benchmarks) == 0

    def test_run_without_rows_yet(self, results: Path) -> None:
        RunFolder.create(results, make_info(1, CASES, 1)).release()
        read = read_results(results)
        assert (len(read.runs), len(read.benchmarks)) == (1, 0)

    def test_no_such_run(self, results: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_run(results / "runs" / "2026" / "20261122T031500Z-5f17c0de-0001")


class TestUnfinishedRun:
    def test_torn_last_line_was_not_yet_a_row(self, unfinished: Path) -> None:
        path = unfinished / BENCHMARKS.file_name
        whole = path.read_bytes()
        last = whole.rindex(b"\n", 0, -1) + 1
        for length in (last, last + 1, last + 40, len(whole) - 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            assert len(read_run(unfinished).benchmarks) == ROWS - 1
            assert path.read_bytes() == whole[:length]

    @fixtures
    @given(st.data())
    def test_cut_anywhere_has_the_whole_rows_before_the_cut(self, unfinished: Path, data: st.DataObject) -> None:
        path = unfinished / BENCHMARKS.file_name
        whole = path.read_bytes()
        header = whole.index(b"\n") + 1
        length = data.draw(st.integers(header, len(whole)))
        with holding(path, whole[:length]):
            assert len(read_run(unfinished).benchmarks) == whole.count(b"\n", 0, length) - 1

    def test_damage_before_the_end_is_damage(self, results: Path, unfinished: Path) -> None:
        change_line(unfinished / BENCHMARKS.file_name, 4, lambda line: line[:-20] + b"\n")
        assert damage_of(results).line == 4

    def test_torn_header_is_damage(self, results: Path, unfinished: Path) -> None:
        (unfinished / BENCHMARKS.file_name).write_bytes(b"row,model,run")
        error = damage_of(results)
        assert (error.line, error.column) == (1, "runtime")


def cut(lines: int, characters: int = 0) -> Callable[[bytes], bytes]:
    """Keep the first lines, and some characters of the next."""

    def change(content: bytes) -> bytes:
        parts = content.splitlines(keepends=True)
        return b"".join(parts[:lines]) + parts[lines][:characters]

    return change


def swapped(content: bytes) -> bytes:
    header, first, second, *rest = content.splitlines(keepends=True)
    return b"".join([header, second, first, *rest])


def without_third(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:2] + lines[3:])


def columns_swapped(content: bytes) -> bytes:
    rows = [line.split(b",") for line in content.splitlines(keepends=True)]
    return b"".join(b",".join([row[0], row[2], row[1], *row[3:]]) for row in rows)


def column_added(content: bytes) -> bytes:
    return content.replace(b"check\n", b"check,comment\n")


def blank_line(content: bytes) -> bytes:
    header, rest = content.split(b"\n", 1)
    return header + b"\n\n" + rest


class TestDamagedTable:
    """A finished run, and what accidents, editors and merge tools do to its table."""

    @pytest.mark.parametrize(
        ("change", "line", "column", "message"),
        [
            (cut(4, 30), 5, None, "expected a whole line, found the file cut off in the middle"),
            (cut(4), 4, None, f"expected {ROWS} rows as run.json says, found 3"),
            (cut(1), 1, None, f"expected {ROWS} rows as run.json says, found 0"),
            (cut(0, 21), 1, "device", "expected `device` as column 4, found 'dev'"),
            (lambda content: b"", None, None, "found an empty file"),
            (lambda content: content[:-1], ROWS + 1, None, "cut off"),
            (swapped, 2, "row", "expected 0, found '1'"),
            (without_third, 3, "row", "expected 1, found '2'"),
            (lambda content: content + content.splitlines(keepends=True)[-1], ROWS + 2, "row", "found '7'"),
            (columns_swapped, 1, "model", "expected `model` as column 2, found 'runtime'"),
            (column_added, 1, "comment", "expected no column after `check`, found 'comment'"),
            (blank_line, 2, None, f"expected {len(BENCHMARKS.columns)} columns, found 0"),
            (lambda content: b"\xef\xbb\xbf" + content, 1, 1, "byte-order mark"),
            (lambda content: content.replace(b"\n", b"\r\n"), 1, None, "found CRLF.*converted the line endings"),
            (lambda content: content.decode().encode("utf-16"), 1, "row", "expected `row` as column 1"),
        ],
    )
    def test_is_named_with_its_place(
        self,
        results: Path,
        rows_file: Path,
        change: Callable[[bytes], bytes],
        line: int | None,
        column: str | int | None,
        message: str,
    ) -> None:
        rows_file.write_bytes(change(rows_file.read_bytes()))
        error = damage_of(results)
        assert (error.file, error.line, error.column) == (rows_file, line, column)
        assert re.search(message, str(error))

    def test_line_endings_of_one_line(self, results: Path, rows_file: Path) -> None:
        change_line(rows_file, 5, lambda line: line.replace(b"\n", b"\r\n"))
        error = damage_of(results)
        assert error.line == 5
        assert "CRLF" in str(error)

    def test_byte_that_is_not_utf_8(self, results: Path, rows_file: Path) -> None:
        change_line(rows_file, 6, lambda line: line.replace(b"mlp8", b"ml\xff8"))
        error = damage_of(results)
        assert (error.line, error.column) == (6, len("4,ml") + 1)
        assert "expected UTF-8, found the byte 0xff" in str(error)

    @pytest.mark.parametrize(
        ("column", "text", "found"),
        [
            ("latency_p50_ms", "0.04", "the line was changed"),
            ("model", "mlp9", "the line was changed"),
            ("batch", "2", "the line was changed"),
            ("batch", "two", "expected an integer, found 'two'"),
            ("batch", "1.0", "expected an integer, found '1.0'"),
            ("import_s", "fast", "expected a finite number, found 'fast'"),
            ("status", "okay", "expected one of ok, .*, found 'okay'"),
            ("check", "", "expected a value"),
        ],
    )
    def test_value_changed_by_hand(self, results: Path, rows_file: Path, column: str, text: str, found: str) -> None:
        set_cell(rows_file, 4, column, text, seal=False)
        error = damage_of(results)
        assert error.line == 4
        assert error.column == ("check" if "changed" in found else column)
        assert re.search(found, str(error))

    @pytest.mark.parametrize(
        ("column", "text", "message"),
        [
            ("model", "", "expected a value, the column is never empty, found ''"),
            ("batch", "0", "expected at least 1, found '0'"),
            ("batch", "1e3", "expected an integer"),
            ("calls", "9" * 19, "expected an integer of at most 64 bits"),
            ("calls", "9" * 25, "expected an integer"),
            ("import_s", "-0.5", "expected at least 0, found '-0.5'"),
            ("import_s", "nan", "expected a finite number, found 'nan'"),
            ("import_s", "inf", "expected a finite number, found 'inf'"),
            ("import_s", "1e999", "expected a finite number, found '1e999'"),
            ("latency_p50_ms", "0", "expected more than 0, found '0'"),
            ("latency_p50_ms", "", "expected a value, found nothing .*A timed row that is ok has a latency"),
            ("status", "fine", "expected one of ok, unsupported, .*, found 'fine'"),
            ("quality", "superb", "expected one of good, noisy, untrusted, found 'superb'"),
            ("reason", "but why", "expected nothing, found 'but why'"),
            ("row", "7", "expected 1, found '7'"),
        ],
    )
    def test_value_of_a_faulty_program_whose_check_is_right(
        self, results: Path, rows_file: Path, column: str, text: str, message: str
    ) -> None:
        lines = rows_file.read_text().splitlines()
        line = next(number for number, line in enumerate(lines[2:], start=3) if ",latency," in line)
        set_cell(rows_file, line, column, text)
        error = damage_of(results)
        assert error.line == line
        assert error.column == column
        expected = message.replace("expected 1,", f"expected {line - 2},")
        assert re.search(expected, str(error))

    def test_failure_with_a_figure(self, results: Path, rows_file: Path) -> None:
        line = 1 + next(i for i, line in enumerate(rows_file.read_text().splitlines()) if ",latency," in line)
        set_cell(rows_file, line, "status", "timeout")
        set_cell(rows_file, line, "reason", "slow")
        error = damage_of(results)
        assert (error.line, error.column) == (line, "latency_p50_ms")
        assert "expected nothing" in str(error)

    def test_failure_without_a_reason(self, results: Path) -> None:
        folder = make_run(results, 1, CASES, 1, unsupported=CASES)
        set_cell(folder / BENCHMARKS.file_name, 3, "reason", "")
        assert damage_of(results).column == "reason"

    def test_row_twice(self, results: Path, rows_file: Path) -> None:
        lines = rows_file.read_text().splitlines()
        first, again, *_ = (number for number, line in enumerate(lines, start=1) if ",latency," in line)
        cells = lines[first - 1].split(",")
        for name in BENCHMARKS.key:
            set_cell(rows_file, again, name, cells[BENCHMARKS.names.index(name)])
        error = damage_of(results)
        assert error.line == again
        assert f"that of line {first} again" in str(error)

    def test_check_in_other_digits(self, results: Path, rows_file: Path) -> None:
        # A digit that is none, read as if all its bits were set, would pass for an f after an f.
        for load in range(10_000):
            set_cell(rows_file, 3, "load_1m", str(load))
            if rows_file.read_bytes().splitlines()[2].endswith(b"ff"):
                break
        change_line(rows_file, 3, lambda line: line[:-2] + b"F\n")
        error = damage_of(results)
        assert (error.line, error.column) == (3, "check")

    def test_one_of_many_files_is_found(self, results: Path) -> None:
        folders = [make_run(results, seed, CASES, 2) for seed in range(20)]
        path = folders[13] / BENCHMARKS.file_name
        set_cell(path, 7, "position", "12", seal=False)
        error = damage_of(results)
        assert (error.file, error.line) == (path, 7)

    @fixtures
    @given(st.data())
    def test_no_byte_can_be_changed_added_or_lost_unnoticed(self, finished: Path, data: st.DataObject) -> None:
        path = finished / BENCHMARKS.file_name
        whole = path.read_bytes()
        place = data.draw(st.integers(0, len(whole) - 1))
        byte = data.draw(st.binary(min_size=1, max_size=1).filter(lambda byte: byte != whole[place : place + 1]))
        change = data.draw(st.sampled_from(["replace", "insert", "delete"]))
        rest = whole[place:] if change == "insert" else whole[place + 1 :]
        damaged = whole[:place] + (b"" if change == "delete" else byte) + rest
        with holding(path, damaged), pytest.raises(DamagedFile, match="expected"):
            read_run(finished)


TEXTS = (
    "",
    "0",
    "1",
    "-1",
    "7",
    "2.5",
    "1e-5",
    "nan",
    "inf",
    "ok",
    "timeout",
    "aa",
    "memory",
    "good",
    "x",
    "多",
    '"a"',
)


class TestFastAndSlowReaderAgree:
    """The fast reader finds that a file is damaged, the slow one says where: neither may be stricter in silence."""

    @fixtures
    @given(column=st.sampled_from(BENCHMARKS.names[1:-1]), text=st.sampled_from(TEXTS), line=st.integers(2, ROWS))
    def test_on_any_cell(self, unfinished: Path, column: str, text: str, line: int) -> None:
        path = unfinished / BENCHMARKS.file_name
        with holding(path, path.read_bytes()):
            set_cell(path, line, column, text)
            slow = outcome(lambda: [row[column] for row in read_table_file(path, BENCHMARKS, finished=False).rows])
            fast = outcome(
                lambda: [None if pd.isna(cell) else cell for cell in read_run(unfinished).benchmarks[column]]
            )
        assert fast == slow


def outcome(read: Callable[[], list[Cell]]) -> list[Cell] | str:
    """What was read, or what is said about the damage."""
    try:
        return read()
    except DamagedFile as damage:
        return str(damage)


class TestMessage:
    def test_is_file_line_column_expected_found_and_what_to_do(self, results: Path, rows_file: Path) -> None:
        set_cell(rows_file, 4, "batch", "two")
        assert str(damage_of(results)) == (
            f"{rows_file}:4: column `batch`: expected an integer, found 'two': "
            "restore the file from git, or remove its run folder; results are never edited by hand"
        )

    def test_quotes_little_and_nothing_that_moves_the_cursor(self, results: Path, rows_file: Path) -> None:
        set_cell(rows_file, 4, "batch", "\x1b[2J" + "9" * 5000)
        message = str(damage_of(results))
        assert message.isprintable()
        assert "\\x1b[2J999" in message
        assert len(message) < len(str(rows_file)) + 300


class TestStrangers:
    """Results hold only what kb writes: a file under another name is a lost file."""

    def test_renamed_table(self, results: Path, rows_file: Path) -> None:
        rows_file.rename(rows_file.with_name("benchmark.csv"))
        error = damage_of(results)
        assert error.file == rows_file.parent
        assert "found 'benchmark.csv'" in str(error)

    def test_lost_table(self, results: Path, rows_file: Path) -> None:
        rows_file.unlink()
        error = damage_of(results)
        assert error.file == rows_file
        assert f"expected {ROWS} rows as run.json says, found no such file" in str(error)

    def test_table_that_run_json_does_not_know(self, results: Path, finished: Path) -> None:
        rewrite(finished, lambda values: values.update(rows={}, counts={}))
        assert "expected no such file as run.json says, found it" in str(damage_of(results))

    def test_folder_without_run_json(self, results: Path, finished: Path) -> None:
        (finished / "run.json").unlink()
        error = damage_of(results)
        assert error.file == finished
        assert "found no run.json" in str(error)

    def test_renamed_run(self, results: Path, finished: Path) -> None:
        finished.rename(finished.with_name(finished.name + " (copy)"))
        assert "expected the folder's name" in str(damage_of(results))

    def test_run_in_another_year(self, results: Path, finished: Path) -> None:
        other = results / "runs" / "2025"
        other.mkdir()
        finished.rename(other / finished.name)
        assert "expected it in the folder 2026" in str(damage_of(results))

    @pytest.mark.parametrize("place", ["runs/notes.txt", "runs/2026/notes.txt", "runs/2026/{run}/notes.txt"])
    def test_file_of_another_kind(self, results: Path, finished: Path, place: str) -> None:
        stranger = results / place.format(run=finished.name)
        stranger.write_text("mine")
        assert "move it elsewhere" in str(damage_of(results))

    def test_folder_of_another_kind(self, results: Path, finished: Path) -> None:
        (results / "runs" / "old").mkdir()
        assert "expected a folder named by a year" in str(damage_of(results))

    def test_file_in_the_place_of_the_folder(self, results: Path) -> None:
        results.mkdir()
        (results / "runs").write_text("")
        assert "expected a folder, found a file" in str(damage_of(results))


class TestCounts:
    def test_by_status_are_compared(self, results: Path, finished: Path) -> None:
        rewrite(finished, lambda values: values["counts"].update(benchmarks={"ok": ROWS - 1, "timeout": 1}))
        error = damage_of(results)
        assert (error.file, error.column) == (finished / "run.json", "counts.benchmarks")
        assert f"{{'ok': {ROWS}}}" in str(error)

    def test_are_not_asked_of_an_unfinished_run(self, unfinished: Path) -> None:
        read: Results = read_run(unfinished)
        assert (read.benchmarks.status == Status.OK).all()
