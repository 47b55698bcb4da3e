"""What a figure's source is: the model with what it derives from, the practice with its C++, and the protocol."""

import importlib
import shutil
from pathlib import Path

import pytest

from kb.measure.provenance import model_hash, practice_hash
from kb.models.mlp8 import Mlp8
from kb.models.trained.catalogue import trained_models
from kb.records.fingerprints import source_hash


def test_a_model_that_derives_from_another_changes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trained model lives in another package than the architecture that it has."""
    seen: list[set[str]] = []
    monkeypatch.setattr(
        "kb.measure.provenance.source_hash", lambda *paths: seen.append({Path(path).stem for path in paths}) or "x"
    )
    model_hash(trained_models()["digits_mlp"]())
    model_hash(Mlp8())
    trained, reference = seen
    assert {"digits_mlp", "digits", "trained_model", "mlp8", "paired", "weights"} <= trained
    assert {"mlp8", "paired", "weights"} <= reference
    assert not any("trained" in name or "interface" in name for name in reference)


def test_c_plus_plus_of_a_practice_is_part_of_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repo_root: Path
) -> None:
    package = tmp_path / "kbtest_operators"
    shutil.copytree(repo_root / "kb" / "practices" / "custom_operators", package)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("kb.practices.data_loading")
    importlib.import_module("kbtest_operators")
    before = practice_hash("kbtest_operators")
    assert before == practice_hash("kbtest_operators")
    (cpp, *_) = sorted(package.glob("*.cpp"))
    cpp.write_text(cpp.read_text() + "\n// changed\n")
    assert practice_hash("kbtest_operators") != before


def test_a_practice_without_c_plus_plus_has_the_hash_of_its_python() -> None:
    importlib.import_module("kb.practices.data_loading")
    assert len(practice_hash("kb.practices.data_loading")) == len(source_hash(Path(__file__)))
