"""What counts as one word of a note or query: words, the parts of identifiers, pairs of Chinese characters.

The page of the site cuts queries in the same way; it is given these patterns (see kb.problems.normal for what they may
be made of).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

#: Letters and digits of scripts with spaces between words; CJK and Hangul, which have none or do not need them.
LETTERS = r"0-9A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0370-\u1fff"
CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"

#: One word as it is written, with what joins its parts: `torch.onnx.export`, `aten::linalg_svd`, `--inputs-as-nchw`.
WORD = rf"[{LETTERS}_]+(?:(?:\.|::|-|/|\+)[{LETTERS}_]+)*|[{CJK}]+"

#: Where a word that is joined comes apart; then its pieces at underscores, and at the humps of CamelCase.
JOINTS = r"\.|::|-|/|\+"
HUMPS = r"_+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"

#: A version, which is not taken apart: the 13 of 2.13.0 says nothing by itself.
VERSION = r"^v?[0-9]+(?:\.[0-9]+)+(?:[.+\-]?[0-9A-Za-z]+)*$"

#: Longest token: longer ones are data, not words.
MAX_TOKEN = 60

#: English words that stand in every note. A small set: `not`, `no` and `only` can be what a problem is about.
STOP = frozenset(re.findall(r"[a-z]+", """
    a an and are as at be been by can do does for from has have how i if in into is it its my of on or our so that the
    their then there this to was we what when where which why will with you your
"""))  # fmt: skip


@dataclass(frozen=True)
class Word:
    """One word of a text."""

    written: str  #: as it is written
    tokens: tuple[str, ...]  #: the whole first, then its pieces
    parts: tuple[str, ...]  #: those of its tokens that have no parts themselves


def words(text: str) -> Iterator[Word]:
    """The words of the text in their order, without those that stand in every note.

    A run of CJK is one word, and its parts are its pairs of neighbouring characters, or the one character that it has.
    """
    for match in _pattern(WORD).finditer(unicodedata.normalize("NFKC", text)):
        word = _word(match[0])
        if word.tokens:
            yield word


@lru_cache(maxsize=50_000)  # words come again: an index of many notes is made four times as fast
def _word(written: str) -> Word:
    smallest = _kept(_parts(written))
    tokens = _kept((*_wholes(written), *smallest))
    return Word(written, tokens, smallest or tokens)


def _wholes(word: str) -> tuple[str, ...]:
    """The word as a whole, and what lies between its joints."""
    if is_cjk(word):
        return ()
    pieces = () if _pattern(VERSION).search(word) else tuple(_pattern(JOINTS).split(word))
    return (_stem(word.lower()), *(_stem(piece.lower()) for piece in pieces))


def _parts(word: str) -> tuple[str, ...]:
    """The smallest parts of a word."""
    if is_cjk(word):
        return tuple(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    if _pattern(VERSION).search(word):
        return (_stem(word.lower()),)
    return tuple(_stem(part.lower()) for piece in _pattern(JOINTS).split(word) for part in _pattern(HUMPS).split(piece))


def _kept(tokens: Iterable[str]) -> tuple[str, ...]:
    """Each once, without what says nothing."""
    kept = (token for token in tokens if token.strip("_") and token not in STOP and len(token) <= MAX_TOKEN)
    return tuple(dict.fromkeys(kept))


def _stem(word: str) -> str:
    """Without the ending of a plural (after Harman 1991, "How effective is suffixing?", the S-stemmer)."""
    if len(word) < 4 or not word.isascii() or not word.isalpha() or word[-1] != "s":
        return word
    if word.endswith("ies") and word[-4] not in "ae":
        return f"{word[:-3]}y"
    if word.endswith(("shes", "ches", "xes", "sses")):
        return word[:-2]
    return word if word.endswith(("us", "ss")) else word[:-1]


def is_cjk(word: str) -> bool:
    """Whether a word or token is of a script that has no spaces between words."""
    return _pattern(rf"[{CJK}]").match(word) is not None


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
