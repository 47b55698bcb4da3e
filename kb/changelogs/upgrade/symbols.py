"""The names of APIs as changelogs write them: ``tf.Tensor``, ``~jax.Foo``, ``torch.load(mode=...)``, ``.vma``."""

import builtins
import keyword
import re
from dataclasses import dataclass

from kb.changelogs.upgrade.naming import Parts

#: Longest text that is taken for a name.
MAX_SYMBOL = 200

_NAME = re.compile(
    r"[~@!]*(?P<dot>\.?)(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?P<below>\.\*)?"
    r"(?:\((?P<inside>(?:[^()]|\([^()]*\))*)\))?[:,]?"
)
_ARGUMENT = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*=(?!=)")
_NO_NAMES = frozenset(keyword.kwlist) | frozenset(dir(builtins))


@dataclass(frozen=True)
class Named:
    """A name that an entry mentions."""

    written: str
    parts: Parts
    arguments: tuple[str, ...] = ()
    member: bool = False  #: written with a leading dot: an attribute of something
    example: bool = False  #: written as a call with arguments: it may only show how something else is done


def parse(text: str) -> Named | None:
    """The name in a code span; None where there is none of Python's: an expression, C++, a word of Python."""
    written = text.strip()
    if len(written) > MAX_SYMBOL:
        return None
    found = _NAME.fullmatch(written)
    if not found:
        argument = _ARGUMENT.match(written)  # weights_only=True
        return Named(written, (argument[1],)) if argument else None
    parts = tuple(found["name"].split("."))
    if len(parts) == 1 and parts[0] in _NO_NAMES:
        return None
    arguments = tuple(dict.fromkeys(_ARGUMENT.findall(found["inside"] or "")))
    return Named(written, parts, arguments, member=bool(found["dot"]), example=bool(found["inside"]))


def is_class(name: str) -> bool:
    return name[:1].isupper()


def is_distinctive(name: str) -> bool:
    """Whether a single word can mean one thing only: ``set_string_function`` does, ``Tensor`` and ``device`` do not.

    It is made of several words, by underscores or by capitals.
    """
    words = [word for word in name.split("_") if word]
    humps = re.findall(r"[A-Z]+[a-z0-9]+", name)
    return len(name) >= 6 and (len(words) > 1 or len(humps) > 1)
