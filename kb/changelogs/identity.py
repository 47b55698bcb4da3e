"""What makes two entries the same one although their layout changed: the hash of the bare text."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kb.changelogs.entry import Entry

#: Hexadecimal digits of an identity: 48 bits, for some thousands of entries at most in a (package, version, category).
DIGITS = 12

#: What a re-flow, another list marker or a code span set later changes: white space (also the one that a line break
#: puts between two Chinese characters), characters without width, and the marks of emphasis and code.
_LAYOUT = re.compile(r"[\s`*\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_LIST_MARKER = re.compile(r"^[-+•·]")


def identity(text: str) -> str:
    """Hash of a text without its layout. Case and punctuation count: `Foo` and `foo` are two names."""
    bare = _LIST_MARKER.sub("", _LAYOUT.sub("", unicodedata.normalize("NFC", text)))
    return sha256(bare.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def identified(entries: "Iterable[Entry]") -> "Iterator[tuple[str, Entry]]":
    """The entries of one version, each with an id that no other of its category has.

    The second of several with the same text gets the suffix `-2`, the third `-3`.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        name = entry.id
        seen[entry.category, name] += 1
        count = seen[entry.category, name]
        yield (name if count == 1 else f"{name}-{count}"), entry
