"""A run of practices: a process per arm and replicate, a row per figure, failures as rows, resumed where it stopped."""

from collections import Counter
from pathlib import Path

import pytest

from kb.config import Settings
from kb.machine.fingerprint import fingerprint
from kb.measure.runs import ResumeError
from kb.practices.catalogue import load_practice
from kb.practices.measuring import Measuring, new_run
from kb.practices.plan import trials
from kb.practices.progress import PlainProgress
from kb.records.folder import RunFolder
from kb.records.reading import read_results
from kb.records.schema import PRACTICES
from kb.records.statuses import Status

TARGETS = {name: f"tests.practices.fakes:{name.title()}" for name in ("sleeping", "crashing", "homeless")}


class Stop(Exception):
    """Ends a run from inside, as a kill would."""


class Until(PlainProgress):
    """Stops after so many processes, and counts them."""

    def __init__(self, stream, count: int = 10_000) -> None:
        super().__init__(stream)
        self.left = count
        self.done = 0

    def running(self, turn, number, of) -> None:
        super().running(turn, number, of)
        if self.left == self.done:
            raise Stop
        self.done += 1


def begin(settings: Settings, *names: str, replicates: int = 3) -> RunFolder:
    practices = {name: load_practice(TARGETS[name]) for name in names}
    machine = fingerprint()
    planned = trials(practices, machine.usable_cores)
    return new_run(settings, planned, replicates, machine, command="practices", commit=None)


@pytest.fixture
def say(tmp_path: Path):
    with (tmp_path / "log").open("w+") as stream:
        yield stream


def measuring(settings: Settings, stream, count: int = 10_000) -> Measuring:
    return Measuring.from_settings(settings, TARGETS, Until(stream, count))


def test_every_process_gives_a_row_per_figure(settings: Settings, say) -> None:
    with begin(settings, "sleeping") as folder:
        info = measuring(settings, say).execute(folder)
    results = read_results(settings.results)
    rows = results.practices
    assert results.benchmarks.empty
    assert info.rows == {"practices": len(rows)}
    naps = rows[(rows.measure == "nap_ms") & (rows.status == Status.OK)]
    counts = Counter(zip(naps.arm, naps.kind, naps.subject, strict=True))
    assert counts[("long nap", "arm", "bed")] == counts[("long nap", "aa", "bed")] == 3
    assert counts[("short nap", "arm", "bed")] == counts[("short nap", "arm", "sofa")] == 3
    assert naps[naps.arm == "long nap"].value.min() >= 20
    assert set(rows[rows.measure == "woke"].value.dropna()) == {1.0}
    dreams = rows[rows.measure == "dreams"]
    assert set(dreams.status) == {Status.UNSUPPORTED}
    assert set(dreams.reason) == {"naps are too short for dreams"}
    assert rows.process_s.dropna().min() > 0
    assert rows.practice_hash.nunique() == 1


def test_a_refused_arm_is_one_row_that_says_why(settings: Settings, say) -> None:
    with begin(settings, "sleeping") as folder:
        measuring(settings, say).execute(folder)
    rows = read_results(settings.results).practices
    refused = rows[rows.device == "cuda"]
    assert list(refused.status) == [Status.UNSUPPORTED]
    assert list(refused.reason) == ["there is no such bed"]


def test_the_aa_check_is_of_the_main_figure(settings: Settings, say) -> None:
    with begin(settings, "sleeping") as folder:
        info = measuring(settings, say).execute(folder)
    assert info.noise is not None
    assert info.noise.case == "sleeping/bed/long nap/cpu/t1"
    assert info.noise.n == 3
    assert info.noise.ratio == pytest.approx(1.0, rel=0.5)


def test_crashes_and_empty_answers_are_rows_and_are_not_tried_for_ever(settings: Settings, say) -> None:
    with begin(settings, "crashing") as folder:
        measuring(settings, say).execute(folder)
    rows = read_results(settings.results).practices
    endings = Counter(zip(rows.arm, rows.status, rows.device, rows.subject, strict=True))
    assert endings[("short nap", Status.CRASHED, "cpu", "bed")] == 2
    assert endings[("short nap", Status.NOT_RUN, "cpu", "bed")] == 1
    assert rows[rows.status == Status.RUN_FAILED].reason.unique().tolist() == ["the practice gave no figure"]
    assert rows.value.isna().all()


def test_an_arm_that_finds_no_place_here_is_not_asked_again(settings: Settings, say) -> None:
    with begin(settings, "homeless") as folder, pytest.raises(Stop):
        measuring(settings, say, 3).execute(folder)
    with RunFolder.reopen(folder.path) as again:
        measuring(settings, say).execute(again)
    rows = read_results(settings.results).practices
    assert set(rows.status) == {Status.UNSUPPORTED}
    assert Counter(zip(rows.subject, rows.arm, rows.device, strict=True)).most_common(1)[0][1] == 1
    assert set(rows[rows.device == "cpu"].reason) == {"there is no bed here"}


def test_an_interrupted_run_is_resumed_where_it_stopped(settings: Settings, say) -> None:
    with begin(settings, "sleeping") as folder, pytest.raises(Stop):
        measuring(settings, say, 5).execute(folder)
    path = folder.path
    before = read_results(settings.results).practices
    assert not before.empty
    with RunFolder.reopen(path) as again:
        rest = measuring(settings, say)
        info = rest.execute(again)
    rows = read_results(settings.results).practices
    assert isinstance(rest.progress, Until)
    assert rest.progress.done == 13 - 5  # three arms and the A/A check thrice, and the refused one
    assert info.finished
    keys = rows[list(PRACTICES.key)]
    assert not keys.duplicated().any()
    assert len(rows) == info.rows["practices"]


def test_a_run_of_another_source_is_not_gone_on_with(settings: Settings, say, monkeypatch: pytest.MonkeyPatch) -> None:
    with begin(settings, "sleeping") as folder, pytest.raises(Stop):
        measuring(settings, say, 3).execute(folder)
    monkeypatch.setattr("kb.practices.measuring.practice_hash", lambda module: "0" * 12)
    with (
        RunFolder.reopen(folder.path) as again,
        pytest.raises(ResumeError, match=r"'sleeping' has rows of .*start a new"),
    ):
        measuring(settings, say).execute(again)


def test_fewer_replicates_can_be_asked_for(settings: Settings, say) -> None:
    with begin(settings, "sleeping", replicates=1) as folder:
        info = measuring(settings, say).execute(folder)
    assert set(read_results(settings.results).practices.replicate) == {0}
    assert info.validity == "INVALID"
    assert "fewer than two rounds" in info.reasons[0]


def test_each_process_is_one_line(settings: Settings, say) -> None:
    with begin(settings, "sleeping", replicates=1) as folder:
        measuring(settings, say).execute(folder)
    say.seek(0)
    lines = say.read().splitlines()
    assert len(lines) == 5
    assert any(line.startswith("[1/5] sleeping/") for line in lines)
    assert any("unsupported: there is no such bed" in line for line in lines)
