"""Distributions that are builds of one project: they are told of in one changelog, under the project's name."""

from packaging.utils import canonicalize_name

#: Project -> the names under which its builds are distributed. The project's own name comes first.
FAMILIES: dict[str, tuple[str, ...]] = {
    "torch": ("torch", "pytorch", "pytorch-cpu", "pytorch-gpu", "torch-nightly"),
    "tensorflow": (
        *("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos"),
        *("tensorflow-rocm", "tensorflow-cpu-aws", "tensorflow-aarch64", "intel-tensorflow", "tf-nightly"),
        *("tf-nightly-cpu", "tf-nightly-gpu"),
    ),
    "onnxruntime": (
        *("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn"),
        *("onnxruntime-rocm", "onnxruntime-migraphx", "onnxruntime-training", "onnxruntime-silicon", "ort-nightly"),
        *("ort-nightly-gpu", "ort-nightly-directml"),
    ),
    "onnx": ("onnx", "onnx-weekly"),
    "keras": ("keras", "keras-nightly"),
}

_PROJECTS = {name: project for project, names in FAMILIES.items() for name in names}


def project_of(name: str) -> str:
    """Whose changelog tells of a distribution: ``onnxruntime`` for ``onnxruntime-gpu``; else its own name."""
    canonical = canonicalize_name(name)
    return _PROJECTS.get(canonical, canonical)


def names_of(project: str) -> tuple[str, ...]:
    """Names under which a project's changelog may be kept, its own first."""
    return FAMILIES.get(project, (project,))
