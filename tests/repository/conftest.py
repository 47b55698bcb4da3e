"""A remote with a clone, and retries that do not wait."""

from pathlib import Path

import pytest

from kb.repository import commands, pushing
from tests.repository.clones import new_clone, new_remote


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A bare repository with one commit."""
    return new_remote(tmp_path)


@pytest.fixture
def clone(remote: Path, tmp_path: Path) -> Path:
    """A clone of it."""
    return new_clone(remote, tmp_path / "clone")


@pytest.fixture
def other(remote: Path, tmp_path: Path) -> Path:
    """Another machine's clone."""
    return new_clone(remote, tmp_path / "other")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for here happens at once or never."""
    monkeypatch.setattr(pushing, "WAIT_PUSHES", 0.0)
    monkeypatch.setattr(pushing, "FIRST_WAIT_S", 0.0)
    monkeypatch.setattr(commands, "LOCK_WAIT_S", 0.02)
