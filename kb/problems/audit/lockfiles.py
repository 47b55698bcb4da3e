"""Versions out of a file of pip, or a lock of uv, poetry or pylock.toml, as they hold on this machine.

The one function that the rest uses is `read_pins`.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from kb.problems.errors import ProblemError
from kb.problems.families import normalised
from kb.records.damage import printable, quoted

#: The lock of a large workspace has a few MiB.
MAX_BYTES = 64 * 2**20
#: Files that include each other; a circle is read once, whatever its length.
MAX_FILES = 100

_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTION = re.compile(r"(-[A-Za-z]|--[a-z][\w-]*)[ =]*(.*)")
_OPTIONS_BEHIND = re.compile(r"\s--[a-z].*$")
_INCLUDES = {"-r": False, "--requirement": False, "-c": True, "--constraint": True}  #: option -> only constrains
_EDITABLE = ("-e", "--editable")
_TABLE = re.compile(r"\s*\[\[packages?\]\]")
_NAME = re.compile(r"\s*name\s*=\s*[\"']([^\"']+)[\"']")


@dataclass(frozen=True)
class Pins:
    """What a file says of versions."""

    versions: Mapping[str, Version]  #: package -> its one version
    loose: Mapping[str, str] = field(default_factory=dict)  #: package -> what is asked for, where that is no version
    lines: Mapping[str, int] = field(default_factory=dict)  #: package -> its line, from 1, in the file itself
    whole: bool = False  #: a lock: what it does not list is not there
    remarks: tuple[str, ...] = ()  #: what could not be counted, a line each


@dataclass
class _Found:
    """What is gathered while files are read."""

    asked: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    constrained: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)


def read_pins(path: Path) -> Pins:
    """The versions in a file. Markers are judged for this machine and this Python.

    Raises:
        ProblemError: the file cannot be read, or is none of the four kinds.
    """
    text = _text(path)
    if path.suffix in (".toml", ".lock"):
        return _locked(path, text)
    found = _Found()
    _read_requirements(path, text, found, constrains=False, top=True)
    return _pins(found)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ProblemError(f"{path}: no such file: name a requirements file, uv.lock, poetry.lock or pylock.toml")
        if path.stat().st_size > MAX_BYTES:
            raise ProblemError(f"{path}: over {MAX_BYTES // 2**20} MiB, which no list of packages has")
        content = path.read_bytes()
    except OSError as error:
        raise ProblemError(f"{path}: cannot be read: {error.strerror}") from None
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # `pip freeze > file` in PowerShell
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(f"{path}: byte {content[error.start]:#04x} is not UTF-8: save it as UTF-8") from None


def _pins(found: _Found) -> Pins:
    """Every package that is asked for: pinned by its own line, or by a constraint."""
    versions, loose = {}, {}
    for name, specifiers in found.asked.items():
        pins = {_pinned(specifier) for specifier in specifiers} - {None}
        if not pins and name in found.constrained:
            pins = {_pinned(found.constrained[name])} - {None}
        if len(pins) == 1:
            versions[name] = Version(str(pins.pop()))
        else:
            loose[name] = " and ".join(dict.fromkeys(filter(None, specifiers))) or "any version"
    return Pins(versions, loose, found.lines, remarks=tuple(found.remarks))


def _pinned(specifier: str) -> str | None:
    """The version of `==1.2` or `===1.2`; None for everything else."""
    exact = re.fullmatch(r"={2,3}\s*([^,*\s]+)", specifier.strip())
    return exact[1] if exact and _version(exact[1]) else None


def _read_requirements(path: Path, text: str, found: _Found, *, constrains: bool, top: bool) -> None:
    found.files.add(path.resolve())
    for number, line in _logical_lines(text):
        option = _OPTION.fullmatch(line) if line.startswith("-") else None
        if option is None:
            _add(path, number, line, found, constrains=constrains, top=top)
        elif option[1] in _INCLUDES:
            _include(path, number, option[2].strip(), found, constrains=constrains or _INCLUDES[option[1]])
        elif option[1] in _EDITABLE:
            found.remarks.append(f"{path}:{number}: has no version and is not counted: {printable(line)}")


def _include(path: Path, number: int, name: str, found: _Found, *, constrains: bool) -> None:
    if "://" in name:
        found.remarks.append(f"{path}:{number}: is elsewhere and was not read: {printable(name)}")
        return
    other = path.parent / name
    if other.resolve() in found.files:
        return
    if len(found.files) >= MAX_FILES:
        raise ProblemError(f"{path}:{number}: more than {MAX_FILES} files include each other")
    _read_requirements(other, _text(other), found, constrains=constrains, top=False)


def _add(path: Path, number: int, line: str, found: _Found, *, constrains: bool, top: bool) -> None:
    """One requirement: a name with a range, a wheel, or something of which only its author knows the version."""
    text = _OPTIONS_BEHIND.sub("", line).strip()
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        if wheel := _wheel(text):
            found.asked[wheel[0]].append(f"=={wheel[1]}")
        elif "/" in text or text.startswith((".", "git+")):
            found.remarks.append(f"{path}:{number}: has no version and is not counted: {printable(text)}")
        else:
            first = str(error).splitlines()[0]
            raise ProblemError(f"{path}:{number}: {quoted(text)} is no requirement: {printable(first)}") from None
        return
    if not _holds(str(requirement.marker) if requirement.marker else None):
        return
    name = normalised(requirement.name)
    specifier = str(requirement.specifier)
    if requirement.url:
        wheel = _wheel(requirement.url)
        specifier = f"=={wheel[1]}" if wheel else f"@ {printable(requirement.url)}"
    if constrains:
        found.constrained[name] = specifier
        return
    found.asked[name].append(specifier)
    if top:
        found.lines.setdefault(name, number)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, those that end in a backslash joined to the next, with the number of the first."""
    begun, start = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        start = start or number
        whole = begun + _COMMENT.sub("", line)
        if whole.endswith("\\"):
            begun = whole[:-1] + " "
            continue
        if whole.strip():
            yield start, whole.strip()
        begun, start = "", 0
    if begun.strip():
        yield start, begun.strip()


