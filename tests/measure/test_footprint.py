"""Disk space of a runtime: the framework's files, and once each those of all that it requires."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.measure.footprint import disk_mib

MIB = 2**20


@dataclass
class Fake:
    packages: tuple[str, ...]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python finds distributions in."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(site: Path, name: str, mib: int, *requires: str) -> None:
    """A distribution with one file of that size, and compiled code that does not count."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (site / name).mkdir()
    (site / name / "big.bin").write_bytes(b"\0" * mib * MIB)
    (site / name / "code.pyc").write_bytes(b"\0" * 7 * MIB)
    wants = "".join(f"Requires-Dist: {need}\n" for need in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{wants}")
    (info / "RECORD").write_text(f"{name}/big.bin,,\n{name}/code.pyc,,\n")


def test_everything_that_is_required_counts_once(site: Path) -> None:
    install(site, "kbtest_engine", 3, "kbtest_maths>=1", "kbtest_text")
    install(site, "kbtest_maths", 2)
    install(site, "kbtest_text", 1, "kbtest-maths", "kbtest_engine")
    assert disk_mib(Fake(("kbtest_engine",))) == pytest.approx(6.0)  # type: ignore[arg-type]


def test_extras_and_other_systems_do_not_count(site: Path) -> None:
    install(site, "kbtest_engine", 1, "kbtest_docs; extra == 'docs'", "kbtest_other; sys_platform == 'mars'")
    install(site, "kbtest_docs", 5)
    install(site, "kbtest_other", 5)
    assert disk_mib(Fake(("kbtest_engine",))) == pytest.approx(1.0)  # type: ignore[arg-type]


def test_the_first_package_that_is_installed_counts(site: Path) -> None:
    install(site, "kbtest_cpu", 2)
    assert disk_mib(Fake(("kbtest_gpu", "kbtest_cpu"))) == pytest.approx(2.0)  # type: ignore[arg-type]
    assert disk_mib(Fake(("kbtest_gpu",))) is None  # type: ignore[arg-type]
