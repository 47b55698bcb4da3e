"""What stands where an entry could be and is none: a template's placeholder, or the word that there is nothing."""

import re

MAX_FILLING = 300  # characters; what is longer was written by somebody who had something to say

_PLACEHOLDER = re.compile(r"(?:[*_\s-]*<(?!https?://)[^<>]{2,}>[,.;:\s]*)+")
_NOTHING = re.compile(
    r"(?:n/?a|none|nothing|tbd|tba|todo|wip|empty|[-.…—]+|"
    r"no(?:ne)?(?: (?:\w+|&)){0,4} (?:changes?|features?|improvements?|fixes|issues|caveats|deprecations?|updates)"
    r"(?: (?:or|and|in|to|for|this|the|release|version|yet|\w+)){0,6}|无|暂无|没有)[.。!]?",
    re.IGNORECASE,
)


def is_placeholder(words: str) -> bool:
    """`<INSERT HERE>`: nobody has filled this in yet."""
    return len(words) <= MAX_FILLING and bool(_PLACEHOLDER.fullmatch(words))


def says_nothing(words: str) -> bool:
    """`N/A`, `No breaking changes.`: somebody has, with nothing."""
    return not words.strip() or (len(words) <= MAX_FILLING and bool(_NOTHING.fullmatch(words.strip())))
