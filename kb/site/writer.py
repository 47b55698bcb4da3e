"""Pages to disk: only what differs is written, only what kb wrote is removed, and a second time nothing happens."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kb.records.atomic import write_if_changed

#: List of the files that kb wrote here. The engine skips names with a leading dot.
MANIFEST = ".manifest.json"


class NotOurs(Exception):
    """A file is in the way that kb did not write."""


@dataclass(frozen=True)
class Written:
    """What became of the files."""

    written: int
    unchanged: int
    removed: int

    @property
    def summary(self) -> str:
        return f"{self.written} written, {self.unchanged} unchanged, {self.removed} removed"


def write_tree(folder: Path, files: Mapping[str, bytes]) -> Written:
    """Make the files that kb wrote into `folder` exactly these.

    The manifest is brought up before the files and cut down after them, so that a run that is killed in between is
    completed by the next one and never leaves a file that nobody knows.

    Raises:
        NotOurs: a path is taken by a file with other content that is not in the manifest. Nothing is written.
        ValueError: a path would lie outside `folder`, or is the manifest's.
    """
    for path in files:
        _check(path)
    known = _manifest(folder)
    _refuse_strangers(folder, files, known)
    folder.mkdir(parents=True, exist_ok=True)
    _note(folder, known | set(files))
    written = sum(_write(folder / path, content) for path, content in files.items())
    removed = sum(_remove(folder, path) for path in sorted(known - set(files)))
    _note(folder, files)
    return Written(written, len(files) - written, removed)


def _check(path: str) -> None:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts or path == MANIFEST:
        raise ValueError(f"{path!r} is no path below the generated folder")


def _manifest(folder: Path) -> set[str]:
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return set()
    except ValueError as error:
        raise NotOurs(
            f"{folder / MANIFEST} is damaged ({error}); delete the folder {folder}, kb makes it anew"
        ) from None
    return {path for path in listed if isinstance(path, str)}


def _note(folder: Path, paths: Iterable[str]) -> None:
    write_if_changed(folder / MANIFEST, (json.dumps(sorted(paths), indent=0) + "\n").encode())


def _refuse_strangers(folder: Path, files: Mapping[str, bytes], known: set[str]) -> None:
    for path, content in files.items():
        target = folder / path
        if path not in known and target.exists() and (not target.is_file() or target.read_bytes() != content):
            raise NotOurs(f"{target} is in the way and was not written by kb; move it elsewhere")


def _write(target: Path, content: bytes) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    return write_if_changed(target, content)


def _remove(folder: Path, path: str) -> bool:
    """Delete a file of ours, and the folders that it leaves empty."""
    _check(path)
    target = folder / path
    try:
        target.unlink()
    except FileNotFoundError:
        return False
    for parent in target.parents:
        if parent == folder or any(parent.iterdir()):
            break
        parent.rmdir()
    return True
