"""`kb changelog`: what it says, what it writes, and the exit code that a job goes by."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb.cli import main
from kb.exits import Exit

SETTINGS = """\
[tool.kb.changelogs.ours]
packages = ["ourlib"]
format = "keep-a-changelog"
source = "file"
location = "CHANGELOG.md"
dates = []

[tool.kb.changelogs.theirs]
packages = ["theirlib"]
source = "raw"
location = "http://127.0.0.1:9/CHANGELOG.md"
dates = []
"""
NOTES = """\
# Changelog

## [1.1.0] - 2026-10-02

### Removed

- `ourlib.load` is gone

## [1.0.0] - 2026-05-06

### Added

- `ourlib.load` reads a file
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "CHANGELOG.md").write_text(NOTES)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


def kb(base: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["-C", str(base), *words], catch_exceptions=False)


def written(base: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (base / "results/changelogs").rglob("*.csv")}


def test_a_changelog_is_read_kept_and_read_again_without_writing(base: Path) -> None:
    first = kb(base, "changelog", "ours")
    assert (first.exit_code, first.stdout) == (Exit.OK, "ours: 2 versions, 2 new entries\n")
    before = written(base)
    again = kb(base, "changelog", "ourlib")  # by the name of the package
    assert again.stdout == "ours: 2 versions, 0 new entries\n"
    assert written(base) == before
    report = kb(base, "upgrade", "ourlib==1.0.0", "ourlib==1.1.0", "--fail-on-breaking")
    assert report.exit_code == Exit.REGRESSION
    assert "ourlib.load is gone" in report.stdout


def test_a_source_out_of_reach_is_one_line_and_costs_no_entry(base: Path) -> None:
    kb(base, "changelog", "ours")
    before = written(base)
    (base / "CHANGELOG.md").unlink()
    gone = kb(base, "changelog", "ours", "theirs")
    assert gone.exit_code == Exit.NOTHING_MEASURED
    ours, theirs = gone.stdout.splitlines()
    assert ours.startswith("ours: unreachable: ")
    assert ours.endswith("what is shown is less than a day old")
    assert theirs.startswith("theirs: unreachable: 127.0.0.1:9/CHANGELOG.md cannot be read")
    assert written(base) == before


def test_offline_asks_no_server_and_reads_files(base: Path) -> None:
    result = kb(base, "changelog", "--offline", "ours", "theirs")
    assert result.exit_code == Exit.OK
    assert result.stdout.splitlines() == ["ours: 2 versions, 2 new entries", "theirs: offline; nothing is shown yet"]


def test_a_damaged_file_is_told_and_the_others_are_read(base: Path) -> None:
    kb(base, "changelog", "ours")
    path = base / "results/changelogs/ourlib/1.1.0.csv"
    path.write_text(path.read_text().replace("gone", "back"))
    result = kb(base, "changelog", "ours")
    assert result.exit_code == Exit.SOME_FAILED
    assert "1.1.0.csv" in result.stdout
    assert len(result.stdout.splitlines()) == 1


def test_a_name_that_is_not_configured_is_wrong_use(base: Path) -> None:
    result = kb(base, "changelog", "ourlip")
    assert result.exit_code == Exit.USAGE
    assert "ourlib" in result.stderr
