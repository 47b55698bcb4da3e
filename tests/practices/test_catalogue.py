"""Every installed practice keeps the protocol, is labelled, and needs no framework to be listed."""

import subprocess
import sys

import pytest

from kb.practices.catalogue import BadPractice, installed, load_practice, practices
from kb.practices.interface import ALL_CORES, Practice

#: Modules that no listing may import.
HEAVY = ("torch", "tensorflow", "keras", "onnx", "onnxruntime", "sklearn")

each = pytest.mark.parametrize("practice", practices().values(), ids=lambda practice: practice.name)


def test_practices_are_found_under_their_own_names() -> None:
    assert practices().keys() == installed().keys()
    assert all(practice.name == name for name, practice in practices().items())


@each
def test_the_first_measure_can_carry_a_verdict(practice: Practice) -> None:
    assert practice.measures[0].better in ("lower", "higher")
    assert not practice.measures[0].yes_no
    keys = [measure.key for measure in practice.measures]
    assert len(keys) == len(set(keys))


@each
def test_every_arm_is_itself_a_baseline_or_has_one_of_its_subject(practice: Practice) -> None:
    arms = practice.arms()
    assert len(arms) == len(set(arms))
    assert practice.replicates >= 3
    for arm in arms:
        baseline = practice.baseline(arm)
        assert baseline is None or (baseline in arms and baseline != arm and practice.baseline(baseline) is None)
        assert baseline is None or baseline.subject == arm.subject
        assert arm.threads >= ALL_CORES


@each
def test_a_practice_has_a_page_that_includes_what_was_measured(practice: Practice, repo_root) -> None:  # type: ignore[no-untyped-def]
    page = (repo_root / "docs" / "practices" / f"{practice.name}.md").read_text(encoding="utf-8")
    assert page.rstrip().endswith(f'--8<-- "generated/parts/practices/{practice.name}.md"')
    assert page.startswith("---\ntitle: ")


def test_listing_them_imports_no_framework() -> None:
    code = (
        "import sys; from kb.practices.catalogue import practices; "
        "[list(p.arms()) + [p.refuse(a) for a in p.arms()] for p in practices().values()]; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_no_practice_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(BadPractice, match="lacks title, advice, replicates, measures, arms, baseline, refuse, run"):
        load_practice("tests.practices.fakes:Unfinished")
    with pytest.raises(BadPractice, match="constructed without arguments"):
        load_practice("kb.practices.interface:Arm")