def _locked(path: Path, text: str) -> Pins:
    """The packages of a lock; each of them has a version, or is the project itself."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemError(f"{path}: not valid TOML: {error}") from None
    packages = table.get("packages", table.get("package"))
    if not isinstance(packages, list) or not all(isinstance(one, dict) for one in packages):
        raise ProblemError(f"{path}: has no list of packages: name uv.lock, poetry.lock, pylock.toml or a pip file")
    versions: defaultdict[str, list[str]] = defaultdict(list)
    for package in packages:
        name, version = package.get("name"), package.get("version")
        if not isinstance(name, str):
            raise ProblemError(f"{path}: a package has no name: write the lock anew")
        if _in_use(package):
            versions[normalised(name)].append(version if isinstance(version, str) else "")
    one = {name: Version(each[0]) for name, each in versions.items() if len(set(each)) == 1 and _version(each[0])}
    loose = {name: " or ".join(filter(None, each)) or "none given" for name, each in versions.items()}
    return Pins(one, {name: known for name, known in loose.items() if name not in one}, _toml_lines(text), whole=True)


def _in_use(package: Mapping[str, Any]) -> bool:
    """Whether a package of a lock is for this machine: by the markers of uv, poetry (text or one per group), pylock."""
    markers = package.get("resolution-markers", package.get("markers", package.get("marker")))
    if isinstance(markers, dict):
        markers = list(markers.values())
    if isinstance(markers, list):
        return any(_holds(marker) for marker in markers) if markers else True
    return _holds(markers)


def _holds(marker: object) -> bool:
    """Whether a marker holds here. One that asks for more than a machine can say (a group) is taken to hold."""
    if not isinstance(marker, str):
        return True
    try:
        return Marker(marker).evaluate({"extra": ""})
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, KeyError):
        return True


def _toml_lines(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    waiting = False
    for number, line in enumerate(text.splitlines(), start=1):
        if _TABLE.match(line):
            waiting = True
        elif waiting and (name := _NAME.match(line)):
            lines.setdefault(normalised(name[1]), number)
            waiting = False
    return lines


def _wheel(location: str) -> tuple[str, Version] | None:
    """Name and version of a wheel by its file name."""
    file = re.split(r"[/\\]", location.partition("#")[0].partition("?")[0])[-1].replace("%2B", "+")
    try:
        name, version, _, _ = parse_wheel_filename(file)
    except (InvalidWheelFilename, InvalidVersion):
        return None
    return str(name), version


def _version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
