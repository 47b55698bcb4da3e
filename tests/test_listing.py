"""What `--list` shows: cells, processes and the time that each profile would take; nothing is measured."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from kb.config import Settings
from kb.listing import arms, grid
from kb.measure.selection import SelectionError
from kb.practices import catalogue
from kb.practices.interface import Practice
from tests.practices.fakes import Sleeping


def text(renderable: object) -> str:
    stream = StringIO()
    Console(width=200, file=stream).print(renderable)
    return stream.getvalue()


def test_the_cells_of_a_profile_and_the_time_of_each_profile(settings: Settings) -> None:
    shown = text(grid(settings, "tiny", (), None))
    assert "affine" in shown
    assert "converting" in shown
    # two cells twice, the A/A case twice, and a process for the memory of each
    assert "2 cells, 8 processes, about 80 s, of which 8 are guessed" in shown.replace("1 min", "80 s")
    for name in settings.profiles:
        assert f" {name} " in shown
    assert not settings.results.exists()


def test_a_selection_and_other_replicates_narrow_and_widen_it(settings: Settings) -> None:
    shown = text(grid(settings, "tiny", ("numpy",), 5))
    assert "converting" not in shown.partition("Profiles")[0]
    assert "1 cell, 11 processes" in shown  # five, as many for the A/A case, one for the memory


def test_a_selection_of_nothing_is_an_error(settings: Settings) -> None:
    with pytest.raises(SelectionError):
        grid(settings, "tiny", ("nothing",), None)


def test_the_arms_of_practices(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Practice] = {"sleeping": Sleeping()}
    monkeypatch.setattr(catalogue, "practices", lambda: known)
    shown = text(arms(settings, (), 2))
    assert "4 arms" in shown
    assert "there is no such bed" in shown


@pytest.mark.parametrize("words", [["bench", "--list", "--profile", "tiny"], ["practices", "--list"]])
def test_listing_measures_nothing(project: Path, words: list[str]) -> None:
    command = [sys.executable, "-m", "kb.cli", "-C", str(project), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "nothing is left of the 0 arms" in done.stderr
    assert not (project / "results").exists()
