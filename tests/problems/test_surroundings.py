"""What a note says of where it was seen."""

import platform
import subprocess
import sys

from kb.problems.surroundings import distributions_of, relevant, seen_here


def test_what_the_traceback_goes_through_comes_first_then_the_frameworks() -> None:
    versions = {"numpy": "2.4.6", "torch": "2.13.0", "our-tool": "1.0", "rich": "13", "onnxruntime-gpu": "1.32.0"}
    found = relevant(versions, ["our-tool", "torch", "not-installed"])
    assert list(found) == ["our-tool", "torch", "numpy", "onnxruntime-gpu"]
    assert found["our-tool"] == "1.0"


def test_a_module_is_found_under_the_name_that_it_is_installed_by() -> None:
    assert distributions_of(["yaml", "no_such_module", "git"]) == ["pyyaml", "gitpython"]


def test_this_place_is_described_without_its_name() -> None:
    here = seen_here(["yaml"])
    assert next(iter(here.versions)) == "pyyaml"
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]}" in here.system
    assert platform.node() not in f"{here.machine} {here.system}" or len(platform.node()) < 4


def test_nothing_heavy_is_imported_to_tell_versions() -> None:
    code = "import sys; from kb.problems.surroundings import seen_here; seen_here(['torch']); print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "tensorflow", "keras", "onnxruntime", "numpy"} & set(printed.split())
