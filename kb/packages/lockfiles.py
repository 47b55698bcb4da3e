"""What a file says of packages, here and now: pip's requirements, uv.lock, poetry.lock, and pylock.toml (PEP 751).

The one function that the rest uses is `read_packages`. It says what stands in the file; which of two pins counts, and
what to do about a range, is for those who ask.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from kb.complaints import show
from kb.packages.errors import PackageFileError
from kb.packages.families import normalised
from kb.packages.pins import Place, pinned_version, wheel_at

#: Largest file that is read. A lock of a thousand packages with all their hashes has some 5 MB.
MAX_BYTES = 64_000_000
#: Files that include each other; a circle is read once, whatever its length.
MAX_FILES = 100
FORMS = "a requirements file, uv.lock, poetry.lock or pylock.toml"

#: Sources by which uv and Poetry mean the project itself or a folder beside it: no release.
LOCAL_SOURCES = frozenset({"virtual", "editable", "directory", "file"})

_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION = re.compile(r"(-[A-Za-z]|--[a-z][\w-]*)[ =]*(.*)")
_OPTIONS_BEHIND = re.compile(r"\s--?[A-Za-z][\w-]*([= ]|$).*$")  # --hash=sha256:..., --config-settings ...
_INCLUDES = {"-r": False, "--requirement": False, "-c": True, "--constraint": True}  #: option -> only constrains
_EDITABLE = ("-e", "--editable")
_MARK_OF_TABLE = re.compile(r"\s*\[\[packages?\]\]\s*(#.*)?")


@dataclass(frozen=True)
class Row:
    """What a file says of one package at one place."""

    name: str  #: as written
    version: Version | None  #: the one that it is pinned to
    asked: str  #: what stands there, such as ``==2.4`` or ``>=1.16``; empty where any version will do
    place: Place
    applies: bool  #: its markers hold on this machine and this Python
    local: bool = False  #: the project itself, or a folder beside it


@dataclass(frozen=True)
class Packages:
    """What a file says of packages."""

    rows: tuple[Row, ...]
    whole: bool  #: a lock: what it does not list is not there
    remarks: tuple[str, ...] = ()  #: what has no version that a file could tell, a line each


@dataclass
class _Found:
    """What is gathered while files include each other."""

    rows: list[Row] = field(default_factory=list)
    constraints: dict[str, Version] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)


def read_packages(path: Path) -> Packages:
    """Read a file of packages. Its form is known by its ending: TOML for .toml and .lock, else one a line.

    Raises:
        PackageFileError: there is no such file, or it, or one that it includes, is not as it should be.
    """
    text = _text(path)
    if path.suffix in (".toml", ".lock") and not _looks_like_pins(text):
        return Packages(tuple(_rows_of_lock(path, text)), whole=True)
    found = _Found()
    _read_requirements(path, text, found, constrains=False)
    return Packages(tuple(_constrained(found)), whole=False, remarks=tuple(found.remarks))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PackageFileError(f"{path}: cannot be read ({error.strerror}); name {FORMS}") from None
    if len(content) > MAX_BYTES:
        raise PackageFileError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB; name {FORMS}")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # what `pip freeze >` writes in Windows PowerShell
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise PackageFileError(f"{path}: byte {error.start} is no UTF-8; save it as UTF-8") from None


def _looks_like_pins(text: str) -> bool:
    """Some call pip's pins `requirements.lock`. TOML begins with no option, and no bare ``==``."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return bool(re.match(r"-|[A-Za-z0-9][\w.-]*(\[[^\]]*\])?\s*==", next(lines, "")))


def _constrained(found: _Found) -> Iterator[Row]:
    """The rows, those of packages that only a constraint pins with its version."""
    pinned = {normalised(row.name) for row in found.rows if row.version and row.applies}
    for row in found.rows:
        name = normalised(row.name)
        yield row if name in pinned else replace(row, version=found.constraints.get(name, row.version))


def _read_requirements(path: Path, text: str, found: _Found, *, constrains: bool) -> None:
    found.files.add(path.resolve())
    for number, line in _logical_lines(text):
        place = Place(str(path), number)
        option = _OPTION.fullmatch(line) if line.startswith("-") else None
        if option is None:
            _add(place, line, found, constrains=constrains)
        elif option[1] in _INCLUDES:
            _include(place, option[2].strip(), found, constrains=constrains or _INCLUDES[option[1]])
        elif option[1] in _EDITABLE:
            found.remarks.append(f"{path}:{number}: has no version and is not counted: {show(line)}")


