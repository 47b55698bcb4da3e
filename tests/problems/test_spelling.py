"""A misspelt word stands for the nearest known one, and only where it is not known itself."""

import pytest

from kb.problems.index import build
from kb.problems.spelling import corrections, distance
from tests.problems.synthetic import FAMILIES, notes


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("operator", "operator", 0),
        ("operatr", "operator", 1),
        ("oeprator", "operator", 1),
        ("operatorr", "operator", 1),
        ("opxratyr", "operator", 2),
        ("export", "import", 2),
        ("abc", "xyzabc", 3),
    ],
)
def test_slips_are_counted(one: str, other: str, expected: int) -> None:
    assert distance(one, other, 2) == expected
    assert distance(other, one, 2) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("operatr", ["operator"]),
        ("quantisaton", ["quantization"]),
        ("zebracrossing", []),
        ("tranformer", ["transformer"]),
        ("onxn", ["onnx"]),
        ("xyz", []),
        ("4711", []),
        ("量化", []),
    ],
)
def test_the_nearest_known_word(word: str, expected: list[str]) -> None:
    assert corrections(build(notes(), FAMILIES), word) == expected
