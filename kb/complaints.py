"""How wrong settings are told to a person: one line with the key, the value and what would be right."""

import difflib
import json
import re
import reprlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

MAX_LISTED = 16  # valid names printed in one error: a line that a person still reads
CLOSE = 0.7  # likeness that makes a name a slip of the pen; at 0.6 `gpu` is answered with `xpu or tpu or npu`

Location = Sequence[str | int]

#: TOML's words for what pydantic calls by its Python name.
_COMPLAINTS = {
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "path_type": "must be a path",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "too_short": "must not be empty",
}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def nearest(name: str, valid: Iterable[str]) -> str:
    """What to write instead of an unknown name: the nearest valid ones, or all of them where none is near."""
    known = sorted(set(valid))
    close = difflib.get_close_matches(name, known, n=3, cutoff=CLOSE)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not known:
        return "none is known here"
    more = f" and {len(known) - MAX_LISTED} more" if len(known) > MAX_LISTED else ""
    return f"valid: {', '.join(known[:MAX_LISTED])}{more}"


def show(value: object) -> str:
    """A value as it can stand in one line, however long it is."""
    return reprlib.repr(value)


def key_path(table: str, location: Location) -> str:
    """TOML path of a value, e.g. ``tool.kb.profiles.quick.runtimes[2]``; keys that need quotes get them."""
    text = table
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if _BARE_KEY.fullmatch(part) else f".{json.dumps(part, ensure_ascii=False)}"
    return text


def first_error(error: "ValidationError", table: str, keys_at: Callable[[Location], Iterable[str]]) -> str:
    """The first thing wrong in `table`, in one line, and how many more there are.

    `keys_at` gives the valid keys of the table at a location.
    """
    first, *others = error.errors()
    location = first["loc"]
    where = key_path(table, location)
    if first["type"] == "extra_forbidden":
        text = f"{where} is not a key; {nearest(str(location[-1]), keys_at(location[:-1]))}"
    elif first["type"] == "missing":
        text = f"{where} is missing"
    elif not location:  # a rule over several keys, which says itself which
        text = str(first["ctx"]["error"])
    else:
        is_key = location[-1] == "[key]"  # pydantic's mark for a key, not a value, that is wrong
        what = f"the name in {key_path(table, location[:-1])}" if is_key else f"{where} = {show(first['input'])}"
        text = f"{what}: {_COMPLAINTS.get(first['type']) or _reworded(first['msg'])}"
    return f"{text} (and {len(others)} more)" if others else text


def _reworded(message: str) -> str:
    """Pydantic's message in the words of the others."""
    return re.sub(r"^Input should ", "must ", message.removeprefix("Value error, "))
