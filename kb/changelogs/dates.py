"""Dates as headings state them, to ISO 8601."""

import re
from datetime import date

#: What may stand for a date in a heading; whether it is one, `iso` says.
PATTERN = (
    r"(?P<date>\d{4}[-/.](?:\d{1,2}|[A-Z]{2})[-/.](?:\d{1,2}(?:ish)?|[A-Z]{2})|Y{4}-MM-DD"
    r"|[A-Z][a-z]{2,8}\.? (?:\d{1,2}(?:st|nd|rd|th|ish)?,? )?\d{4}"
    r"|\d{1,2}(?:st|nd|rd|th|ish)? [A-Z][a-z]{2,8}\.?,? \d{4})"
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMERIC = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})?")
_NAMED = re.compile(r"([A-Za-z]{3})[a-z]*\.? (?:(\d{1,2})[a-z]*,? )?(\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})[a-z]* ([A-Za-z]{3})[a-z]*\.?,? (\d{4})")


def iso(written: str) -> str:
    """`2021-01-12`; `2021-01` where no day is stated; empty where the text is no date (`YYYY-MM-DD`, 31 April)."""
    if found := _NUMERIC.match(written):
        year, month, day = found.groups()
        return _date(int(year), int(month), int(day) if day else None)
    if found := _NAMED.fullmatch(written):
        name, day, year = found.groups()
    elif found := _DAY_FIRST.fullmatch(written):
        day, name, year = found.groups()
    else:
        return ""
    if name.lower() not in _MONTHS:
        return ""
    return _date(int(year), _MONTHS.index(name.lower()) + 1, int(day) if day else None)


def _date(year: int, month: int, day: int | None) -> str:
    try:
        known = date(year, month, 1 if day is None else day)
    except ValueError:
        return ""
    return f"{known:%Y-%m}" if day is None else f"{known:%Y-%m-%d}"
