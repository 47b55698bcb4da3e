"""Runs of an older schema are upgraded in memory and read beside the new ones; their files stay as they are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kb.records.damage import DamagedFile
from kb.records.lines import format_line, header_line, normal_row
from kb.records.reading import read_results
from kb.records.schema import BENCHMARKS, REPRODUCERS, SCHEMA_VERSION, Column
from kb.records.upgrade import UPGRADES, Upgrade, known_versions
from tests.records.conftest import CASES, snapshot
from tests.records.synthetic import make_rows, make_run
from tests.records.test_infofile import rewrite

OLD = SCHEMA_VERSION - 1

#: As if, before this version, latency had been kept in seconds, under another name, and there had been no precision.
OLD_COLUMNS = tuple(
    Column("latency_s", "number", "", positive=True) if column.name == "latency_p50_ms" else column
    for column in BENCHMARKS.columns
    if column.name != "precision"
)
OLD_TABLE = replace(
    BENCHMARKS, columns=OLD_COLUMNS, rules=(), key=tuple(name for name in BENCHMARKS.key if name != "precision")
)


def newer_info(values: dict[str, Any]) -> dict[str, Any]:
    values["profile"] = values.pop("preset")
    return values


def newer_rows(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.assign(latency_p50_ms=frame["latency_s"] * 1000, precision="fp32")
    return frame.drop(columns="latency_s")


STEP = Upgrade(tables=(OLD_TABLE,), info=newer_info, frames={"benchmarks": newer_rows})
CHAIN = {OLD: STEP}


def make_older(folder: Path) -> None:
    """Write a run that is there in the older form."""

    def change(values: dict[str, Any]) -> None:
        values["preset"] = values.pop("profile")
        values["schema_version"] = OLD

    rewrite(folder, change)
    lines = [header_line(OLD_TABLE)]
    for number, row in enumerate(make_rows(1, CASES, 2)):
        latency = row.pop("latency_p50_ms")
        del row["precision"]
        old = row | {"latency_s": None if latency is None else float(latency) / 1000}
        lines.append(format_line(number, list(normal_row(OLD_TABLE, old).values())))
    (folder / BENCHMARKS.file_name).write_bytes(b"".join(lines))


@pytest.fixture
def older(finished: Path) -> Path:
    make_older(finished)
    return finished


def test_older_and_newer_runs_are_read_together(results: Path, older: Path) -> None:
    newer = make_run(results, 2, CASES, 2)
    before = snapshot(results)
    read = read_results(results, CHAIN)
    assert snapshot(results) == before
    assert [run.folder for run in read.runs] == [older, newer]
    assert [run.info.schema_version for run in read.runs] == [SCHEMA_VERSION] * 2
    assert read.runs[0].info.profile == "synthetic"

    plain = read_results(make_run(results.parent / "plain", 1, CASES, 2).parents[2])
    rows = read.benchmarks[read.benchmarks.run == older.name]
    assert list(rows.columns) == list(plain.benchmarks.columns)
    assert rows.latency_p50_ms.tolist() == pytest.approx(plain.benchmarks.latency_p50_ms.tolist(), nan_ok=True)
    assert set(rows.precision) == {"fp32"}


def test_types_are_those_of_the_schema_also_when_upgraded(results: Path, older: Path) -> None:
    alone = read_results(results, CHAIN).benchmarks
    make_run(results, 2, CASES, 2)
    together = read_results(results, CHAIN).benchmarks
    plain = read_results(make_run(results.parent / "plain", 1, CASES, 2).parents[2]).benchmarks
    for name in plain.columns:
        kinds = {frame[name].dtype.name for frame in (alone, together, plain)}
        assert len(kinds) == 1, name
    assert list(together.status.cat.categories) == list(plain.status.cat.categories)


def test_older_tables_are_read_as_strictly(results: Path, older: Path) -> None:
    path = older / BENCHMARKS.file_name
    path.write_bytes(path.read_bytes().replace(b"mlp8,onnxruntime", b"mlp8,onnxruntimf", 1))
    with pytest.raises(DamagedFile, match="column `check`"):
        read_results(results, CHAIN)


def test_current_table_in_an_older_run_is_damage(results: Path, finished: Path) -> None:
    rewrite(finished, lambda values: values.update(schema_version=OLD, preset=values.pop("profile")))
    with pytest.raises(DamagedFile, match="expected `batch` as column 5, found 'precision'"):
        read_results(results, CHAIN)


def test_older_version_without_a_step_is_refused(results: Path, older: Path) -> None:
    with pytest.raises(DamagedFile, match=f"expected a schema version from {SCHEMA_VERSION} to {SCHEMA_VERSION}"):
        read_results(results, {})


def test_rows_of_version_1_are_read_with_their_new_columns_empty(results: Path, finished: Path) -> None:
    first = UPGRADES[1].tables[0]
    new = {"device_p50_ms", "page_faults_per_call", "process_s"}
    assert set(BENCHMARKS.names) - set(first.names) == new
    rewrite(finished, lambda values: (values.update(schema_version=1), values.pop("arms"), values.pop("disk_mib")))
    lines = [header_line(first)]
    for number, row in enumerate(make_rows(1, CASES, 2)):
        old = {name: value for name, value in row.items() if name not in new}
        lines.append(format_line(number, list(normal_row(first, old).values())))
    (finished / BENCHMARKS.file_name).write_bytes(b"".join(lines))
    read = read_results(results)
    assert read.runs[0].info.arms == ()
    assert read.practices.empty
    assert list(read.benchmarks.columns) == ["run", *(column.name for column in BENCHMARKS.data_columns)]
    assert read.benchmarks[sorted(new)].isna().all(axis=None)
    assert read.benchmarks.latency_p50_ms.notna().any()


def test_steps_follow_each_other(results: Path, older: Path) -> None:
    def oldest_info(values: dict[str, Any]) -> dict[str, Any]:
        values["preset"] = values.pop("set")
        return values

    def oldest_rows(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(latency_s=frame["latency_s"] * 2)

    chain = {**CHAIN, OLD - 1: Upgrade((OLD_TABLE,), oldest_info, {"benchmarks": oldest_rows})}
    once = read_results(results, chain).benchmarks.latency_p50_ms
    rewrite(older, lambda values: values.update(schema_version=OLD - 1, set=values.pop("preset")))
    twice = read_results(results, chain).benchmarks.latency_p50_ms
    assert twice.tolist() == pytest.approx((once * 2).tolist(), nan_ok=True)


def test_a_gap_in_the_chain_ends_it() -> None:
    assert known_versions(CHAIN) == (OLD, SCHEMA_VERSION)
    assert known_versions({OLD - 1: STEP}) == (SCHEMA_VERSION,)


def test_every_step_of_kb_leads_to_the_current_version() -> None:
    assert set(UPGRADES) == set(known_versions(UPGRADES)) - {SCHEMA_VERSION}


def test_runs_of_version_2_are_read_with_no_reproducer(results: Path, finished: Path) -> None:
    rewrite(finished, lambda values: values.update(schema_version=2))
    read = read_results(results)
    assert (len(read.benchmarks) > 0, len(read.reproducers)) == (True, 0)
    assert list(read.reproducers.columns) == ["run", *(column.name for column in REPRODUCERS.data_columns)]
