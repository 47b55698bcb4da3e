"""Distributions that are builds of one project: one changelog tells of them, and one note is about them all."""

from packaging.utils import canonicalize_name

#: Project -> the other distributions that install it. They share its version numbers and its source, and differ in
#: what they were built for. keras and tf-keras are two things: tf-keras is Keras 2, kept beside Keras 3.
FAMILIES: dict[str, tuple[str, ...]] = {
    "torch": ("pytorch", "pytorch-cpu", "pytorch-gpu", "torch-nightly"),
    "tensorflow": (
        "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos", "tensorflow-rocm",
        "tensorflow-cpu-aws", "tensorflow-aarch64", "intel-tensorflow",
        "tf-nightly", "tf-nightly-cpu", "tf-nightly-gpu", "tf-nightly-macos",
    ),
    "onnxruntime": (
        "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn", "onnxruntime-rocm",
        "onnxruntime-migraphx", "onnxruntime-training", "onnxruntime-silicon",
        "ort-nightly", "ort-nightly-gpu", "ort-nightly-directml",
    ),
    "onnx": ("onnx-weekly",),
    "onnxscript": ("onnxscript-preview",),
    "keras": ("keras-nightly",),
    "jax": ("jax-nightly",),
}  # fmt: skip

#: Distribution -> its project, for those whose name is another.
FAMILY_OF = {member: family for family, members in FAMILIES.items() for member in members}


def normalised(package: str) -> str:
    """A package's name as the index has it: `TensorFlow_CPU` is `tensorflow-cpu` (PEP 503)."""
    return str(canonicalize_name(package))


def family_of(package: str) -> str:
    """The project that a distribution is a build of; most are a family of their own."""
    name = normalised(package)
    return FAMILY_OF.get(name, name)


def names_of(family: str) -> tuple[str, ...]:
    """Names under which something about a project may be kept, its own first."""
    return (family, *FAMILIES.get(family, ()))
