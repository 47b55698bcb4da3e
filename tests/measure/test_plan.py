"""The grid of a profile, what a selection leaves of it, and what is said of the rest."""

import pytest

from kb.config import Profile
from kb.measure.plan import SelectionError, narrow, plan

MODELS = ("mlp8", "cnn_s", "encoder_mini")
RUNTIMES = ("torch-eager", "torch-compile", "onnxruntime", "tf-function")
FULL = Profile(batches=(1, 8), threads=(1, 0))
QUICK = Profile(runtimes=("torch-*", "onnxruntime"))


def planned(*select, profile=QUICK):
    return plan("quick", profile, FULL, MODELS, RUNTIMES, usable_cores=4, select=select)


def test_the_grid_is_the_product_in_an_order_of_its_own():
    cases = planned().cases
    assert len(cases) == 3 * 3
    assert [case.model for case in cases] == sorted(case.model for case in cases)
    assert {case.runtime for case in cases} == {"torch-eager", "torch-compile", "onnxruntime"}


def test_zero_threads_are_all_usable_cores_and_never_twice():
    assert {case.threads for case in planned(profile=FULL).cases} == {1, 4}
    single = plan("full", FULL, FULL, MODELS, RUNTIMES, usable_cores=1).cases
    assert {case.threads for case in single} == {1}


def test_what_is_left_out_is_named_with_its_reason():
    left_out = dict(planned("mlp8").left_out)
    assert len(left_out) + 3 == len(MODELS) * len(RUNTIMES) * 2 * 2
    reasons = {reason for case, reason in left_out.items() if case.model == "cnn_s" and case.batch == 1}
    assert reasons == {"not selected", "not in profile quick"}


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["mlp8"], 3),
        (["mlp8", "cnn_s"], 6),
        (["mlp8", "torch-*"], 2),
        (["runtime=onnxruntime"], 3),
        (["model=*_*", "runtime=torch-eager"], 2),
        (["batch=1"], 9),
        (["mlp8/torch-*"], 2),
        (["*/onnxruntime/*/b1/*"], 3),
    ],
)
def test_words_of_one_field_are_alternatives_and_fields_all_hold(words, count):
    assert len(planned(*words).cases) == count


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(SelectionError, match="'onxruntime' selects nothing here; did you mean onnxruntime"):
        planned("onxruntime")


def test_an_unknown_field_is_answered_with_the_fields():
    with pytest.raises(SelectionError, match="no field 'modell'; there are model, runtime"):
        planned("modell=mlp8")


def test_a_value_that_is_not_in_the_profile_is_an_error():
    with pytest.raises(SelectionError, match="batch=64"):
        planned("batch=64")


def test_words_that_exclude_each_other_leave_nothing():
    cases = list(planned().cases)
    with pytest.raises(SelectionError, match="nothing is left of the 8 cases"):
        narrow([c for c in cases if (c.model, c.runtime) != ("mlp8", "onnxruntime")], ["mlp8", "onnxruntime"])
