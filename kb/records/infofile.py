"""run.json as a file: written whole and with a check, read strictly, older versions upgraded, newer ones refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kb.records.atomic import write_whole
from kb.records.damage import RESTORE, DamagedFile, NewerSchema, quoted
from kb.records.lines import check_of
from kb.records.run import RUN_NAME, RunInfo
from kb.records.schema import SCHEMA_VERSION
from kb.records.upgrade import UPGRADES, Upgrade, known_versions, upgraded_info

INFO_FILE = "run.json"

_CHECK = "check"
_BEFORE_CHECK = f',\n  "{_CHECK}": "'.encode()
_AFTER_CHECK = b'"\n}\n'


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
    return sealed(info.model_dump(mode="json"))


def sealed(values: Mapping[str, Any]) -> bytes:
    """The values as indented JSON with one more key at the end: the CRC-32 of all text before it."""
    body = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False).removesuffix("\n}").encode()
    return body + _BEFORE_CHECK + check_of(body) + _AFTER_CHECK


def _unsealed(text: bytes) -> bytes | None:
    """The JSON without its check; None where the check is missing or wrong."""
    body, _, check = text.rpartition(_BEFORE_CHECK)
    return body + b"\n}" if check == check_of(body) + _AFTER_CHECK else None


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
    file = _current(text) or _slowly(path, text, upgrades)
    _check_name(path, file.info)
    return file


def _current(text: bytes) -> InfoFile | None:
    """The quick way, for a sound file of the current version; None where the slow way must look."""
    content = _unsealed(text)
    if content is None:
        return None
    try:
        info = RunInfo.model_validate_json(content, strict=True)
    except ValidationError:
        return None
    if info.schema_version != SCHEMA_VERSION or "schema_version" not in info.model_fields_set:
        return None
    return InfoFile(info, SCHEMA_VERSION)


def _slowly(path: Path, text: bytes, upgrades: Mapping[int, Upgrade]) -> InfoFile:
    """For an older file, and to say what is wrong with a damaged one."""
    values = _parsed(path, text)
    version = _version(path, values, upgrades)
    values.pop(_CHECK, None)
    values = upgraded_info(version, values, upgrades)
    try:
        info = RunInfo.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or None
        raise DamagedFile(path, f"{first['msg']}, found {quoted(first['input'])}", column=key) from None
    if _unsealed(text) is None:
        raise DamagedFile(path, "expected the CRC-32 of the text before it; the file was changed", column=_CHECK)
    return InfoFile(info, version)


def _parsed(path: Path, text: bytes) -> dict[str, Any]:
    try:
        values = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        byte = error.start - text.rfind(b"\n", 0, error.start)
        problem = f"expected UTF-8, found the byte 0x{text[error.start]:02x}"
        raise DamagedFile(path, problem, line=line, column=byte) from None
    except json.JSONDecodeError as error:
        raise DamagedFile(path, f"expected JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise DamagedFile(path, "expected run.json's few levels, found hundreds") from None
    if not isinstance(values, dict):
        raise DamagedFile(path, f"expected a JSON object, found {quoted(values)}")
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
