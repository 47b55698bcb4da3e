"""Which packages a note may name without a second look."""

from kb.packages.families import FAMILIES, FAMILY_OF, normalised
from kb.problems.known_packages import NEIGHBOURS, known_packages


def test_what_kb_measures_is_known_and_neighbours_are_others() -> None:
    assert {"torch", "onnxruntime-gpu", "tf2onnx"} <= known_packages()
    assert not NEIGHBOURS & (set(FAMILIES) | set(FAMILY_OF))


def test_all_names_are_written_as_the_index_has_them() -> None:
    assert {normalised(package) for package in known_packages()} == known_packages()
