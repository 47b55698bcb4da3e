"""What is done to the outputs of every kind of model."""

import numpy as np

from kb.models.arrays import flat, widened


def test_a_result_is_unnested_in_its_order() -> None:
    arrays = [np.full(1, i) for i in range(5)]
    result = {"z": arrays[0], "a": (arrays[1], [arrays[2], {"m": arrays[3]}]), "b": arrays[4]}
    assert flat(result) == arrays
    assert flat(arrays[0]) == [arrays[0]]


def test_only_floating_point_arrays_are_widened() -> None:
    assert widened(np.zeros(2, np.float16)).dtype == np.float64
    assert widened(np.zeros(2, np.int64)).dtype == np.int64
