"""Which conversions a profile has, and what a selection leaves of them."""

import pytest

from kb.config import ConversionGrid, GateSettings
from kb.convert.conversion import NO_OPSET, Conversion
from kb.convert.converting import gate_of
from kb.convert.plan import CONVERSIONS, grid_of
from kb.measure.selection import SelectionError

MODELS, ROUTES = ("mlp8", "resnet50", "digits_cnn"), ("torch-dynamo", "keras-export", "litert")


def grid(*grids: ConversionGrid) -> list[Conversion]:
    return grid_of(grids, MODELS, ROUTES, newest_opset=17)


def test_every_combination_is_there_once() -> None:
    both = ConversionGrid(routes=("torch-*",), precisions=("fp32", "fp16"))
    found = grid(both, both)
    assert len(found) == len(set(found)) == 6


def test_float32_comes_before_what_is_made_from_it() -> None:
    found = grid(ConversionGrid(models=("mlp8",), routes=("torch-dynamo",), precisions=("fp16", "fp32")))
    assert [each.precision for each in found] == ["fp32", "fp16"]


def test_opset_0_stands_for_all_that_the_runtime_reads() -> None:
    found = grid(ConversionGrid(models=("mlp8",), routes=("torch-dynamo",), opsets=(0,)))
    assert [each.opset for each in found] == [15, 16, 17]


def test_a_form_without_opsets_stands_in_the_grid_once() -> None:
    found = grid(ConversionGrid(models=("mlp8",), routes=("litert",), opsets=(0,)))
    assert [each.opset for each in found] == [NO_OPSET]


def test_a_model_at_another_size_is_another_model() -> None:
    found = grid(ConversionGrid(models=("*", "!resnet50", "resnet50@96"), routes=("torch-dynamo",)))
    assert {each.model for each in found} == {"mlp8", "digits_cnn", "resnet50@96"}


@pytest.mark.parametrize(
    ("select", "left"),
    [
        (["mlp8"], 3),
        (["mlp8", "digits_*"], 6),
        (["mlp8", "keras-export"], 1),
        (["route=torch-*"], 3),
        (["opset=18", "resnet50"], 2),
        (["mlp8/torch-dynamo/*"], 1),
    ],
)
def test_a_selection_narrows_by_names_fields_and_ids(select: list[str], left: int) -> None:
    assert len(CONVERSIONS.narrow(grid(ConversionGrid()), select)) == left


@pytest.mark.parametrize(("word", "message"), [("mlp9", "mlp8"), ("colour=red", "no field 'colour'")])
def test_a_word_that_selects_nothing_names_the_nearest(word: str, message: str) -> None:
    with pytest.raises(SelectionError, match=message):
        CONVERSIONS.narrow(grid(ConversionGrid()), [word])


def test_of_several_gates_the_last_that_speaks_of_a_conversion_counts() -> None:
    gates = (GateSettings(loss_pp=0.3), GateSettings(models=("digits_*",), precisions=("int8-*",), loss_pp=1.0))
    assert gate_of(gates, Conversion("digits_cnn", "torch-dynamo", "int8-static")).loss_pp == 1.0
    assert gate_of(gates, Conversion("digits_cnn", "torch-dynamo")).loss_pp == 0.3
    assert gate_of((), Conversion("digits_cnn", "torch-dynamo")).loss_pp == 0.5
