"""Inputs of a file: what the file says comes first, the settings fill the gaps, and contradictions are told."""

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.signature import DEFAULT_LENGTH, TensorSpec, check_samples, completed, draw

FILE = [TensorSpec("image", (None, 3, None, None), "float32"), TensorSpec("scale", (None, 1), "float64")]


def test_settings_fill_what_the_file_leaves_open() -> None:
    image, scale = completed(FILE, [TensorSpec("image", (None, 3, 32, None), "float32")])
    assert image == TensorSpec("image", (None, 3, 32, None), "float32")
    assert scale == FILE[1]


def test_settings_say_everything_where_the_file_says_nothing() -> None:
    given = TensorSpec("x", (None, 16), "float32")
    assert completed([TensorSpec("x")], [given]) == [given]


def test_the_files_order_holds() -> None:
    settings = [TensorSpec("b", (None, 1), "int64"), TensorSpec("a", (None, 2), "int64")]
    assert [spec.name for spec in completed([TensorSpec("a"), TensorSpec("b")], settings)] == ["a", "b"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TensorSpec("imgae", (None, 3, 8, 8), "float32"), "no input 'imgae'; did you mean image"),
        (TensorSpec("image", (None, 1, 8, 8), "float32"), "[any, 3, any, any] in the file and float32 [any, 1, 8, 8]"),
        (TensorSpec("image", (None, 3, 8), "float32"), "float32 [any, 3, 8] in the settings"),
        (TensorSpec("image", (None, 3, 8, 8), "float16"), "float16 [any, 3, 8, 8] in the settings"),
    ],
)
def test_settings_that_contradict_the_file_are_refused(settings: TensorSpec, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        completed(FILE, [settings])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (TensorSpec("x", (None, 3, 8), "float32"), (5, 3, 8)),
        (TensorSpec("x", (None, None), "float32"), (5, DEFAULT_LENGTH)),
        (TensorSpec("x", (None, None, 8), "float32", usual=(2, 17, 8)), (5, 17, 8)),
        (TensorSpec("x", (5, 8), "float32"), (5, 8)),
        (TensorSpec("x", (), "float32"), ()),
    ],
)
def test_arrays_have_the_shape_of_the_signature(spec: TensorSpec, shape: tuple[int, ...]) -> None:
    assert draw(spec, 5, np.random.default_rng(0)).shape == shape


def test_a_fixed_batch_is_refused_for_another() -> None:
    with pytest.raises(ModelError, match="'x' takes batches of 1 only, not of 5"):
        draw(TensorSpec("x", (1, 8), "float32"), 5, np.random.default_rng(0))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bool", "uint8", "int8", "int32", "int64"])
def test_arrays_have_the_type_of_the_signature(dtype: str) -> None:
    array = draw(TensorSpec("x", (None, 100), dtype), 2, np.random.default_rng(0))
    assert array.dtype == dtype
    if not np.issubdtype(array.dtype, np.floating):
        assert set(np.unique(array)) == {0, 1}


@pytest.mark.parametrize("dtype", ["object", "bfloat16", "complex64"])
def test_types_that_no_number_is_made_for_are_refused(dtype: str) -> None:
    with pytest.raises(ModelError, match=f"holds {dtype}"):
        draw(TensorSpec("x", (None, 2), dtype), 2, np.random.default_rng(0))


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 3, 8, 9), np.float64), np.zeros((4, 3, 8), np.float32), np.zeros((4, 1, 8, 9), np.float32)],
    ids=["type", "axes", "length"],
)
def test_samples_that_do_not_fit_are_refused(array: np.ndarray) -> None:
    check_samples(FILE[0], np.zeros((4, 3, 8, 9), np.float32))
    with pytest.raises(ModelError, match="'image' is float32"):
        check_samples(FILE[0], array)