def _include(place: Place, name: str, found: _Found, *, constrains: bool) -> None:
    where = f"{place.file}:{place.line}"
    if "://" in name:
        found.remarks.append(f"{where}: is elsewhere and was not read: {show(name)}")
        return
    other = Path(place.file).parent / name
    if other.resolve() in found.files:
        return
    if len(found.files) >= MAX_FILES:
        raise PackageFileError(f"{where}: more than {MAX_FILES} files include each other; give a file with all pins")
    try:
        text = _text(other)
    except PackageFileError as error:
        raise PackageFileError(f"{where}: includes {error}") from None
    _read_requirements(other, text, found, constrains=constrains)


def _add(place: Place, line: str, found: _Found, *, constrains: bool) -> None:
    """One requirement: a name with a range, a wheel, or something of which only its author knows the version."""
    requirement = _requirement(place, _OPTIONS_BEHIND.sub("", line).strip(), found)
    if requirement is None:
        return
    try:
        version = pinned_version(requirement)
    except InvalidVersion:
        version = None  # `===` may be followed by anything
    applies = requirement.marker is None or _evaluated(requirement.marker)
    if not constrains:
        asked = f"@ {requirement.url}" if requirement.url and not version else str(requirement.specifier)
        found.rows.append(Row(requirement.name, version, asked or (f"=={version}" if version else ""), place, applies))
    elif version and applies:
        found.constraints[normalised(requirement.name)] = version


def _requirement(place: Place, text: str, found: _Found) -> Requirement | None:
    """What a line asks for, also one that is only the address of a wheel; None where that could not be counted."""
    where = f"{place.file}:{place.line}"
    try:
        return Requirement(text)
    except InvalidRequirement:
        pass
    if wheel := wheel_at(text):
        return Requirement(f"{wheel[0]}=={wheel[1]}")
    if "/" in text or text.startswith((".", "git+")):
        found.remarks.append(f"{where}: has no version and is not counted: {show(text)}")
        return None
    raise PackageFileError(f"{where}: {show(text)} is no requirement; write a name, or name==version")


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


def _rows_of_lock(path: Path, text: str) -> Iterator[Row]:
    """The tables `package` of uv and Poetry, and `packages` of PEP 751."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PackageFileError(f"{path}: is no TOML: {' '.join(str(error).split())}") from None
    packages = document.get("packages", document.get("package"))
    if not isinstance(packages, list) or not all(isinstance(package, dict) for package in packages):
        raise PackageFileError(f"{path}: has no table [[package]] or [[packages]]; name {FORMS}")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _MARK_OF_TABLE.fullmatch(line)]
    if len(lines) != len(packages):  # written in another way, as inline tables for one
        lines = [1] * len(packages)
    for line, package in zip(lines, packages, strict=True):
        yield _row_of_lock(Place(str(path), line), package)


def _row_of_lock(place: Place, package: Mapping[str, Any]) -> Row:
    name, version = package.get("name"), package.get("version")
    where = f"{place.file}:{place.line}"
    if not isinstance(name, str):
        raise PackageFileError(f"{where}: a package without a name; make the lock file anew")
    written = version if isinstance(version, str) else ""
    try:
        number = Version(written) if written else None
    except InvalidVersion:
        raise PackageFileError(
            f"{where}: {show(version)}, of {show(name)}, is no version; make the lock file anew"
        ) from None
    return Row(name, number, written, place, _in_use(where, package), _is_local(package))


def _is_local(package: Mapping[str, Any]) -> bool:
    """The project itself, or a folder: uv names it as a key of `source`, Poetry as its type, PEP 751 as a table."""
    source = package.get("source", {})
    kinds = {*source, str(source.get("type"))} if isinstance(source, dict) else set()
    return bool(kinds & LOCAL_SOURCES) or "directory" in package


def _in_use(where: str, package: Mapping[str, Any]) -> bool:
    """Whether a package is for this machine: by its marker, or by one of several (uv's forks, Poetry's groups)."""
    return all(
        any(_holds(where, marker) for marker in _listed(package.get(key)))
        for key in ("marker", "markers", "resolution-markers")
    )


def _listed(markers: object) -> Sequence[object]:
    """The alternatives of a marker: the list that it is, the values of a table, or itself; at least one."""
    if isinstance(markers, dict):
        markers = list(markers.values())
    return (markers or [""]) if isinstance(markers, list) else [markers]


def _holds(where: str, marker: object) -> bool:
    if not isinstance(marker, str) or not marker:
        return True
    try:
        return _evaluated(Marker(marker))
    except InvalidMarker:
        raise PackageFileError(f"{where}: {show(marker)} is no environment marker; make the lock file anew") from None


def _evaluated(marker: Marker) -> bool:
    try:
        return marker.evaluate({"extra": ""})
    except (UndefinedComparison, UndefinedEnvironmentName, KeyError):
        return True  # it asks for what only an installer knows, such as dependency groups
