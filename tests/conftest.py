"""What every test stands on: the repository, and a home of its own instead of the developer's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["tests.knowledge_base"]

TESTS = Path(__file__).parent
#: Tests that wait for the clock, or look at how busy the machine is: nothing runs beside them.
ALONE = ("measure", "workers", "practices", "machine", "test_refresh.py", "test_offline.py")
#: Rooms whose tests share what takes long to make: one process does them all.
SHARING = ("site",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests must be alone; of the others, which belong into one process: those of a file, or of a room."""
    for item in items:
        place = item.path.relative_to(TESTS)
        if place.parts[0] in ALONE:
            item.add_marker(pytest.mark.alone)
        group = place.parts[0] if place.parts[0] in SHARING else place.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The root of this repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads the developer's git, Keras or browser settings, and none writes there.

    Git's own variables are cleared as well: a hook that runs the tests would point every git call at its repository.
    """
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
        patch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_TERMINAL_PROMPT", "0")
        yield
