"""Which packages count as one."""

import pytest

from kb.packages.families import FAMILIES, family_of, names_of, normalised


@pytest.mark.parametrize(
    ("package", "family"),
    [
        ("onnxruntime", "onnxruntime"),
        ("onnxruntime-gpu", "onnxruntime"),
        ("onnxruntime-directml", "onnxruntime"),
        ("onnxruntime_openvino", "onnxruntime"),
        ("tensorflow-cpu", "tensorflow"),
        ("TensorFlow_GPU", "tensorflow"),
        ("tf-nightly", "tensorflow"),
        ("tensorflow-macos", "tensorflow"),
        ("pytorch", "torch"),
        ("PyTorch", "torch"),
        ("numpy", "numpy"),
        ("a.package_of--ours", "a-package-of-ours"),
    ],
)
def test_a_package_belongs_to_its_family(package: str, family: str) -> None:
    assert family_of(package) == family


def test_keras_2_and_keras_3_are_two_things() -> None:
    assert family_of("tf-keras") != family_of("keras")


def test_what_is_built_on_a_framework_is_not_the_framework() -> None:
    others = ("torchvision", "tensorflow-text", "onnx", "onnxscript", "tf2onnx")
    assert {family_of(package) for package in others} == set(others)


def test_no_package_is_in_two_families() -> None:
    members = [member for family, others in FAMILIES.items() for member in (family, *others)]
    assert len(members) == len(set(members))
    assert {normalised(member) for member in members} == set(members)


def test_a_changelog_is_looked_for_under_the_own_name_first() -> None:
    assert names_of("torch")[:2] == ("torch", "pytorch")
    assert names_of("numpy") == ("numpy",)
