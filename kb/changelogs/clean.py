"""What text from outside must lose before any reader sees it, and how much of it is read at all."""

import re
from dataclasses import dataclass

#: Characters of a text that are read. The longest changelog that was found has 1.4 million.
MAX_TEXT = 4_000_000

#: Lines of a text that are read: the unit that the time of reading grows with. The most that were found are 33,000.
MAX_LINES = 40_000

#: Characters of a line that are read. The longest line that was found, a paragraph of Chinese notes, has 25,540.
MAX_LINE = 50_000

#: Controls and lone surrogates, characters without width, and those that turn the direction of writing; what stays is
#: seen as it is written.
UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    r"\ufff9-\ufffb]"
)
_LINE_END = re.compile("\r\n?")
_ODD_SPACE = re.compile("[\x0b\x0c\x85\u2028\u2029]")  # some readers begin a line at these, and would count another way


@dataclass(frozen=True)
class Cleaned:
    """A text that can be read, and what it lost to the bounds."""

    text: str
    trouble: str = ""


def clean(text: str) -> Cleaned:
    """One kind of line end, nothing unseen, no line and no text beyond the bounds. Lines keep their numbers."""
    troubles = []
    if len(text) > MAX_TEXT:
        troubles.append(f"{len(text):,} characters, of which the first {MAX_TEXT:,} were read")
        text = text[:MAX_TEXT]
    text = UNSEEN.sub("", _ODD_SPACE.sub(" ", _LINE_END.sub("\n", text)))
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        troubles.append(f"{len(lines):,} lines, of which the first {MAX_LINES:,} were read")
        lines = lines[:MAX_LINES]
    long = sum(len(line) > MAX_LINE for line in lines)
    if long:
        troubles.append(f"{long:,} lines of which the first {MAX_LINE:,} characters were read")
    return Cleaned("\n".join(line[:MAX_LINE] for line in lines), "; ".join(troubles))
