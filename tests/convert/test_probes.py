"""A conversion is asked more than what it was exported with: other numbers, other signs, other batches."""

from pathlib import Path

import numpy as np
import pytest

from kb.convert.probes import EXPORT_BATCH, Kind, probes_of, read, save, turned_signs
from kb.models.dlrm_s import DlrmS
from tests.convert.small import Small

pytest.importorskip("torch")


def test_probes_differ_from_the_export_in_values_signs_and_shapes() -> None:
    probes, origin = probes_of(Small(), seed=0)
    assert origin == "float64"
    assert [probe.kind for probe in probes] == [Kind.EXPORTED, *[Kind.VALUES] * 3, *[Kind.SHAPE] * 2]
    assert {len(probe.inputs["x"]) for probe in probes} == {EXPORT_BATCH, 1, 5}
    exported, _, _, turned, *_ = probes
    np.testing.assert_array_equal(turned.inputs["x"], -exported.inputs["x"])
    for probe in probes:
        assert probe.expected[0].dtype == np.float64
        assert len(probe.expected[0]) == len(probe.inputs["x"])


def test_only_floating_point_numbers_have_a_sign_to_turn() -> None:
    inputs = {"ids": np.arange(4), "x": np.ones(4, np.float32)}
    turned = turned_signs(inputs)
    assert turned is not None
    np.testing.assert_array_equal(turned["ids"], inputs["ids"])
    np.testing.assert_array_equal(turned["x"], -inputs["x"])
    assert turned_signs({"ids": np.arange(4)}) is None


def test_probes_are_read_as_they_were_saved(tmp_path: Path) -> None:
    probes, _ = probes_of(DlrmS(), seed=0)
    save(probes, tmp_path / "probes.npz")
    for kept, probe in zip(read(tmp_path / "probes.npz"), probes, strict=True):
        assert (kept.name, kept.kind) == (probe.name, probe.kind)
        assert list(kept.inputs) == list(probe.inputs)
        for mine, yours in zip(
            (*kept.inputs.values(), *kept.expected), (*probe.inputs.values(), *probe.expected), strict=True
        ):
            np.testing.assert_array_equal(mine, yours)
            assert mine.dtype == yours.dtype
