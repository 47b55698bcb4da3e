"""The page is given patterns that mean in JavaScript what they mean here."""

import re

import pytest

from kb.problems import normal
from kb.problems.portable import portable
from kb.problems.signature import KINDS

EVERY = [
    *(pattern for pattern, _ in normal.RULES),
    *normal.PREFIXES,
    *KINDS.values(),
    *(
        normal.CODES,
        normal.SUFFIX,
        normal.PYTEST,
        normal.HEADER,
        normal.ENDS,
        normal.EXCEPTION,
        normal.NATIVE,
        normal.FRAME,
    ),
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"a\s+b", r"a[ \t\n\r\f\v]+b"),
        (r"[^\s'\u0022]\S", r"[^ \t\n\r\f\v'\u0022][^ \t\n\r\f\v]"),
        (r"\\s\[[\]\s]\s", r"\\s\[[\] \t\n\r\f\v][ \t\n\r\f\v]"),
        (r"\d\b.", r"\d\b."),
    ],
)
def test_white_space_is_spelt_out(pattern: str, expected: str) -> None:
    assert portable(pattern) == expected


@pytest.mark.parametrize("pattern", EVERY)
def test_every_pattern_is_in_the_language_of_both(pattern: str) -> None:
    """No named group, inline flag, possessive or atomic part, and no escape that JavaScript refuses under `u`."""
    assert not re.search(r"(?<!\\)\(\?(?![:=!]|<[=!])|[*+?}]\+|\\[AZaegijkloqyzGKQEXR_'\"@#%&,;:~`<>= ]", pattern)
    text = "a b\tc\nTraceback (most recent call last)\u3000x 'y' /a/b [2, 3] 0x1f"
    assert re.findall(portable(pattern), text, re.ASCII) == re.findall(pattern, text, re.ASCII)
