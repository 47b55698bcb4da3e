"""Scans a user's Python code for the names that it uses: files, folders and notebooks, without running any of it."""

import ast
import json
import os
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.changelogs.upgrade.errors import UpgradeError
from kb.changelogs.upgrade.resolve import Reader
from kb.changelogs.upgrade.uses import Certainty, Scan, Unread, Use

#: Files that are read. A repository of a million lines has some 5,000.
MAX_FILES = 50_000

#: Largest file that is read: generated code is longer, but nobody upgrades it by hand.
MAX_BYTES = 2_000_000

#: Largest notebook that is read: most of it is output.
MAX_NOTEBOOK_BYTES = 50_000_000

ENDINGS = (".py", ".pyi", ".ipynb")

#: Folders that hold no code of the user's own. Those with a leading dot, and virtual environments, are skipped too.
SKIPPED_FOLDERS = frozenset({"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"})

#: Cell magics below which the cell is still Python.
_PYTHON_MAGICS = frozenset({"capture", "prun", "python", "python3", "time", "timeit"})
_MAGIC_LINE = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\s*\?{1,2}\s*)$")
_MAGIC_VALUE = re.compile(r"^(\s*[\w.,\s]+=\s*)[%!].*$")


class ScanError(UpgradeError):
    """A path that cannot be scanned."""


@dataclass(frozen=True)
class _Cell:
    """A piece of code: a whole file, or a cell of a notebook."""

    code: str | bytes
    number: int = 0


def scan(paths: Sequence[Path], roots: Collection[str] | None = None) -> Scan:
    """The names of packages that code uses. With `roots`, only those below these top-level packages.

    What cannot be parsed is listed and never fatal. Attributes of unknown values are kept only from files that use
    one of the packages: nowhere else are they evidence of anything.

    Raises:
        ScanError: a path does not exist, is no Python code, or there is none in it.
    """
    uses: list[Use] = []
    unread: list[Unread] = []
    count = 0
    for path in _files(paths, unread):
        found = _scan_file(path, unread)
        if found is not None:
            count += 1
            uses += _wanted(found, roots)
    if count == 0 and not unread:
        where = ", ".join(map(str, paths))
        raise ScanError(f"{where}: no Python code there; give files ({', '.join(ENDINGS)}) or folders to scan")
    return Scan(tuple(sorted(set(uses))), count, tuple(sorted(set(unread))))


def _wanted(uses: Sequence[Use], roots: Collection[str] | None) -> list[Use]:
    if roots is None:
        return list(uses)
    named = [use for use in uses if use.symbol.partition(".")[0] in roots]
    methods = [use for use in uses if use.certainty is Certainty.METHOD]
    return named + methods if named else []


def _files(paths: Iterable[Path], unread: list[Unread]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise ScanError(f"{path}: does not exist; give files ({', '.join(ENDINGS)}) or folders to scan")
        if path.is_file() and path.suffix not in ENDINGS:
            raise ScanError(f"{path}: is no Python code; give files ({', '.join(ENDINGS)}) or folders to scan")
        for file in [path] if path.is_file() else _walk(path):
            if len(seen) >= MAX_FILES:
                unread.append(Unread(str(path), f"only the first {MAX_FILES:,} files were scanned"))
                return
            if (real := file.resolve()) not in seen:
                seen.add(real)
                yield file


def _walk(folder: Path) -> Iterator[Path]:
    """Files of code below a folder, in order. Links to folders are not followed."""
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not _is_skipped(here / name))
        yield from (here / name for name in sorted(names) if name.endswith(ENDINGS))


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    if name.startswith(".") or name.endswith(".egg-info"):
        return True
    return name in SKIPPED_FOLDERS or (folder / "pyvenv.cfg").exists()


def _scan_file(path: Path, unread: list[Unread]) -> list[Use] | None:
    """The uses in a file; None where nothing of it could be read."""
    name = path.as_posix()
    try:
        cells = list(_cells(path))
    except (OSError, ValueError, RecursionError) as error:  # also what is no JSON, no UTF-8, or too large
        unread.append(Unread(name, _reason(error)))
        return None
    reader = Reader(name)
    parsed = 0
    for cell in cells:
        where = f"{name}:cell {cell.number}" if cell.number else name
        try:
            reader.read(_parse(cell.code), _lines(cell.code), cell.number)
            parsed += 1
        except SyntaxError as error:
            unread.append(Unread(f"{where}:{error.lineno or 1}", f"no Python {_python()}: {error.msg}"))
        except (ValueError, RecursionError, MemoryError) as error:
            unread.append(Unread(where, _reason(error)))
    try:
        reader.finish()
    except RecursionError as error:
        unread.append(Unread(name, _reason(error)))
    return reader.uses if parsed or not cells else None


def _parse(code: str | bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes in the user's strings
        return ast.parse(code)


def _lines(code: str | bytes) -> list[str]:
    """The lines as the parser counts them: form feeds end none."""
    text = code if isinstance(code, str) else code.decode(errors="replace")
    return re.split(r"\r\n|\r|\n", text)


def _cells(path: Path) -> Iterator[_Cell]:
    notebook = path.suffix == ".ipynb"
    limit = MAX_NOTEBOOK_BYTES if notebook else MAX_BYTES
    if path.stat().st_size > limit:
        raise ValueError(f"larger than {limit // 1_000_000} MB")
    content = path.read_bytes()
    if not notebook:
        yield _Cell(content)  # as bytes: Python itself reads the coding line
        return
    for number, cell in enumerate(_cells_of_notebook(json.loads(content)), 1):
        if cell.get("cell_type") == "code" and (code := _python_of(_source(cell))):
            yield _Cell(code, number)


def _cells_of_notebook(document: Any) -> Iterator[dict[str, Any]]:
    """The cells, of the present format and of the older one with worksheets."""
    if not isinstance(document, dict):
        raise ValueError("no notebook: not a JSON object")
    sheets = document.get("worksheets", [])
    for holder in (document, *(sheets if isinstance(sheets, list) else [])):
        cells = holder.get("cells", []) if isinstance(holder, dict) else []
        yield from (cell for cell in cells if isinstance(cell, dict)) if isinstance(cells, list) else ()


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _python_of(source: str) -> str:
    """The Python in a cell, its lines kept in place: magics, shell commands and questions do nothing."""
    if _is_python(source):
        return source
    lines = source.split("\n")
    first = lines[0].lstrip()
    if first.startswith("%%"):
        if re.match(r"%%(\w*)", first)[1] not in _PYTHON_MAGICS:  # type: ignore[index]
            return ""
        lines[0] = ""
    lines = [_MAGIC_VALUE.sub(r"\1None", _MAGIC_LINE.sub(r"\1pass", line)) for line in lines]
    return "\n".join(lines) if any(line.strip() for line in lines) else ""


def _is_python(source: str) -> bool:
    try:
        _parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _python() -> str:
    import sys

    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError | MemoryError):
        return "nested too deeply"
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    return " ".join(str(error).split()) or type(error).__name__
