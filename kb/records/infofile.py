"""run.json as a file: written whole, read strictly, older versions upgraded, newer ones refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kb.records.atomic import write_whole
from kb.records.damage import RESTORE, DamagedFile, NewerSchema, quoted
from kb.records.run import RUN_NAME, RunInfo
from kb.records.schema import SCHEMA_VERSION
from kb.records.upgrade import UPGRADES, Upgrade, known_versions, upgraded_info

INFO_FILE = "run.json"


@dataclass(frozen=True)
class InfoFile:
    """What run.json says, and the schema version that it and the tables beside it are written in."""

    info: RunInfo
    version: int


def info_text(info: RunInfo) -> bytes:
    """The content of run.json.

    Raises:
        ValueError: a number in it is not finite; JSON has no word for that.
    """
    return (json.dumps(info.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_info(folder: Path, info: RunInfo) -> None:
    """Create or replace the run's run.json in one step."""
    write_whole(folder / INFO_FILE, info_text(info))


def read_info(folder: Path, upgrades: Mapping[int, Upgrade] = UPGRADES) -> InfoFile:
    """Read a run's run.json and compare it with the folder's name.

    Raises:
        DamagedFile: it is missing, is not JSON, has a wrong or unknown key, or belongs to another folder.
        NewerSchema: it was written by a newer kb.
    """
    path = folder / INFO_FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise DamagedFile(folder, f"expected a run folder, found no {INFO_FILE} in it") from None
    file = _current(text) or _older(path, text, upgrades)
    _check_name(path, file.info)
    return file


def _current(text: bytes) -> InfoFile | None:
    """The quick way, for a sound file of the current version; None where the slow way must look."""
    try:
        info = RunInfo.model_validate_json(text, strict=True)
    except ValidationError:
        return None
    if info.schema_version != SCHEMA_VERSION or "schema_version" not in info.model_fields_set:
        return None
    return InfoFile(info, SCHEMA_VERSION)


def _older(path: Path, text: bytes, upgrades: Mapping[int, Upgrade]) -> InfoFile:
    values = _parsed(path, text)
    version = _version(path, values, upgrades)
    values = upgraded_info(version, values, upgrades)
    try:
        return InfoFile(RunInfo.model_validate_json(json.dumps(values), strict=True), version)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or None
        raise DamagedFile(path, f"{first['msg']}, found {quoted(first['input'])}", column=key) from None


def _parsed(path: Path, text: bytes) -> dict[str, Any]:
    try:
        values = json.loads(text.decode("utf-8"), object_pairs_hook=_no_key_twice)
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        byte = error.start - text.rfind(b"\n", 0, error.start)
        problem = f"expected UTF-8, found the byte 0x{text[error.start]:02x}"
        raise DamagedFile(path, problem, line=line, column=byte) from None
    except json.JSONDecodeError as error:
        raise DamagedFile(path, f"expected JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    except _KeyTwice as error:
        raise DamagedFile(path, "expected each key once, found it twice", column=str(error)) from None
    except RecursionError:
        raise DamagedFile(path, "expected run.json's few levels, found hundreds") from None
    if not isinstance(values, dict):
        raise DamagedFile(path, f"expected a JSON object, found {quoted(values)}")
    return values


class _KeyTwice(ValueError):
    """A key that one JSON object has twice."""


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise _KeyTwice(key)
        values[key] = value
    return values


def _version(path: Path, values: dict[str, Any], upgrades: Mapping[int, Upgrade]) -> int:
    version = values.get("schema_version")
    known = known_versions(upgrades)
    expected = f"expected a schema version from {known[0]} to {known[-1]}, found {quoted(version)}"
    if not isinstance(version, int) or isinstance(version, bool) or version < known[0]:
        raise DamagedFile(path, expected, column="schema_version")
    if version > known[-1]:
        raise NewerSchema(
            path, expected, column="schema_version", remedy="this run was written by a newer kb: update kb to read it"
        )
    return version


def _check_name(path: Path, info: RunInfo) -> None:
    folder = path.absolute().parent
    name = RUN_NAME.fullmatch(info.run)
    if name is None or info.run != folder.name:
        problem = f"expected the folder's name {quoted(folder.name)}, found {quoted(info.run)}"
        raise DamagedFile(path, problem, column="run", remedy=f"a run folder is never renamed; {RESTORE}")
    year, machine = name.groups()
    if folder.parent.name != year:
        raise DamagedFile(folder, f"expected it in the folder {year}, found it in {quoted(folder.parent.name)}")
    if info.machine.id != machine:
        problem = f"expected {machine} as in the folder's name, found {quoted(info.machine.id)}"
        raise DamagedFile(path, problem, column="machine.id")
