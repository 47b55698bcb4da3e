"""The colours can be read, in both palettes, and reach the charts."""

import re

import pytest

from kb.site.palette import (
    COLOURS,
    MARK_CONTRAST,
    MARKS_ON_CARD,
    SENTINELS,
    TEXT_CONTRAST,
    TEXT_ON,
    contrast,
    style_sheet,
    with_light_colours,
    with_variables,
)

PALETTES = ("light", "dark")


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_can_be_read(text: str, ground: str, palette: str) -> None:
    assert contrast(getattr(COLOURS[text], palette), getattr(COLOURS[ground], palette)) >= TEXT_CONTRAST


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("mark", MARKS_ON_CARD)
def test_marks_can_be_told_from_the_card(mark: str, palette: str) -> None:
    assert contrast(getattr(COLOURS[mark], palette), getattr(COLOURS["card"], palette)) >= MARK_CONTRAST


def test_every_sentinel_becomes_its_own_variable() -> None:
    assert len(set(SENTINELS.values())) == len(COLOURS)
    every = " ".join(SENTINELS.values())
    assert with_variables(every) == " ".join(f"var(--kb-{name})" for name in COLOURS)
    assert with_light_colours(every) == " ".join(colour.light for colour in COLOURS.values())


def test_the_style_sheet_defines_each_colour_for_screen_and_paper() -> None:
    for name in COLOURS:
        assert len(re.findall(f"--kb-{name}:#", style_sheet())) == 3
