"""What is written into a cell comes back out of it."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.records.cells import (
    MAX_INTEGER,
    MAX_TEXT,
    SIGNIFICANT_DIGITS,
    BadCell,
    from_text,
    normal,
    one_line,
    shortened,
    to_text,
)
from kb.records.schema import Column

TEXT = Column("reason", "string", "", free_text=True)
NAME = Column("model", "string", "")
COUNT = Column("calls", "integer", "")
FIGURE = Column("load_s", "number", "")

any_text = st.text(alphabet=st.characters(), max_size=200)  # lone surrogates too


class TestText:
    @given(any_text)
    def test_comes_back_as_it_was_kept(self, text: str) -> None:
        kept = normal(TEXT, text)
        [read] = next(csv.reader([to_text(kept)], strict=True)) or [""]
        assert from_text(TEXT, read) == kept

    @given(any_text)
    def test_is_kept_in_one_line_that_any_program_can_read(self, text: str) -> None:
        kept = one_line(text)
        kept.encode("utf-8")
        assert kept.splitlines() in ([kept], [])
        assert one_line(kept) == kept

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("一行，两行", "一行，两行"),
            ("first\nsecond", r"first\nsecond"),
            ("first\r\nsecond\rthird", r"first\nsecond\nthird"),
            ("tab\there", r"tab\there"),
            ("nul\0", r"nul\x00"),
            ("\x1b[31mred", r"\x1b[31mred"),
            ("half a character \ud83d", r"half a character \ud83d"),
            ("line\u2028separator", r"line\u2028separator"),
            (' "quoted", with spaces ', ' "quoted", with spaces '),
            ("NA", "NA"),
        ],
    )
    def test_is_kept_readable(self, text: str, kept: str) -> None:
        assert normal(TEXT, text) == kept

    def test_empty_is_no_value(self) -> None:
        assert normal(TEXT, "") is None

    def test_overlong_free_text_keeps_its_beginning_and_its_end(self) -> None:
        text = "Traceback: " + "frame " * 10_000 + "ValueError: the reason"
        kept = shortened(text)
        assert len(kept) == MAX_TEXT
        assert kept.startswith("Traceback: frame")
        assert kept.endswith("ValueError: the reason")
        assert "characters left out" in kept
        assert normal(TEXT, kept) == kept

    def test_overlong_name_is_refused(self) -> None:
        with pytest.raises(BadCell, match=f"at most {MAX_TEXT} characters"):
            normal(NAME, "m" * (MAX_TEXT + 1))

    @pytest.mark.parametrize("value", [5, 2.5, True, b"bytes", ["list"]])
    def test_is_text_only(self, value: object) -> None:
        with pytest.raises(BadCell, match="text"):
            normal(TEXT, value)


class TestNumber:
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_keeps_its_significant_digits(self, value: float) -> None:
        kept = normal(FIGURE, value)
        assert isinstance(kept, float)
        smallest_normal = 2.3e-308
        assert math.isclose(kept, value, rel_tol=0.5 * 10 ** (1 - SIGNIFICANT_DIGITS), abs_tol=smallest_normal)

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_comes_back_as_it_was_kept(self, value: float) -> None:
        kept = normal(FIGURE, value)
        assert from_text(FIGURE, to_text(kept)) == kept
        assert normal(FIGURE, kept) == kept

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, np.float32("nan")])
    def test_is_finite(self, value: object) -> None:
        with pytest.raises(BadCell, match="finite"):
            normal(FIGURE, value)

    @pytest.mark.parametrize("value", ["1.5", True, 1j])
    def test_is_a_number_only(self, value: object) -> None:
        with pytest.raises(BadCell, match="number"):
            normal(FIGURE, value)

    @pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.int64(1), 1])
    def test_may_come_from_numpy(self, value: object) -> None:
        assert type(normal(FIGURE, value)) is float

    @pytest.mark.parametrize("text", ["nan", "inf", "1e999", "1,5", "1.5 ", "0x10", "--1", "eins"])
    def test_is_read_strictly(self, text: str) -> None:
        with pytest.raises(BadCell, match="number"):
            from_text(FIGURE, text)


class TestInteger:
    @given(st.integers(-MAX_INTEGER, MAX_INTEGER))
    def test_comes_back(self, value: int) -> None:
        assert from_text(COUNT, to_text(normal(COUNT, value))) == value

    @pytest.mark.parametrize("value", [1.0, True, "1", MAX_INTEGER + 1])
    def test_is_an_integer_of_64_bits_only(self, value: object) -> None:
        with pytest.raises(BadCell, match="integer"):
            normal(COUNT, value)

    def test_may_come_from_numpy(self) -> None:
        assert type(normal(COUNT, np.int32(7))) is int

    @pytest.mark.parametrize("text", ["1.0", "1e3", "0x1f", " 1", "9" * 19, "9" * 30])
    def test_is_read_strictly(self, text: str) -> None:
        with pytest.raises(BadCell, match="integer"):
            from_text(COUNT, text)


class TestRange:
    def test_required_is_never_empty(self) -> None:
        column = Column("model", "string", "", required=True)
        for empty in (None, ""):
            with pytest.raises(BadCell, match="never empty"):
                normal(column, empty)
        with pytest.raises(BadCell, match="never empty"):
            from_text(column, "")

    def test_closed_set(self) -> None:
        column = Column("quality", "string", "", values=("good", "noisy"))
        assert normal(column, "noisy") == "noisy"
        with pytest.raises(BadCell, match="one of good, noisy"):
            normal(column, "fine")

    def test_minimum(self) -> None:
        column = Column("batch", "integer", "", minimum=1)
        assert normal(column, 1) == 1
        with pytest.raises(BadCell, match="at least 1"):
            normal(column, 0)

    def test_positive(self) -> None:
        column = Column("latency_p50_ms", "number", "", positive=True)
        assert normal(column, 1e-9) == 1e-9
        with pytest.raises(BadCell, match="more than 0"):
            normal(column, 0.0)
