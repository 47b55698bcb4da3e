"""Packages that are one thing under several names: a note about onnxruntime is also about onnxruntime-gpu."""

from packaging.utils import canonicalize_name

#: Family -> the distributions that install it. Members share their version numbers and their source; they differ in
#: what they were built for. keras and tf-keras are two things: tf-keras is Keras 2, kept beside Keras 3.
FAMILIES: dict[str, tuple[str, ...]] = {
    "onnxruntime": (
        "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn", "onnxruntime-silicon",
        "onnxruntime-training", "ort-nightly", "ort-nightly-gpu", "ort-nightly-directml",
    ),
    "tensorflow": (
        "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "tensorflow-intel", "tensorflow-rocm", "tf-nightly",
        "tf-nightly-cpu", "tf-nightly-gpu", "tf-nightly-macos",
    ),
    "torch": ("pytorch",),
    "keras": ("keras-nightly",),
    "onnx": ("onnx-weekly",),
    "onnxscript": ("onnxscript-preview",),
    "jax": ("jax-nightly",),
}  # fmt: skip

FAMILY_OF = {member: family for family, members in FAMILIES.items() for member in members}

#: Further packages that notes of such a knowledge base are about; `tool.kb.packages` adds to them.
NEIGHBOURS = frozenset(
    {"tf-keras", "tf2onnx", "torchvision", "torchaudio", "torchao", "executorch", "onnx-ir", "onnxsim", "onnxslim"}
    | {"onnxconverter-common", "onnxmltools", "skl2onnx", "onnx-graphsurgeon", "openvino", "tensorrt", "triton"}
    | {"numpy", "scipy", "protobuf", "ml-dtypes", "flatbuffers", "h5py", "setuptools", "safetensors", "nncf"}
    | {"transformers", "optimum", "optimum-onnx", "diffusers", "accelerate", "timm", "ultralytics", "keras-hub"}
    | {"tensorflow-text", "tensorflow-probability", "ai-edge-litert", "ai-edge-torch", "litert-torch", "tflite-runtime"}
    | {"paddlepaddle", "paddle2onnx", "mindspore", "flax", "jaxlib", "coremltools", "scikit-learn", "lightning"}
    | {"nvidia-cudnn-cu12", "nvidia-cuda-runtime-cu12", "torch-npu", "intel-extension-for-pytorch", "neural-compressor"}
)


def normalised(package: str) -> str:
    """A package's name as the index has it: `TensorFlow_CPU` is `tensorflow-cpu` (PEP 503)."""
    return str(canonicalize_name(package))


def family_of(package: str) -> str:
    """The family that a package belongs to; most are a family of their own."""
    name = normalised(package)
    return FAMILY_OF.get(name, name)


def known_packages() -> frozenset[str]:
    """The names that need no second look in a note."""
    return frozenset(FAMILIES) | frozenset(FAMILY_OF) | NEIGHBOURS
