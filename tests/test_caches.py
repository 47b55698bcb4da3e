"""Where kb keeps what can be made again."""

import sys
from pathlib import Path

import pytest

from kb.caches import cache_folder


def test_the_user_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("runs", "one") == tmp_path / "kb/runs/one"


@pytest.mark.parametrize("empty", [True, False])
def test_otherwise_the_system_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: bool) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if empty:
        monkeypatch.setenv("XDG_CACHE_HOME", "")
    else:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder("changelogs") == tmp_path / ".cache/kb/changelogs"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder("changelogs") == tmp_path / "Library/Caches/kb/changelogs"
