"""What a figure depends on, as short hashes in its row: where one of them changes, a new series starts."""

import ast
import hashlib
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Digits kept of a SHA-256. Twelve make an accidental match among a million versions as unlikely as one in 500.
DIGITS = 12

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def source_hash(*sources: ModuleType | Path) -> str:
    """Hash of what the Python sources mean: comments, formatting and docstrings leave it as it is, all else changes it.

    The order of the sources, their names and where they lie do not matter. The hash is of the syntax tree written out
    by this module rather than by `ast.dump`, whose text differs between versions of Python.

    Raises:
        OSError: there is no such file, or a module has no source.
        SyntaxError: a file is not Python.
    """
    digests = {hashlib.sha256(_canonical(_path(source)).encode()).hexdigest() for source in sources}
    return _short(digests)


def _path(source: ModuleType | Path) -> Path:
    if isinstance(source, Path):
        return source
    file = inspect.getsourcefile(source)
    if file is None:
        raise OSError(f"module {source.__name__} has no source file")
    return Path(file)


def _canonical(path: Path) -> str:
    return _written_out(ast.parse(path.read_bytes(), filename=str(path)))


def _written_out(node: Any) -> str:
    """The tree as text: class and fields of each node, empty fields left out, docstrings left out."""
    if isinstance(node, ast.AST):
        fields = (f"{name}={_written_out(value)}" for name, value in ast.iter_fields(node) if value not in (None, []))
        if isinstance(node, _DOCUMENTED):
            body = f"body={_written_out(_without_docstring(node.body))}"
            fields = (body if field.startswith("body=") else field for field in fields)
        return f"{type(node).__name__}({', '.join(fields)})"
    if isinstance(node, list):
        return f"[{', '.join(map(_written_out, node))}]"
    return f"{type(node).__name__}:{node!r}"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest or [ast.Pass()]
    return body


def file_hash(path: Path) -> str:
    """Hash of a file's content; of a folder, of the relative paths and contents of all files in it.

    Raises:
        FileNotFoundError: there is neither.
    """
    if not path.is_dir():
        return _short([_content(path)])
    files = (file for file in path.rglob("*") if file.is_file())
    return _short(f"{file.relative_to(path).as_posix()}\0{_content(file)}" for file in files)


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_hash(weights: Mapping[str, NDArray[np.generic]]) -> str:
    """Hash of names, shapes, types and values of the arrays; their order and the machine's byte order do not matter.

    Raises:
        TypeError: an array holds Python objects, whose bytes are addresses.
    """
    return _short(f"{name}\0{_array(name, array)}" for name, array in weights.items())


def _array(name: str, array: NDArray[np.generic]) -> str:
    if array.dtype.hasobject:
        raise TypeError(f"array {name!r} holds Python objects, which have no bytes to hash")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    values = np.ascontiguousarray(little).reshape(-1).view(np.uint8)
    return f"{array.dtype.name}{array.shape}{hashlib.sha256(values.data).hexdigest()}"


def joined_hash(*hashes: str) -> str:
    """One hash of several, whatever their order; of one, that one."""
    return hashes[0] if len(hashes) == 1 else _short(hashes)


def _short(parts: Iterable[str]) -> str:
    """One hash of all parts, whatever their order."""
    return hashlib.sha256("\n".join(sorted(parts)).encode("utf-8", "surrogateescape")).hexdigest()[:DIGITS]
