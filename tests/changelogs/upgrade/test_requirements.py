"""What the words of the command line ask for."""

import pytest
from packaging.version import Version

from kb.changelogs.upgrade.requirements import RequirementsError, from_words


def asked(*words: str) -> list[tuple[str, str, str]]:
    ends = [(change.project, change.ends) for change in from_words(words).changes]
    return [(project, str(pair[0]), str(pair[1])) for project, pair in ends if pair]


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (["torch==2.7", "torch==2.10"], [("torch", "2.7", "2.10")]),
        (
            ["jax==0.5.0", "torch==2.7", "jax==0.6.0", "torch==2.8"],
            [("jax", "0.5.0", "0.6.0"), ("torch", "2.7", "2.8")],
        ),
        (["torch == 2.7.0+cpu", "Torch==v2.8"], [("torch", "2.7.0", "2.8")]),
        (["torch[opt]==2.7; python_version > '3'", "torch===2.8"], [("torch", "2.7", "2.8")]),
        (["pytorch==2.7", "torch==2.8"], [("torch", "2.7", "2.8")]),
        (["onnxruntime==1.20", "onnxruntime-gpu==1.22"], [("onnxruntime", "1.20", "1.22")]),
        (
            ["tensorflow_cpu==2.11.0", "tf-nightly==2.16.0.dev20240101"],
            [("tensorflow", "2.11.0", "2.16.0.dev20240101")],
        ),
        (["torch==2.10", "torch==2.7"], [("torch", "2.10", "2.7")]),
    ],
)
def test_two_pins_of_a_package_are_from_and_to(words: list[str], changes: list[tuple[str, str, str]]) -> None:
    assert asked(*words) == changes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to upgrade"),
        (["torch==2.10"], "torch is given once (torch==2.10): give it twice, from and to"),
        (["torch==2.7", "torch==2.8", "torch==2.9"], "torch is given 3 times"),
        (["torch==2.7", "jax==0.5"], "torch is given once"),
        (["torch==2.7", "torch>=2.8"], "'torch>=2.8' names no single version: write it with =="),
        (["torch==2.7.*", "torch==2.8"], "names no single version"),
        (["torch", "torch==2.8"], "'torch' names no single version"),
        (["torch=2.7", "torch==2.8"], "'torch=2.7' is no pin"),
        (["torch===latest", "torch==2.8"], "'torch===latest' is no pin"),
        (["torch==2.7.0+cpu", "torch==2.7+cu128"], "both are 2.7; give two different versions"),
        (["torch==2.7\nx", "torch==2.8"], "is no pin"),
    ],
)
def test_what_is_no_pair_of_pins_is_refused_in_one_line(words: list[str], said: str) -> None:
    with pytest.raises(RequirementsError) as caught:
        from_words(words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_change_keeps_the_version_as_it_is_installed() -> None:
    (change,) = from_words(["torch==2.7.0+cpu", "torch==2.8.0+cpu"]).changes
    assert change.after is not None
    assert change.after.version == Version("2.8.0+cpu")
    assert change.ends == (Version("2.7.0"), Version("2.8.0"))
