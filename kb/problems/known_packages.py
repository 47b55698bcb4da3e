"""Packages that a note may name without a second look: those that kb measures, and their neighbours."""

from kb.packages.families import FAMILIES, FAMILY_OF

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


def known_packages() -> frozenset[str]:
    """The names that need no second look in a note."""
    return frozenset(FAMILIES) | frozenset(FAMILY_OF) | NEIGHBOURS
