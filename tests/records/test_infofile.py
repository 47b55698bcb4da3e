"""run.json is read as strictly as the tables: every key, every type, and the version that wrote it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kb.records.damage import DamagedFile, NewerSchema
from kb.records.infofile import info_text, read_info, sealed
from kb.records.run import RunInfo, Validity
from kb.records.schema import SCHEMA_VERSION
from tests.records.conftest import CASES, snapshot
from tests.records.synthetic import MACHINE, make_info


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the values, and give the file the right check for them, as another program would."""
    path = folder / "run.json"
    values = json.loads(path.read_text())
    change(values)
    del values["check"]
    path.write_bytes(sealed(values))


def damage_of(folder: Path) -> DamagedFile:
    before = snapshot(folder)
    with pytest.raises(DamagedFile) as caught:
        read_info(folder)
    assert snapshot(folder) == before
    assert "\n" not in str(caught.value)
    return caught.value


class TestSound:
    def test_comes_back(self, finished: Path) -> None:
        file = read_info(finished)
        assert file.info.validity is Validity.VALID
        assert info_text(file.info) == (finished / "run.json").read_bytes()

    def test_keeps_any_text_readable(self) -> None:
        info = make_info(1, CASES, 1, ci_url='https://例子.example/运行?a=1&b="2"')
        assert "例子" in info_text(info).decode()
        values = json.loads(info_text(info))
        del values["check"]
        assert RunInfo.model_validate(values) == info


class TestVersion:
    def test_newer_is_refused(self, finished: Path) -> None:
        rewrite(finished, lambda values: values.update(schema_version=SCHEMA_VERSION + 1, something_new=[1]))
        error = damage_of(finished)
        assert isinstance(error, NewerSchema)
        assert error.column == "schema_version"
        assert f"from 1 to {SCHEMA_VERSION}, found {SCHEMA_VERSION + 1}: this run was written by a newer kb" in str(
            error
        )

    @pytest.mark.parametrize("version", [0, -1, "1", True, None, 1.5])
    def test_unknown_is_refused(self, finished: Path, version: object) -> None:
        rewrite(finished, lambda values: values.update(schema_version=version))
        assert damage_of(finished).column == "schema_version"

    def test_is_never_guessed(self, finished: Path) -> None:
        rewrite(finished, lambda values: values.pop("schema_version"))
        assert damage_of(finished).column == "schema_version"


class TestDamaged:
    @pytest.mark.parametrize(
        ("change", "column", "message"),
        [
            (lambda values: values.update(sed=1), "sed", "Extra inputs are not permitted, found 1"),
            (lambda values: values.pop("seed"), "seed", "Field required"),
            (lambda values: values.update(seed="1"), "seed", "valid integer, found '1'"),
            (lambda values: values["machine"].update(ram_gib="much"), "machine.ram_gib", "valid number, found 'much'"),
            (lambda values: values["machine"].update(host="tom"), "machine.host", "Extra inputs"),
            (lambda values: values.update(validity="FINE"), "validity", "'VALID', 'INVALID' or 'UNFINISHED'"),
            (lambda values: values.update(started="2026-11-22T03:15:00"), "started", "timezone"),
            (lambda values: values.update(ended=None), None, "UNFINISHED if and only if"),
            (lambda values: values.update(validity="INVALID"), None, "a run that is INVALID has reasons"),
            (lambda values: values.update(run="20261122T031500Z-5f17c0de-ffff"), "run", "expected the folder's name"),
            (lambda values: values["machine"].update(id="0badcafe"), "machine.id", f"expected {MACHINE.id}"),
        ],
    )
    def test_key_or_value(
        self, finished: Path, change: Callable[[dict[str, Any]], object], column: str | None, message: str
    ) -> None:
        rewrite(finished, change)
        error = damage_of(finished)
        assert error.file == finished / "run.json"
        assert error.column == column
        assert message in str(error)

    def test_json_names_line_and_column(self, finished: Path) -> None:
        path = finished / "run.json"
        path.write_text(path.read_text().replace('"seed": 1,', '"seed": 1'))
        error = damage_of(finished)
        lines = path.read_text().splitlines()
        assert error.line == lines.index('  "seed": 1') + 2
        assert error.column == 3
        assert str(error).startswith(f"{path}:{error.line}:3: expected JSON: Expecting ',' delimiter")

    def test_truncated(self, finished: Path) -> None:
        path = finished / "run.json"
        path.write_bytes(path.read_bytes()[:300])
        assert damage_of(finished).line == path.read_text().count("\n") + 1

    @pytest.mark.parametrize("text", ["", "[]", "null", "[" * 100_000])
    def test_not_an_object(self, finished: Path, text: str) -> None:
        (finished / "run.json").write_text(text)
        assert "expected" in str(damage_of(finished))

    def test_byte_that_is_not_utf_8(self, finished: Path) -> None:
        path = finished / "run.json"
        path.write_bytes(path.read_bytes().replace(b'"bench"', b'"b\xe9nch"'))
        error = damage_of(finished)
        line = path.read_bytes().split(b"\n")[(error.line or 0) - 1]
        assert line[int(error.column or 0) - 1] == 0xE9
        assert "0xe9" in str(error)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('"validity": "VALID"', '"validity": "VALID "'),
            ('"seed": 1,', '"seed": 1, "seed": 2,'),
            ('"seed": 1,', '"seed": 2,'),
            ("  ", ""),
            ('"torch": "2.13.0"', '"torch": "2.13.1"'),
        ],
    )
    def test_changed_by_hand(self, finished: Path, old: str, new: str) -> None:
        path = finished / "run.json"
        path.write_text(path.read_text().replace(old, new, 1))
        assert damage_of(finished).column == ("validity" if "VALID " in new else "check")

    def test_without_its_check(self, finished: Path) -> None:
        path = finished / "run.json"
        values = json.loads(path.read_text())
        del values["check"]
        path.write_text(json.dumps(values, indent=2))
        assert damage_of(finished).column == "check"
