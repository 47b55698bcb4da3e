"""Throw-away environments from a folder of wheels, by the real tools and without a network."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from kb.workers.environments import (
    LOCK_FILE,
    CannotBuild,
    Environment,
    Pip,
    Tool,
    Uv,
    environment_of,
    prune,
)
from tests.workers.wheels import make_wheel

UV = shutil.which("uv")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        make_wheel(folder, "tiny-part", version)
    make_wheel(folder, "tiny-tool", "1.0", requires="tiny-part<2")
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    return folder


@pytest.fixture(params=["pip", pytest.param("uv", marks=pytest.mark.skipif(UV is None, reason="uv is not installed"))])
def by(request: pytest.FixtureRequest) -> Tool:
    return Uv(str(UV)) if request.param == "uv" else Pip()


def says(environment: Environment, code: str) -> str:
    done = subprocess.run([environment.python, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    return done.stdout.strip() or done.stderr


def test_packages_are_there_in_the_versions_asked_for_and_no_others(tmp_path: Path, wheels: Path, by: Tool) -> None:
    made = environment_of(["tiny-tool"], by, tmp_path / "cache")
    assert made.versions == {"tiny-part": "1.0", "tiny-tool": "1.0"}
    assert says(made, "import tiny_part; print(tiny_part.VERSION)") == "1.0"
    assert "No module named 'kb'" in says(made, "import kb")


def test_one_of_the_same_packages_is_used_again(tmp_path: Path, wheels: Path, by: Tool) -> None:
    first = environment_of(["tiny-part==2.0"], by, tmp_path / "cache")
    (first.folder / "mark").touch()
    again = environment_of(["tiny-part>=2"], by, tmp_path / "cache")
    assert (again.folder, (again.folder / "mark").exists()) == (first.folder, True)
    assert environment_of(["tiny-part==1.0"], by, tmp_path / "cache").folder != first.folder


def test_one_that_was_cut_off_is_built_anew(tmp_path: Path, wheels: Path, by: Tool) -> None:
    first = environment_of(["tiny-part"], by, tmp_path / "cache")
    (first.folder / LOCK_FILE).unlink()
    shutil.rmtree(first.folder / "lib")
    again = environment_of(["tiny-part"], by, tmp_path / "cache")
    assert says(again, "import tiny_part; print(tiny_part.VERSION)") == "2.0"


@pytest.mark.parametrize("wanted", [["tiny-part==9.9"], ["tiny-tool", "tiny-part==2.0"], ["no-such-package"]])
def test_what_cannot_be_resolved_is_told_in_the_words_of_the_resolver(
    tmp_path: Path, wheels: Path, by: Tool, wanted: list[str]
) -> None:
    with pytest.raises(CannotBuild) as caught:
        environment_of(wanted, by, tmp_path / "cache")
    assert wanted[-1].partition("==")[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_that_cannot_be_installed_leaves_nothing(tmp_path: Path, wheels: Path, by: Tool) -> None:
    environment_of(["tiny-part==1.0"], by, tmp_path / "cache")
    lock = tmp_path / "lock.txt"
    lock.write_text("tiny-part==9.9\n")

    class Broken:
        resolve = staticmethod(lambda requirements: lock.read_text())
        install = staticmethod(by.install)

    before = {path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()}
    with pytest.raises(CannotBuild):
        environment_of(["tiny-part"], Broken(), tmp_path / "cache")
    assert {path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()} == before


def test_what_was_not_used_for_long_is_removed(tmp_path: Path, wheels: Path) -> None:
    made = environment_of(["tiny-part"], Pip(), tmp_path / "cache")
    prune(tmp_path / "cache")
    assert made.folder.exists()
    prune(tmp_path / "cache", now=time.time() + 61 * 86400)
    assert not made.folder.exists()
