"""What somebody else's text must not do on a page or in a terminal: hide words, break the line, lead astray."""

import unicodedata
from urllib.parse import urlsplit

SCHEMES = ("http", "https", "mailto")
#: Longer ones are trackers or attacks; browsers and servers begin to refuse them here.
MAX_URL = 2_000

#: Categories of characters that do not print, or that reorder what does: control, format (direction marks), lone
#: surrogates, private use, unassigned, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text with a space for each character that does not print, so that none can hide or reorder others."""
    return "".join(" " if unicodedata.category(character) in _UNSEEN else character for character in text)


def one_line(text: str, limit: int | None = None) -> str:
    """What is visible of a text, in one line with single spaces, cut at `limit` characters."""
    line = " ".join(visible(text).split())
    return line if limit is None or len(line) <= limit else f"{line[: limit - 2].rstrip()} …"


def safe_url(url: str) -> bool:
    """Whether it is a whole http, https or mailto URL of printable characters without white space."""
    if not url.isprintable() or " " in url or len(url) > MAX_URL:
        return False  # browsers drop tabs and line breaks, so that `java\nscript:` would be a scheme after all
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return "@" in parts.path
    return parts.scheme in SCHEMES and bool(parts.netloc)
