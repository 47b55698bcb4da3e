"""Which arms a selection leaves, and in which order their processes run."""

import pytest

from kb.measure.selection import SelectionError
from kb.practices.interface import Arm
from kb.practices.plan import Trial, schedule, trials
from tests.practices.fakes import Crashing, Sleeping

KNOWN = {"sleeping": Sleeping(), "crashing": Crashing()}


def planned(*select: str) -> tuple[Trial, ...]:
    return trials(KNOWN, 4, select)


def test_every_arm_of_every_practice_is_planned_in_the_practices_order() -> None:
    assert [trial.id for trial in planned("sleeping")] == [
        "sleeping/bed/long nap/cpu/t1",
        "sleeping/bed/short nap/cpu/t1",
        "sleeping/bed/short nap/cuda/t1",
        "sleeping/sofa/short nap/cpu/t4",
    ]
    assert len(planned()) == 8


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["crash*"], 4),
        (["device=cuda"], 2),
        (["sleeping", "crashing", "device=cuda"], 2),
        (["subject=bed", "arm=short*", "device=cpu"], 2),
        (["threads=4"], 2),
    ],
)
def test_words_of_one_field_are_alternatives_and_fields_all_hold(words: list[str], count: int) -> None:
    assert len(planned(*words)) == count


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sleping"], "'sleping' selects nothing here; did you mean sleeping"),
        (["colour=red"], "no field 'colour'; there are practice, subject, arm, device, threads"),
        (["subject=sofa", "device=cuda"], "nothing is left of the 8 arms"),
    ],
)
def test_a_selection_of_nothing_is_an_error_that_helps(words: list[str], message: str) -> None:
    with pytest.raises(SelectionError, match=message):
        planned(*words)


def test_a_trial_survives_the_way_through_run_json() -> None:
    trial = planned("threads=4")[0]
    assert Trial.from_dict(trial.as_dict()) == trial


def test_each_round_has_every_arm_once_and_the_twice_measured_one_again() -> None:
    first, second = Trial("p", Arm("s", "a")), Trial("p", Arm("s", "b"))
    turns = schedule({first: 3, second: 2}, seed=1, twice=first)
    assert [turn.replicate for turn in turns] == [0, 0, 0, 1, 1, 1, 2, 2]
    for number in range(2):
        members = sorted((turn.trial, turn.kind) for turn in turns if turn.replicate == number)
        assert members == [(first, "aa"), (first, "arm"), (second, "arm")]
    assert turns == schedule({first: 3, second: 2}, seed=1, twice=first)
    assert {schedule({first: 3, second: 2}, seed=seed, twice=first)[0].trial for seed in range(20)} == {first, second}
