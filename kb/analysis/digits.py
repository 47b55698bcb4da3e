"""Print only the digits that an interval defends: a fourth decimal that the next run changes is noise, not a figure."""

import math
from dataclasses import dataclass

#: Most significant digits ever printed. The clock would give more; no machine here repeats to one part in 10,000.
MAX_DIGITS = 4

#: Significant digits where there is no interval (one replicate): enough to tell sizes apart, too few to pretend.
DIGITS_WITHOUT_INTERVAL = 2

#: Below this a number is written with an exponent; 0.0000012 is counted in zeros, not read.
SMALLEST_PLAIN = 1e-4


@dataclass(frozen=True)
class Defended:
    """A value and its bounds as text, all rounded to the same decimal place."""

    value: str
    low: str | None
    high: str | None

    @property
    def bounds(self) -> str:
        """``2.28 to 2.34``, or empty where there is no interval."""
        return "" if self.low is None or self.high is None else f"{self.low} to {self.high}"


def defend(value: float, low: float | None = None, high: float | None = None) -> Defended:
    """Text of a value whose interval is [low, high]; the last digit printed is the first uncertain one.

    The place is that of the leading digit of the larger half-width, as for a standard uncertainty (GUM 7.2.6, with one
    digit kept); never more than `MAX_DIGITS` significant digits, never fewer than one.

    Raises:
        ValueError: the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be printed as a figure")
    place = _place(value, low, high)
    bounds = (None, None) if low is None or high is None else (_text(low, place, value), _text(high, place, value))
    return Defended(_text(value, place, value), *bounds)


def defended(value: float, low: float | None = None, high: float | None = None) -> str:
    """`defend(...).value`: the value alone."""
    return defend(value, low, high).value


def _place(value: float, low: float | None, high: float | None) -> int:
    """Power of ten of the last digit to print."""
    leading = _leading(value)
    if low is None or high is None:
        return leading - DIGITS_WITHOUT_INTERVAL + 1
    half_width = max(high - value, value - low)
    finest = leading - MAX_DIGITS + 1
    if half_width <= 0:
        return finest
    return min(max(_leading(half_width), finest), leading)


def _leading(value: float) -> int:
    """Power of ten of the first digit; 0 for zero."""
    return math.floor(math.log10(abs(value))) if value else 0


def _text(value: float, place: int, scale: float) -> str:
    """`value` rounded to 10**place; with an exponent where `scale`, the figure it belongs to, is very small."""
    if value and scale and abs(scale) < SMALLEST_PLAIN:
        return f"{value:.{max(0, _leading(value) - place)}e}"
    rounded = round(value, -place)
    return f"{rounded:,.{max(0, -place)}f}"
