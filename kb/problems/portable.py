"""Patterns of Python (with `re.ASCII`) as JavaScript (with the flag `u`) reads them: only white space differs."""

#: White space of ASCII, which `\s` means in Python with `re.ASCII`; in JavaScript it means that of Unicode.
_SPACE = r" \t\n\r\f\v"


def portable(pattern: str) -> str:
    """The pattern with `\\s` and `\\S` spelt out."""
    made = []
    inside = False  # of square brackets
    at = 0
    while at < len(pattern):
        pair = pattern[at : at + 2]
        if pair == r"\s":
            made.append(_SPACE if inside else f"[{_SPACE}]")
        elif pair == r"\S" and not inside:
            made.append(f"[^{_SPACE}]")
        elif pair[0] == "\\":
            made.append(pair)
        else:
            inside = (inside and pair[0] != "]") or (not inside and pair[0] == "[")
            made.append(pair[0])
            at -= 1
        at += 2
    return "".join(made)
