"""Which links in somebody else's text may be shown: none that a browser would run, or resolve to our own site."""

from urllib.parse import urlsplit

SCHEMES = ("http", "https", "mailto")
#: Longer ones are trackers or attacks; browsers and servers begin to refuse them here.
MAX_URL = 2_000


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
