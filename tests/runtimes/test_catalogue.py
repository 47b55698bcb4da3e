"""Runtimes are found by name or as ``module:Class``, are checked, and bring no framework with them."""

import subprocess
import sys
from pathlib import Path

import pytest

from kb.discovery import UnknownPart
from kb.models.interface import Model, Source
from kb.records.case import Case
from kb.runtimes.catalogue import BadRuntime, installed, load_runtime, target_of
from tests.runtimes.tiny import TinyNet

BUILT_IN = {
    *("torch-eager", "torch-compile", "torch-torchscript", "torch-export-aoti"),
    *("tf-eager", "tf-function", "tf-xla", "keras-predict", "onnxruntime"),
}

FRAMEWORKS = ("torch", "tensorflow", "keras", "onnx", "onnxruntime", "onnxscript", "tf2onnx")


class NoRuntime:
    """Lacks nearly everything."""

    name = "no-runtime"
    packages = ("nothing",)

    def refuse(self, model: Model, case: Case) -> str | None:
        return None


class Demanding:
    """Cannot be constructed by name."""

    def __init__(self, option: str) -> None:
        self.option = option


def test_the_built_in_runtimes_are_installed_parts_like_any_other() -> None:
    assert set(installed()) >= BUILT_IN


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_an_installed_name_gives_the_runtime_of_that_name(name: str) -> None:
    runtime = load_runtime(name)
    assert runtime.name == name
    assert runtime.packages
    assert all(isinstance(source, Source) for source in runtime.sources)


def test_a_target_needs_no_entry_point() -> None:
    target = "kb.runtimes.torch_eager:TorchEager"
    assert target_of("torch-eager") == target_of(target) == target
    assert load_runtime(target).name == "torch-eager"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownPart, match=r"no runtime is called 'onnx-runtime'; did you mean onnxruntime\?"):
        load_runtime("onnx-runtime")


def test_what_is_not_a_runtime_is_told_what_it_lacks() -> None:
    with pytest.raises(BadRuntime) as raised:
        load_runtime(f"{__name__}:NoRuntime")
    assert str(raised.value).endswith("it lacks sources, converts, convert, start, build, load")


def test_a_runtime_is_constructed_without_arguments() -> None:
    with pytest.raises(BadRuntime, match="option"):
        load_runtime(f"{__name__}:Demanding")


@pytest.mark.parametrize("target", [f"{__name__}:Nothing", "nocolon:"])
def test_a_target_that_does_not_exist(target: str) -> None:
    with pytest.raises(UnknownPart):
        load_runtime(target)


def test_no_framework_is_imported_before_start(repo_root: Path) -> None:
    """Neither by loading all runtimes nor by asking whether they refuse and convert."""
    code = f"""
import sys
from kb.records.case import Case
from kb.runtimes.catalogue import load_runtime
from tests.runtimes.tiny import TinyNet
for name in {sorted(BUILT_IN)}:
    runtime = load_runtime(name)
    runtime.refuse(TinyNet(), Case("tiny_net", name)), runtime.converts(TinyNet())
print([name for name in {FRAMEWORKS} if name in sys.modules])
"""
    child = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_framework_that_is_not_installed_is_an_import_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = load_runtime(name)
    for framework in ("torch", "tensorflow", "keras", "onnxruntime"):
        monkeypatch.setitem(sys.modules, framework, None)  # what Python itself does for a module that must not exist
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    with pytest.raises(ImportError):
        runtime.start(Case(TinyNet().name, name))
