"""Every built-in runtime on small models: right answers, the threads asked for, nothing compiled behind one's back."""

from collections.abc import Callable

import numpy as np
import pytest

from kb.models.interface import Source
from kb.records.statuses import Status
from kb.runtimes.errors import DeviceMissing
from tests.runtimes.conftest import ANY_MISSING_DEVICE, CELLS, MISSING_DEVICE, cell_params, runtime_params
from tests.runtimes.exercise import Cell, Life, Seen

#: By precision; the outputs are about 1.
TOLERANCE = {"fp32": 1e-5, "fp16": 5e-3, "bf16": 5e-2}
#: And no closer than this to the reference in 16 bits: else the precision was not the one asked for.
REDUCED = {"fp16": 1e-6, "bf16": 1e-5}


def seen_of(lived: Callable[[str], Life], runtime: str, cell: Cell) -> Seen:
    seen = lived(runtime).cells[cell]
    if seen.error:
        pytest.fail(seen.error, pytrace=False)
    return seen


@pytest.mark.parametrize(("runtime", "cell"), cell_params())
class TestOneCell:
    def test_the_outputs_are_those_of_the_model_in_its_order(
        self, lived: Callable[[str], Life], runtime: str, cell: Cell
    ) -> None:
        seen = seen_of(lived, runtime, cell)
        assert len(seen.outputs) == len(seen.reference)
        for got, wanted in zip(seen.outputs, seen.reference, strict=True):
            tolerance = TOLERANCE[cell.precision]
            np.testing.assert_allclose(got.astype(np.float32), wanted, rtol=tolerance, atol=tolerance)
            if cell.precision == "fp32":
                assert got.dtype == np.float32
            else:
                assert np.abs(got.astype(np.float64) - wanted).max() > REDUCED[cell.precision]

    def test_later_calls_give_the_same_outputs(self, lived: Callable[[str], Life], runtime: str, cell: Cell) -> None:
        seen = seen_of(lived, runtime, cell)
        for last, first in zip(seen.last_outputs, seen.outputs, strict=True):
            tolerance = TOLERANCE[cell.precision]
            np.testing.assert_allclose(
                last.astype(np.float32), first.astype(np.float32), rtol=tolerance, atol=tolerance
            )

    def test_nothing_is_compiled_after_load(self, lived: Callable[[str], Life], runtime: str, cell: Cell) -> None:
        seen = seen_of(lived, runtime, cell)
        assert seen.compiles_called == seen.compiles_loaded

    def test_the_framework_reports_the_threads_asked_for(
        self, lived: Callable[[str], Life], runtime: str, cell: Cell
    ) -> None:
        assert seen_of(lived, runtime, cell).threads == 1

    def test_a_cpu_has_no_device_memory(self, lived: Callable[[str], Life], runtime: str, cell: Cell) -> None:
        assert seen_of(lived, runtime, cell).peak_device_mib is None


@pytest.mark.parametrize("runtime", ["tf-function", "tf-xla", "keras-predict"])
def test_a_traced_model_is_one_trace(lived: Callable[[str], Life], runtime: str) -> None:
    keras_cells = [cell for cell in CELLS[runtime] if cell.source is Source.KERAS]
    assert {seen_of(lived, runtime, cell).compiles_loaded for cell in keras_cells} == {1}


@pytest.mark.slow
def test_each_compilation_of_dynamo_is_counted_in_load(lived: Callable[[str], Life]) -> None:
    """Among them one for the same network at another batch size, as a recompilation would be."""
    seen = [seen_of(lived, "torch-compile", cell) for cell in CELLS["torch-compile"]]
    assert [each.compiles_loaded - each.compiles_before for each in seen] == [1] * len(seen)


@pytest.mark.parametrize("runtime", runtime_params())
def test_float32_is_nowhere_rounded_to_tf32(lived: Callable[[str], Life], runtime: str) -> None:
    assert lived(runtime).tf32_allowed is (None if runtime == "onnxruntime" else False)


@pytest.mark.parametrize("runtime", runtime_params())
def test_a_device_that_is_not_there_is_unsupported_not_an_error(lived: Callable[[str], Life], runtime: str) -> None:
    raised = lived(runtime).missing_device
    assert isinstance(raised, DeviceMissing)
    assert raised.status is Status.UNSUPPORTED
    assert MISSING_DEVICE.get(runtime, ANY_MISSING_DEVICE) in str(raised)
