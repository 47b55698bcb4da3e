"""Which words name which parts, whatever the parts are."""

from dataclasses import dataclass

import pytest

from kb.measure.selection import Selection, SelectionError


@dataclass(frozen=True)
class Cup:
    model: str
    colour: str

    @property
    def id(self) -> str:
        return f"{self.model}/{self.colour}"


CUPS = [Cup("mug@2", "red"), Cup("mug@3", "blue"), Cup("glass", "clear")]
BY = Selection[Cup]("cups", ("model", "colour"), ("model", "colour", "id"))


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ([], ["mug@2/red", "mug@3/blue", "glass/clear"]),
        (["red"], ["mug@2/red"]),
        (["red", "clear"], ["mug@2/red", "glass/clear"]),
        (["mug", "blue"], ["mug@3/blue"]),
        (["model=g*"], ["glass/clear"]),
        (["*/blue"], ["mug@3/blue"]),
    ],
)
def test_words_of_one_field_are_alternatives_and_of_two_must_both_hold(words: list[str], left: list[str]) -> None:
    assert [cup.id for cup in BY.narrow(CUPS, words)] == left


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["crear"], "'crear' selects nothing here; did you mean clear?"),
        (["size=2"], "'size=2': no field 'size'; there are model, colour"),
        (["mug", "clear"], "nothing is left of the 3 cups by 'mug clear'"),
    ],
)
def test_what_selects_nothing_is_one_line_with_the_nearest_word(words: list[str], said: str) -> None:
    with pytest.raises(SelectionError) as caught:
        BY.narrow(CUPS, words)
    assert str(caught.value) == said


def test_a_part_may_say_its_fields_in_its_own_way() -> None:
    by = Selection[str]("words", ("first",), ("first",), lambda word, _: word[0])
    assert by.narrow(["apple", "bean"], ["b"]) == ["bean"]
