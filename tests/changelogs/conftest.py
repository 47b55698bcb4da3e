"""A site to read from, and a way to it that knows no token and no proxy of the developer's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.changelogs.sources.cache import Cache
from kb.changelogs.sources.web import Web
from tests.changelogs.webserver import Site, serving


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with Web(Cache(tmp_path / "cache" / "kb"), wait_s=0) as web:
        yield web


@pytest.fixture(autouse=True)
def _no_token_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
