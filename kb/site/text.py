"""Text from outside on its way into a page: cleaned, bounded, escaped, and made into safe file names."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from markupsafe import Markup

from kb.outside_text import one_line, visible

#: Longest outside text on a page; the CSV beside it has the whole. A traceback's last line fits.
MAX_SHOWN = 400

#: Longest name of a generated file without its ending; file systems allow 255 bytes.
MAX_SLUG = 80


def clean(text: str, limit: int = MAX_SHOWN) -> str:
    """One line of printable text, shortened in the middle if it is longer than `limit` characters.

    Characters that do not print become a space, so that none can hide text or break the page's markup.
    """
    line = one_line(text)
    if len(line) <= limit:
        return line
    tail = limit // 3
    return f"{line[: limit - tail - 3]} … {line[-tail:]}"


def in_markdown(text: str) -> Markup:
    """Outside text for a Markdown paragraph or heading: every mark of punctuation as a character reference.

    A reference is text to Markdown and to HTML alike, so nothing in it can begin emphasis, a link, a tag or an
    attribute list.
    """
    return referenced(clean(text))


def referenced(text: str) -> Markup:
    """A piece of outside text as `in_markdown` gives it, with the blanks at its ends and in it as they are."""
    return Markup("".join(_reference(character) for character in visible(text)))


def _reference(character: str) -> str:
    plain = character.isalnum() or character == " " or ord(character) > 0x7F
    return character if plain else f"&#{ord(character)};"


def slug(name: str) -> str:
    """A file name for any text: lower case, digits, dots, underscores and hyphens."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9_.]+", "-", folded).strip("-._")[:MAX_SLUG]
    return made or "unnamed"


def slugs(names: Iterable[str]) -> Mapping[str, str]:
    """A different file name for each name; those that would share one get a hash of the whole name."""
    unique = sorted(set(names))
    wanted = [slug(name) for name in unique]
    return {
        name: made if wanted.count(made) == 1 else f"{made}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        for name, made in zip(unique, wanted, strict=True)
    }


def when(moment: datetime) -> str:
    """A moment for a person: ``2026-11-22 03:15 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """``1 run``, ``3 runs``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
