"""Writing whole files and folders so that no reader and no crash ever meets half of one."""

import os
import secrets
from pathlib import Path

#: Beginning of the names of files and folders that are still being written. Readers skip names with a leading dot.
UNFINISHED = ".unfinished-"


def temporary_name(path: Path) -> Path:
    """An unused name beside `path`, so that moving it there is one step of the file system."""
    return path.with_name(f"{UNFINISHED}{path.name}-{secrets.token_hex(4)}")


def write_whole(path: Path, content: bytes) -> None:
    """Create or replace the file in one step, and return when it is on disk."""
    temporary = temporary_name(path)
    try:
        write_new(temporary, content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that does not exist yet, and return when its content is on disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_if_changed(path: Path, content: bytes) -> bool:
    """Write the file unless it has this content already; whether it was written."""
    try:
        if path.read_bytes() == content:
            return False
    except FileNotFoundError:
        pass
    write_whole(path, content)
    return True


def sync_folder(folder: Path) -> None:
    """Return when the folder's list of names is on disk: a new or moved file is only then certain to be found."""
    if os.name == "nt":
        return  # Windows cannot open a folder, and needs no such call
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
