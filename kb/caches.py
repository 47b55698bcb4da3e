"""Where the system keeps what can be made again, and kb's share of it."""

import os
import sys
from pathlib import Path


def cache_folder(*parts: str) -> Path:
    """kb's folder for one kind of thing, e.g. ``cache_folder("runs", run)``. It may be deleted at any time.

    `XDG_CACHE_HOME` says where; without it, it is where the system wants it.
    """
    return _base() / "kb" / Path(*parts)


def _base() -> Path:
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        return Path(chosen)
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path.home() / ".cache"
