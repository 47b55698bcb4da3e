"""A fingerprint changes with what a figure depends on, and with nothing else."""

import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from kb.records import fingerprints, schema
from kb.records.fingerprints import DIGITS, file_hash, source_hash, weights_hash

SOURCE = '''
"""What the module is for."""

def mean(values):
    """The arithmetic mean."""
    total = 0.0
    for value in values:
        total += value
        count = len(values)
    return total / count
'''


def hash_of(folder: Path, source: str, name: str = "module.py") -> str:
    path = folder / name
    path.write_text(source)
    return source_hash(path)


class TestSource:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("total = 0.0", "total = 0.0  # the sum so far"),
            ("total = 0.0", "total = (0.0)"),
            ("total = 0.0", "\n\n    total=0.0"),
            ('"""The arithmetic mean."""\n    ', ""),
            ('"""The arithmetic mean."""', '"""Their sum, divided by their number."""'),
            ('"""What the module is for."""', ""),
            ("    ", "  "),
        ],
    )
    def test_comments_formatting_and_docstrings_do_not_matter(self, tmp_path: Path, old: str, new: str) -> None:
        assert old in SOURCE
        assert hash_of(tmp_path, SOURCE.replace(old, new)) == hash_of(tmp_path, SOURCE)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("        count = len(values)\n", "    count = len(values)\n"),  # out of the loop
            ("total += value", "total -= value"),
            ("total = 0.0", "total = 0"),
            ("total = 0.0", "total = '0.0'"),
            ("total = 0.0", "total = -0.0"),
            ("total = 0.0", "total = 0.0; 'a string that is no docstring'"),
            ("(values)", "(numbers)"),
            ("(values):", "(values, /):"),
            ("(values):", "(*values):"),
            ("def mean", "async def mean"),
        ],
    )
    def test_everything_else_does(self, tmp_path: Path, old: str, new: str) -> None:
        assert old in SOURCE
        assert hash_of(tmp_path, SOURCE.replace(old, new)) != hash_of(tmp_path, SOURCE)

    def test_class_that_is_only_a_docstring(self, tmp_path: Path) -> None:
        assert hash_of(tmp_path, 'class Error(Exception):\n    """Why."""') == hash_of(
            tmp_path, "class Error(Exception):\n    pass"
        )

    def test_is_the_same_under_every_version_of_python(self, tmp_path: Path) -> None:
        # Computed once and written down: a new Python must not start new series.
        assert hash_of(tmp_path, SOURCE) == "4f416969c182"

    def test_of_several_neither_order_nor_place_matters(self, tmp_path: Path) -> None:
        first, second = tmp_path / "first.py", tmp_path / "second.py"
        first.write_text("a = 1")
        second.write_text("b = 2")
        both = source_hash(first, second)
        assert both == source_hash(second, first)
        assert both not in (source_hash(first), source_hash(second))
        moved = first.rename(tmp_path / "renamed.py")
        assert source_hash(second, moved) == both

    def test_of_modules(self) -> None:
        assert source_hash(schema) == source_hash(Path(str(schema.__file__)))
        assert source_hash(schema) != source_hash(fingerprints)
        assert len(source_hash(schema)) == DIGITS

    def test_errors_are_told(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            source_hash(tmp_path / "none.py")
        with pytest.raises(SyntaxError):
            hash_of(tmp_path, "def")
        with pytest.raises((OSError, TypeError)):
            source_hash(sys)


class TestFile:
    def test_is_of_the_content_only(self, tmp_path: Path) -> None:
        one, other = tmp_path / "one.onnx", tmp_path / "other.onnx"
        one.write_bytes(b"weights")
        other.write_bytes(b"weights")
        assert file_hash(one) == file_hash(other)
        other.write_bytes(b"Weights")
        assert file_hash(one) != file_hash(other)
        assert len(file_hash(one)) == DIGITS

    def test_of_a_folder_is_of_names_and_contents(self, tmp_path: Path) -> None:
        def folder(name: str, files: dict[str, bytes]) -> str:
            for path, content in files.items():
                (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name / path).write_bytes(content)
            return file_hash(tmp_path / name)

        original = folder("a", {"saved_model.pb": b"graph", "variables/data": b"weights"})
        assert folder("b", {"variables/data": b"weights", "saved_model.pb": b"graph"}) == original
        assert folder("c", {"saved_model.pb": b"graph", "variables/data": b"other"}) != original
        assert folder("d", {"saved_model.pb": b"graph", "data": b"weights"}) != original
        assert folder("e", {"saved_model.pb": b"graph"}) != original

    def test_of_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            file_hash(tmp_path / "none.onnx")


class TestWeights:
    WEIGHTS: ClassVar = {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.zeros(3, np.float32)}

    def test_order_and_memory_layout_do_not_matter(self) -> None:
        original = weights_hash(self.WEIGHTS)
        assert weights_hash(dict(reversed(self.WEIGHTS.items()))) == original
        assert weights_hash({name: np.asfortranarray(array) for name, array in self.WEIGHTS.items()}) == original
        assert weights_hash({name: array.astype(">f4") for name, array in self.WEIGHTS.items()}) == original
        assert len(original) == DIGITS

    @pytest.mark.parametrize(
        "change",
        [
            {"bias": np.full(3, 1e-45, np.float32)},
            {"bias": np.full(3, -0.0, np.float32)},
            {"bias": np.zeros((3, 1), np.float32)},
            {"bias": np.zeros(3, np.int32)},
            {"bias": np.zeros(4, np.float32)},
            {"other": np.zeros(3, np.float32)},
            {"kernel": np.arange(6, dtype=np.float32).reshape(3, 2)},
        ],
    )
    def test_names_shapes_types_and_values_do(self, change: dict[str, Any]) -> None:
        assert weights_hash({**self.WEIGHTS, **change}) != weights_hash(self.WEIGHTS)

    def test_names_are_not_mixed_up(self) -> None:
        one, two = np.zeros(1), np.ones(1)
        assert weights_hash({"a": one, "b": two}) != weights_hash({"a": two, "b": one})

    @pytest.mark.parametrize(
        "array", [np.float32(1.5), np.zeros((0, 3)), np.ones(2, bool), np.ones(2, np.float16), np.ones(2, complex)]
    )
    def test_of_any_shape_and_type(self, array: Any) -> None:
        assert weights_hash({"x": np.asarray(array)}) != weights_hash({})

    def test_of_types_numpy_does_not_know(self) -> None:
        bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
        assert weights_hash({"x": np.ones(2, bfloat16)}) != weights_hash({"x": np.ones(2, np.float16)})

    def test_python_objects_have_no_bytes(self) -> None:
        with pytest.raises(TypeError, match="'x' holds Python objects"):
            weights_hash({"x": np.array([object()])})
