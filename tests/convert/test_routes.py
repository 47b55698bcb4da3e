"""Every route writes a file that answers as the model does, at any batch size, at the opset asked for."""

from pathlib import Path
from typing import Any

import pytest

from kb.convert.catalogue import BadRoute, installed, load_route
from kb.convert.conversion import NO_OPSET
from kb.models.cnn_s import CnnS
from kb.models.mlp8 import Mlp8
from kb.models.trained.digits_cnn import DigitsCnn

OPSETS = {"litert": NO_OPSET}


@pytest.mark.slow
@pytest.mark.parametrize("name", installed())
def test_a_route_converts_a_network_of_convolutions_rightly(name: str, tmp_path: Path, worker: Any) -> None:
    row = worker(DigitsCnn, name, OPSETS.get(name, 18), tmp_path)
    if row["status"] == "unsupported":
        pytest.skip(row["reason"])
    assert row["status"] == "ok", row["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("opset", [15, 18])
@pytest.mark.parametrize("name", ["torch-torchscript", "keras-export", "tf2onnx-function", "tf2onnx-saved-model"])
def test_a_route_keeps_the_opset_asked_for(name: str, opset: int, tmp_path: Path, worker: Any) -> None:
    row = worker(Mlp8, name, opset, tmp_path)
    assert (row["status"], row["opset_got"]) == ("ok", opset), row["reason"]


def test_litert_has_no_opset() -> None:
    assert load_route(installed()["litert"]).refuse(CnnS(), 18) == "LiteRT files have no opset"


def test_a_class_that_is_no_route_is_refused() -> None:
    with pytest.raises(BadRoute, match="constructed without arguments"):
        load_route("tests.convert.bad_routes:WritesOnly")
    with pytest.raises(BadRoute, match="it lacks"):
        load_route("kb.models.mlp8:Mlp8")
