"""Where the links of a changelog may lead: the web, mail, a file of the project at the version's tag; else nowhere."""

import posixpath
import re
from dataclasses import replace
from urllib.parse import quote, unquote

from kb.changelogs.entry import Inline, Span
from kb.outside_text import safe_url

_BARE = re.compile(
    r"https?://[^\s<>\"'`|，。；：、（）()\[\]{}]+(?:\([^\s<>()]{1,80}\))?[^\s<>\"'`|，。；：、（）()\[\]{}]*"
)
_TRAILING = ".,;:!?*_~"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_QUOTED = re.compile(r"[A-Za-z0-9/%:=&?~#+!$,;@()*._-]*")
_SAFE = "/%:=&?~#+!$,;'@()*[]-._"


def allowed(url: str) -> str:
    """The address where it may be shown, empty otherwise."""
    url = url.strip()
    if not safe_url(url):
        return ""
    return url if _QUOTED.fullmatch(url) else quote(url, safe=_SAFE)


def resolved(url: str, base: str, folder: str = "") -> str:
    """An address that may be shown, or empty.

    Args:
        base: address of the repository's files at the version's tag, without a slash at the end; empty where unknown.
        folder: of the changelog inside the repository.
    """
    if not url or url.startswith(("#", "//", "\\")) or _CONTROL.search(url):
        return ""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url):
        return allowed(url)
    path, mark, fragment = url.partition("#")
    # Any number of encodings would hide a step upwards from `normpath`, and a host undoes one.
    whole = unquote(path)
    if not base or not whole or "\\" in whole or "%" in whole:
        return ""
    joined = posixpath.normpath(whole.lstrip("/") if whole.startswith("/") else posixpath.join(folder, whole))
    if joined.startswith("..") or joined == ".":
        return ""
    return allowed(f"{base}/{quote(joined)}{mark}{quote(fragment, safe=_SAFE)}")


def with_links(text: Inline, base: str, folder: str = "") -> Inline:
    """The same words, each link where it may lead, and addresses that stand in the words as links."""
    found: list[Span] = []
    for span in text:
        if span.url:
            url = resolved(span.url, base, folder)
            found.append(span if url == span.url else replace(span, url=url))
        elif not span.code and "://" in span.text:
            found += _linked(span)
        else:
            found.append(span)
    return tuple(found)


def _linked(span: Span) -> list[Span]:
    parts: list[Span] = []
    position = 0
    for bare in _BARE.finditer(span.text):
        url = bare.group().rstrip(_TRAILING)
        if not allowed(url):
            continue
        parts.append(replace(span, text=span.text[position : bare.start()]))
        parts.append(replace(span, text=url, url=allowed(url)))
        position = bare.start() + len(url)
    parts.append(replace(span, text=span.text[position:]))
    return [part for part in parts if part.text]
