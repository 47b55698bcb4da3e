"""Where the real changelogs lie, and which project reads which: they are not part of the repository."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kb.changelogs.projects import BUILT_IN, KEEP_A_CHANGELOG, LOOSE, NUMBERED, NVIDIA, RST_NOTES, Project

ROOT = Path(os.environ.get("KB_SHARED") or Path(__file__).parents[3] / "shared") / "changelogs"
GOLD = ROOT / "gold.json"

needs_shared = pytest.mark.skipif(not GOLD.exists(), reason="../shared is not here (or name it in KB_SHARED)")

_TENSORFLOW, _JAX, _NUMPY = BUILT_IN["tensorflow"], BUILT_IN["jax"], BUILT_IN["numpy"]
_VERSION_FIRST = r"v?(?P<version>\d+(?:\.\d+)+(?: (?:alpha|beta|rc)\d*)?)"


def _kept(package: str, repository: str, root: str, folder: str = "") -> Project:
    return replace(
        KEEP_A_CHANGELOG, name=package, packages=(package,), repository=repository, roots=(root,), folder=folder
    )


def _numbered(package: str, repository: str, **others: object) -> Project:
    return replace(NUMBERED, name=package, packages=(package,), repository=repository, **others)  # type: ignore[arg-type]


_GITHUB = "https://github.com"
_LIGHTNING, _TENSORRT = f"{_GITHUB}/Lightning-AI/pytorch-lightning", f"{_GITHUB}/NVIDIA/TensorRT"

#: By the begin of a file's path below `ROOT`; the first that fits is taken. What a user would write for each.
PROJECTS: dict[str, Project] = {
    "tensorflow/": _TENSORFLOW,
    "ascend-tf/": replace(_TENSORFLOW, name="tf-adapter", packages=("tf-adapter",), repository=""),
    "tf-serving/": replace(
        _TENSORFLOW,
        name="tensorflow-serving",
        packages=("tensorflow-serving",),
        repository=f"{_GITHUB}/tensorflow/serving",
        tag="{version}",
    ),
    "jax/pallas": replace(_JAX, heading=rf"released with {_JAX.heading}", name="pallas"),
    "jax/": _JAX,
    "numpy/": _NUMPY,
    "pytorch/": BUILT_IN["pytorch"],
    "pytorch-ko/": BUILT_IN["pytorch"],
    "onnxruntime-rendered/": BUILT_IN["onnxruntime"],
    "onnx/": BUILT_IN["onnx"],
    "lightning/fabric": _kept("lightning-fabric", _LIGHTNING, "lightning.fabric", "src/lightning/fabric"),
    "lightning/": _kept("pytorch-lightning", _LIGHTNING, "lightning", "src/lightning/pytorch"),
    "pyg/": _kept("torch-geometric", f"{_GITHUB}/pyg-team/pytorch_geometric", "torch_geometric"),
    "tensorrt/polygraphy": _kept("polygraphy", _TENSORRT, "polygraphy", "tools/Polygraphy"),
    "tensorrt/onnx-graphsurgeon": _kept("onnx-graphsurgeon", _TENSORRT, "onnx_graphsurgeon", "tools/onnx-graphsurgeon"),
    "tensorrt/": replace(NVIDIA, name="TensorRT-OSS", packages=("TensorRT-OSS",), repository=_TENSORRT),
    "cutlass/cutedsl": replace(RST_NOTES, name="cute-dsl", packages=("cute-dsl",)),
    "cutlass/": replace(
        NVIDIA,
        name="cutlass",
        packages=("cutlass",),
        repository=f"{_GITHUB}/NVIDIA/cutlass",
        bullets=KEEP_A_CHANGELOG.bullets,
        roots=("cute", "cutlass"),
    ),
    "tvm/": _numbered("apache-tvm", f"{_GITHUB}/apache/tvm", preamble=False, roots=("tvm",)),
    "nncf/": _numbered("nncf", f"{_GITHUB}/openvinotoolkit/nncf", bullets=NVIDIA.bullets, roots=("nncf",)),
    "tfmot/": _numbered("tensorflow-model-optimization", f"{_GITHUB}/tensorflow/model-optimization", roots=("tfmot",)),
    "flax/": replace(
        LOOSE, name="flax", packages=("flax",), repository=f"{_GITHUB}/google/flax", roots=("flax", "nnx")
    ),
    "mindspore/golden-stick": _numbered("mindspore-golden-stick", "https://gitee.com/mindspore/golden-stick"),
    "mindspore/mindinsight": _numbered(
        "mindinsight", "https://gitee.com/mindspore/mindinsight", names={"mindspore insight": "mindinsight"}
    ),
    "mindspore/": _numbered("mindspore", "https://gitee.com/mindspore/mindspore", roots=("mindspore",)),
    "paddle/": _numbered(
        "paddlepaddle",
        f"{_GITHUB}/PaddlePaddle/Paddle",
        heading=rf"{_VERSION_FIRST} release notes?",
        single=True,
        roots=("paddle",),
    ),
    "dependabot-fixtures/": replace(LOOSE, name="sentry-raven", packages=("sentry-raven",)),
}


def project_of(file: str) -> Project:
    """The project that reads a file, given by its path below `ROOT`."""
    return next((project for begin, project in PROJECTS.items() if file.startswith(begin)), LOOSE)


def files() -> Iterator[str]:
    """All changelogs, by their paths below `ROOT`."""
    for path in sorted(ROOT.rglob("*")):
        if path.suffix in (".md", ".rst", ".txt") and path.name != "README.txt":
            yield path.relative_to(ROOT).as_posix()


def text_of(file: str) -> str:
    return (ROOT / file).read_bytes().decode("utf-8", "replace")
