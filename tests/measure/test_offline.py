"""Nothing is downloaded while measuring: the quick grid runs where there is no network at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kb.config import Settings
from kb.measure.plan import grid_of
from kb.models.catalogue import catalogue
from kb.records.reading import read_results
from kb.records.statuses import Status

#: Gives a command a network of its own, with nothing in it, not even a loopback that is up.
CUT_OFF = (("unshare", "--net"), ("unshare", "--map-root-user", "--net"))
#: The runtime of each framework that every model is measured on.
FRAMEWORKS = {"torch-eager", "tf-function", "onnxruntime"}


@pytest.fixture(scope="module")
def cut_off() -> tuple[str, ...]:
    """What a command must be prefixed with."""
    if shutil.which("unshare"):
        for prefix in CUT_OFF:
            if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
                return prefix
    reason = "this system lets nobody make a network namespace"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}: nothing here shows that a run downloads nothing")
    pytest.skip(reason)


def test_a_command_is_really_cut_off(cut_off: tuple[str, ...]) -> None:
    code = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)"
    done = subprocess.run([*cut_off, sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Network is unreachable" in done.stderr or "Cannot assign requested address" in done.stderr


@pytest.mark.slow
def test_the_quick_grid_needs_no_network(cut_off: tuple[str, ...], tmp_path: Path) -> None:
    """One replicate of each cell: what is downloaded would be downloaded in the first."""
    for framework in ("torch", "tensorflow", "onnxruntime", "onnxscript"):
        pytest.importorskip(framework)
    (tmp_path / "pyproject.toml").write_text("[tool.kb]\n")
    command = [*cut_off, sys.executable, "-m", "kb.cli", "-C", str(tmp_path), "bench", "--replicates", "1"]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    results = read_results(tmp_path / "results")
    rows = results.benchmarks
    assert set(rows.status) == {Status.OK}
    assert results.runs[0].info.left_out
    for model in catalogue():
        runtimes = set(rows[rows.model.astype(str).str.split("@").str[0] == model].runtime)
        assert runtimes >= FRAMEWORKS, model


def test_every_model_is_in_the_quick_grid_on_a_runtime_of_each_framework(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, profiles={})
    cells = grid_of(settings.profile("quick"), settings.model_names(), settings.runtime_targets(), usable_cores=2)
    for model in catalogue():
        assert {case.runtime for case in cells if case.model.partition("@")[0] == model} >= FRAMEWORKS
