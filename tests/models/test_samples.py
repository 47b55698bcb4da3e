"""A reference file: its samples come back in a seeded order together with the outputs that belong to them."""

import io
from pathlib import Path

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.samples import read_samples

X = np.arange(12, dtype=np.float32).reshape(6, 2)
IDS = np.arange(6, dtype=np.int64)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "net.npz"
    np.savez(file, x=X, ids=IDS, expected_0=X.sum(axis=1), expected_1=-IDS)
    return file


def test_inputs_and_outputs_are_told_apart(path: Path) -> None:
    samples = read_samples(path)
    assert list(samples.inputs) == ["x", "ids"]
    np.testing.assert_array_equal(samples.expected[0], X.sum(axis=1))
    np.testing.assert_array_equal(samples.expected[1], -IDS)


@pytest.mark.parametrize("batch", [1, 6, 15])
def test_a_choice_of_any_size_comes_with_its_outputs(path: Path, batch: int) -> None:
    samples = read_samples(path)
    chosen = samples.choose(batch, seed=3)
    sums, negated = samples.outputs_for(chosen)
    np.testing.assert_array_equal(sums, chosen["x"].sum(axis=1))
    np.testing.assert_array_equal(negated, -chosen["ids"])
    assert len(sums) == batch
    assert len(set(chosen["ids"].tolist())) == min(batch, 6)


def test_the_choice_is_seeded(path: Path) -> None:
    samples = read_samples(path)
    np.testing.assert_array_equal(samples.choose(6, 0)["ids"], samples.choose(6, 0)["ids"])
    assert samples.choose(6, 0)["ids"].tolist() != samples.choose(6, 1)["ids"].tolist()


def test_foreign_inputs_have_no_outputs(path: Path) -> None:
    with pytest.raises(ModelError, match="no expected outputs for inputs that are not its own"):
        read_samples(path).outputs_for({"x": X[:2] + 0.5, "ids": IDS[:2]})


def npz(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, X)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "expected an .npz"),
        (b"x,y\n1,2\n", "expected an .npz"),
        (npz(x=X)[:100], "expected an .npz"),
        (npy(), "expected an .npz"),
        (npz(x=np.array([{}], object)), "cannot be read as an .npz"),
        (npz(expected_0=X), "has no inputs"),
        (npz(x=X, expected_1=X), "has no 'expected_0'"),
        (npz(x=X, expected_0=X[:3]), "the same number of samples in its first axis, not x: 6, expected_0: 3"),
        (npz(x=X[:0]), "not x: 0"),
        (npz(x=np.float32(1)), "not x: 0"),
    ],
)
def test_what_is_no_reference_file_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "bad.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_samples(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
