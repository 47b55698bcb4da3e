"""Reading the kernel's small text files, of which any may be missing or closed to us."""

from pathlib import Path


def text(path: Path) -> str:
    """Content without surrounding blanks; empty where the file is not there or may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
