"""How the TensorFlow runtimes hand inputs over and take outputs back, and what they say of a SavedModel's signature."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.models.interface import Array, Source
from kb.records.case import Case
from kb.runtimes.tf_base import TfSession, structured
from kb.runtimes.tf_function import TfFunction
from tests.runtimes.tiny import TinyText

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

CASE = Case("tiny_text", "tf-function", batch=2)
TEXT = TinyText()
INPUTS = TEXT.inputs(2, seed=0)
A: Array = np.arange(6, dtype=np.float32).reshape(2, 3)
B: Array = np.full((2, 3), 10, np.float32)


def difference_of(form: Callable[[Any, Any], Any]) -> Any:
    """A functional model of a - b that declares its inputs in some form."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    return keras.Model(form(a, b), a - b)


@pytest.mark.parametrize("form", [lambda a, b: {"a": a, "b": b}, lambda a, b: [a, b], lambda a, b: [b, a]])
def test_several_inputs_reach_a_functional_model_by_name(form: Callable[[Any, Any], Any]) -> None:
    model = difference_of(form)
    np.testing.assert_array_equal(model(structured(model, {"a": A, "b": B}), training=False), A - B)


def test_several_inputs_reach_a_subclassed_model_as_a_dict() -> None:
    class Difference(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs["a"] - inputs["b"]

    model = Difference()
    np.testing.assert_array_equal(model(structured(model, {"a": A, "b": B}), training=False), A - B)


@pytest.mark.parametrize("declared", ["bare", "dict"])
def test_one_input_comes_as_the_model_declares_it(declared: str) -> None:
    a = keras.Input((3,), name="a")
    model = keras.Model(a if declared == "bare" else {"a": a}, -a)
    given = structured(model, {"a": A})
    assert isinstance(given, dict) == (declared == "dict")
    np.testing.assert_array_equal(model(given, training=False), -A)


def test_one_input_of_a_model_that_declares_nothing_is_bare() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Rescaling(-1.0)])
    assert structured(model, {"anything": A}) is A


def test_outputs_of_a_dict_come_in_the_order_of_their_names() -> None:
    session = TfSession(lambda: {"z": tf.constant([1.0]), "a": [tf.constant([2.0]), tf.constant([3.0])]}, "cpu")
    assert [output.tolist() for output in session.outputs()] == [[2.0], [3.0], [1.0]]


class Serving(tf.Module):  # type: ignore[misc]
    """TinyText's sum alone, with outputs whose names are in another order than they are returned in."""

    def __init__(self) -> None:
        super().__init__()
        self.words = tf.Variable(TEXT.weights()["words.weight"])

    @tf.function(
        input_signature=[tf.TensorSpec((None, 6), tf.int64, "ids"), tf.TensorSpec((None, 6), tf.float32, "attention")]
    )
    def serve(self, ids: Any, attention: Any) -> dict[str, Any]:
        total = tf.reduce_sum(tf.gather(self.words, ids) * attention[..., None], 1)
        return {"total": total, "negative": -total}


def saved(folder: Path, signature: str | None) -> TinyText:
    module = Serving()
    tf.saved_model.save(module, str(folder), signatures={signature: module.serve} if signature else None)
    return TEXT.only(Source.SAVED_MODEL, folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> TinyText:
    return saved(tmp_path_factory.mktemp("saved"), "serving_default")


def test_a_saved_model_is_called_by_its_serving_signature(served: TinyText) -> None:
    runtime = TfFunction()
    session = runtime.load(runtime.build(served, CASE), INPUTS, CASE)
    total = TEXT.reference(INPUTS)[0][1]
    negative, positive = session.outputs()
    np.testing.assert_allclose(positive, total, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(negative, -total, rtol=1e-5, atol=1e-5)


def test_other_inputs_than_the_signature_takes_are_an_error(served: TinyText) -> None:
    runtime = TfFunction()
    with pytest.raises(ValueError, match=r"takes \['attention', 'ids'\], but the model's inputs are \['ids'\]"):
        runtime.load(runtime.build(served, CASE), {"ids": INPUTS["ids"]}, CASE)


def test_a_saved_model_without_a_serving_signature_is_an_error(tmp_path: Path) -> None:
    runtime = TfFunction()
    model = saved(tmp_path, "score")
    with pytest.raises(ValueError, match="has no signature 'serving_default'; it has: score"):
        runtime.load(runtime.build(model, CASE), INPUTS, CASE)
