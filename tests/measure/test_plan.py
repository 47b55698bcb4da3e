"""The grid of a profile, what a selection leaves of it, and what is said of the rest."""

import pytest

from kb.config import Grid, Profile
from kb.measure.plan import CELLS, plan
from kb.measure.selection import SelectionError

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
        CELLS.narrow([c for c in cases if (c.model, c.runtime) != ("mlp8", "onnxruntime")], ["mlp8", "onnxruntime"])


SIZED = ("resnet50", "pointnet", "mlp8")


def sized(*select, **grid):
    profile = Profile(**{"runtimes": ("torch-eager",), **grid})
    return plan("quick", profile, Profile(batches=(1, 8)), SIZED, RUNTIMES, usable_cores=4, select=select)


def names(cases):
    return sorted({case.model for case in cases})


def test_a_glob_with_a_mark_takes_names_away_and_a_size_asks_for_one():
    cases = sized(models=("*", "!resnet50", "resnet50@96")).cases
    assert names(cases) == ["mlp8", "pointnet", "resnet50@96"]


def test_a_profile_is_the_union_of_its_grids():
    cases = sized(models=("mlp8",), also=(Grid(models=("mlp8", "pointnet"), batches=(1, 2)),)).cases
    eager = [(case.model, case.batch) for case in cases if case.runtime == "torch-eager"]
    assert eager == [("mlp8", 1), ("mlp8", 2), ("pointnet", 1), ("pointnet", 2)]


def test_the_name_of_a_model_stands_for_it_at_any_size():
    assert names(sized("resnet50", models=("mlp8", "resnet50@96")).cases) == ["resnet50@96"]


@pytest.mark.parametrize("words", [("resnet50@160",), ("model=resnet50@160",), ("resnet50@160", "torch-eager")])
def test_a_size_that_the_profile_does_not_have_can_be_asked_for(words):
    assert names(sized(*words).cases) == ["resnet50@160"]


def test_what_is_only_in_the_whole_grid_is_said_to_be_there():
    with pytest.raises(SelectionError, match="nothing of profile quick, but 3 cells of the whole grid: add --profile"):
        sized("batch=8", "runtime=torch-eager")
