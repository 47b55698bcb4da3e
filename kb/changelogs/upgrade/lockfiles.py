"""What a lock file pins, here and now: pip's pins, uv.lock, poetry.lock, and pylock.toml (PEP 751)."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from kb.changelogs.upgrade.errors import UpgradeError
from kb.changelogs.upgrade.pins import Pin, Place, pinned_version
from kb.complaints import show

#: Largest lock file that is read. One of a thousand packages with all their hashes has some 5 MB.
MAX_BYTES = 32_000_000

#: Sources by which uv and Poetry mean the project itself or a folder beside it: no release, so no changelog.
LOCAL_SOURCES = frozenset({"virtual", "editable", "directory", "file"})

_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION_OF_PIN = re.compile(r"\s--?[a-z][a-z-]*([= ]|$).*$")  # --hash=sha256:..., --config-settings ...
_MARK_OF_TABLE = re.compile(r"\s*\[\[packages?\]\]\s*(#.*)?")


class LockError(UpgradeError):
    """A lock file that cannot be read."""


@dataclass(frozen=True)
class Lock:
    """The distributions that a lock file pins in this environment."""

    pins: Mapping[str, Pin]  #: by canonical name
    remarks: tuple[str, ...] = ()  #: what was left out, and why


@dataclass(frozen=True)
class _Row:
    """What a file says of one distribution; `marker` says in which environments."""

    pin: Pin
    applies: bool


def read_lock(path: Path) -> Lock:
    """Read a lock file. Its form is known by its ending: TOML for .toml and .lock, else pins one a line.

    Raises:
        LockError: there is no such file, it cannot be understood, or it pins nothing.
    """
    text = _text(path)
    remarks: list[str] = []
    is_toml = path.suffix in (".toml", ".lock") and not _looks_like_pins(text)
    rows = list(_toml_rows(path, text, remarks) if is_toml else _text_rows(path, text, remarks))
    pins = _chosen(path, rows, remarks)
    if not pins:
        raise LockError(f"{path}: pins no distribution; give a lock file, such as the output of `pip freeze`")
    return Lock(pins, tuple(remarks))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LockError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB; is it a lock file?")
        content = path.read_bytes()
    except OSError as error:
        raise LockError(f"{path}: cannot be read ({error.strerror}); give the path of a lock file") from None
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # what `pip freeze >` writes in Windows PowerShell
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise LockError(f"{path}: byte {error.start} is no UTF-8; save it as UTF-8") from None


def _looks_like_pins(text: str) -> bool:
    """Some call pip's pins `requirements.lock`. TOML has no bare line with ``==``."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return bool(re.match(r"[A-Za-z0-9][\w.-]*(\[[^\]]*\])?\s*==", next(lines, "")))


def _chosen(path: Path, rows: Iterable[_Row], remarks: list[str]) -> dict[str, Pin]:
    """One pin per distribution: of several, those that apply here; of those, the highest."""
    by_name: dict[str, list[_Row]] = {}
    for row in rows:
        by_name.setdefault(canonicalize_name(row.pin.name), []).append(row)
    chosen = {}
    for name, candidates in by_name.items():
        here = [row.pin for row in candidates if row.applies] or [row.pin for row in candidates]
        pin = max(here, key=lambda pin: pin.version)
        versions = sorted({pin.version for pin in here})
        if len(versions) > 1:
            told = ", ".join(map(str, versions))
            remarks.append(f"{path}: {name} is pinned to {told}; {pin.version} is taken")
        chosen[name] = pin
    return chosen


def _text_rows(path: Path, text: str, remarks: list[str]) -> Iterator[_Row]:
    """Pins as `pip freeze` and `pip-compile` write them."""
    for number, line in _logical_lines(text):
        where = f"{path}:{number}"
        if line.startswith("-"):
            if line.startswith(("-r", "--requirement", "-c", "--constraint")):
                remarks.append(f"{where}: {show(line)} is not followed; give a file with all pins")
            continue
        try:
            requirement = Requirement(_OPTION_OF_PIN.sub("", line).strip())
            version = pinned_version(requirement)
        except (InvalidRequirement, InvalidVersion):
            raise LockError(f"{where}: {show(line)} is no pin; write name==version") from None
        if version is None:
            remarks.append(f"{where}: {show(line)} is not pinned to a version and is left out")
            continue
        applies = requirement.marker is None or _holds(requirement.marker)
        yield _Row(Pin(requirement.name, version, Place(str(path), number)), applies)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, those that end in a backslash joined, with the number of their first line."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if joined else number
        stripped = _COMMENT.sub("", line).rstrip()
        if stripped.endswith("\\"):
            joined += stripped[:-1] + " "
            continue
        if whole := (joined + stripped).strip():
            yield start, whole
        joined = ""
    if joined.strip():
        yield start, joined.strip()


def _toml_rows(path: Path, text: str, remarks: list[str]) -> Iterator[_Row]:
    """The tables `package` of uv and Poetry, and `packages` of PEP 751."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LockError(f"{path}: is no TOML: {' '.join(str(error).split())}") from None
    packages = document.get("packages", document.get("package"))
    if not isinstance(packages, list) or not all(isinstance(package, dict) for package in packages):
        raise LockError(f"{path}: has no table [[package]] or [[packages]]; give uv.lock, poetry.lock or pylock.toml")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _MARK_OF_TABLE.fullmatch(line)]
    if len(lines) != len(packages):  # written in another way, as inline tables for one
        lines = [1] * len(packages)
    for line, package in zip(lines, packages, strict=True):
        if row := _toml_row(Place(str(path), line), package, remarks):
            yield row


def _toml_row(place: Place, package: Mapping[str, Any], remarks: list[str]) -> _Row | None:
    name, version = package.get("name"), package.get("version")
    where = f"{place.file}:{place.line}"
    if not isinstance(name, str):
        raise LockError(f"{where}: a package without a name; make the lock file anew")
    if _is_local(package):
        return None
    if not isinstance(version, str):
        remarks.append(f"{where}: {show(name)} has no version and is left out")
        return None
    try:
        number = Version(version)
    except InvalidVersion:
        raise LockError(f"{where}: {show(version)}, of {show(name)}, is no version; make the lock file anew") from None
    return _Row(Pin(name, number, place), all(_holds_text(where, marker) for marker in _markers(package)))


def _is_local(package: Mapping[str, Any]) -> bool:
    """The project itself, or a folder: uv names it as a key of `source`, Poetry as its type, PEP 751 as a table."""
    source = package.get("source", {})
    kinds = {*source, source.get("type")} if isinstance(source, dict) else set()
    return bool(kinds & LOCAL_SOURCES) or "directory" in package


def _markers(package: Mapping[str, Any]) -> Iterator[str]:
    """When it is installed. Of uv's `resolution-markers` one must hold, so they are joined."""
    if isinstance(marker := package.get("marker", package.get("markers")), str):
        yield marker
    forks = package.get("resolution-markers")
    if isinstance(forks, list) and forks and all(isinstance(fork, str) for fork in forks):
        yield " or ".join(f"({fork})" for fork in forks)


def _holds_text(where: str, text: str) -> bool:
    try:
        return _holds(Marker(text))
    except InvalidMarker:
        raise LockError(f"{where}: {show(text)} is no environment marker; make the lock file anew") from None


def _holds(marker: Marker) -> bool:
    try:
        return marker.evaluate({"extra": ""})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return True  # it asks for what only an installer knows, such as dependency groups
