"""What runtimes refuse, and in which words; nothing here needs a framework."""

from dataclasses import replace
from pathlib import Path

import pytest

from kb.models.interface import Source
from kb.records.case import Case
from kb.runtimes.base import device_index, device_kind
from kb.runtimes.catalogue import installed, load_runtime
from kb.runtimes.onnxruntime import provider_of, provider_options
from tests.runtimes.tiny import TinyNet

NET = TinyNet(name="my_net")
ONNX = NET.only(Source.ONNX, Path("my_net.onnx"))


def refusal(runtime: str, model: object, **changes: object) -> str | None:
    case = replace(Case("my_net", runtime), **changes)  # type: ignore[arg-type]
    return load_runtime(runtime).refuse(model, case)  # type: ignore[arg-type]


@pytest.mark.parametrize("runtime", installed())
def test_a_model_with_both_builders_is_refused_by_none(runtime: str) -> None:
    assert refusal(runtime, NET) is None


@pytest.mark.parametrize(
    ("runtime", "model", "words"),
    [
        (
            "torch-eager",
            ONNX,
            "my_net is an ONNX file; torch-eager takes a torch module or a .pt2 file of torch",
        ),
        ("tf-xla", NET.only(Source.SAVED_MODEL), "my_net is a TensorFlow SavedModel; tf-xla takes a Keras model"),
        ("torch-compile", NET.only(Source.TORCHSCRIPT), "my_net is a TorchScript file; torch-compile takes"),
        (
            "onnxruntime",
            NET.only(Source.SAVED_MODEL),
            "my_net is a TensorFlow SavedModel; onnxruntime takes an ONNX",
        ),
        (
            "tf-eager",
            replace(NET, sources=frozenset({Source.TORCH, Source.ONNX})),
            "my_net is a torch module or an ONNX file; tf-eager takes a Keras model",
        ),
    ],
)
def test_a_model_in_no_form_that_the_runtime_takes(runtime: str, model: TinyNet, words: str) -> None:
    assert (refusal(runtime, model) or "").startswith(words)


@pytest.mark.parametrize(
    ("source", "takers"),
    [
        (Source.ONNX, {"onnxruntime"}),
        (Source.SAVED_MODEL, {"tf-function"}),
        (Source.TORCHSCRIPT, {"torch-torchscript"}),
        (Source.TORCH_EXPORT, {"torch-eager", "torch-compile", "torch-export-aoti", "onnxruntime"}),
        (Source.KERAS, {"tf-eager", "tf-function", "tf-xla", "keras-predict", "onnxruntime"}),
    ],
)
def test_who_takes_which_form(source: Source, takers: set[str]) -> None:
    assert {name for name in installed() if refusal(name, NET.only(source)) is None} == takers


@pytest.mark.parametrize("runtime", installed())
def test_precisions_that_a_runtime_does_not_have_are_refused(runtime: str) -> None:
    has = "fp32, fp16" if runtime == "onnxruntime" else "fp32, bf16, fp16"
    assert refusal(runtime, NET, precision="int8") == f"{runtime} runs {has} only, not int8"
    assert refusal(runtime, NET, precision="fp16") is None
    assert (refusal(runtime, NET, precision="bf16") is None) is (runtime != "onnxruntime")


@pytest.mark.parametrize(
    ("runtime", "source", "what"),
    [
        ("torch-eager", Source.TORCH_EXPORT, "a .pt2 file of torch.export"),
        ("torch-torchscript", Source.TORCHSCRIPT, "a TorchScript file"),
        ("tf-function", Source.SAVED_MODEL, "a TensorFlow SavedModel"),
        ("onnxruntime", Source.ONNX, "an ONNX file"),
    ],
)
def test_a_file_keeps_its_precision(runtime: str, source: Source, what: str) -> None:
    model = NET.only(source, Path("my_net"))
    assert (
        refusal(runtime, model, precision="fp16") == f"my_net is {what}, which keeps the precision that it was saved in"
    )


def test_a_device_may_be_a_provider_by_its_own_name() -> None:
    assert refusal("onnxruntime", NET, device="OpenVINOExecutionProvider") is None
    assert provider_of("OpenVINOExecutionProvider:1") == "OpenVINOExecutionProvider"
    assert provider_of("cuda:1") == "CUDAExecutionProvider"
    assert provider_of("tpu") is None


@pytest.mark.parametrize(
    ("device", "options"),
    [
        ("cpu", {}),
        ("cuda:1", {"device_id": 1, "use_tf32": 0}),
        ("CUDAExecutionProvider", {"device_id": 0, "use_tf32": 0}),
        ("xpu:1", {"device_type": "GPU.1"}),
        ("OpenVINOExecutionProvider", {}),
    ],
)
def test_a_provider_is_told_the_device_and_to_keep_all_bits(device: str, options: dict[str, object]) -> None:
    assert provider_options(device) == options


def test_a_device_without_an_execution_provider_is_refused() -> None:
    assert refusal("onnxruntime", NET, device="tpu") == (
        "onnxruntime knows no execution provider for tpu; it has cpu, cuda, mps, xpu, npu"
    )
    assert refusal("onnxruntime", NET, device="cuda:1") is None


def test_an_exported_program_stays_on_its_device() -> None:
    program = NET.only(Source.TORCH_EXPORT, Path("my_net.pt2"))
    assert "stays on the device" in (refusal("torch-export-aoti", program, device="cuda") or "")
    assert refusal("torch-export-aoti", program) is None


@pytest.mark.parametrize("runtime", installed())
def test_only_these_convert(runtime: str) -> None:
    part = load_runtime(runtime)
    assert part.converts(NET) == (runtime in {"onnxruntime", "torch-export-aoti"})
    if runtime == "onnxruntime":
        assert not part.converts(ONNX)


@pytest.mark.parametrize("runtime", [name for name in installed() if not load_runtime(name).converts(NET)])
def test_converting_where_nothing_converts_is_an_error(runtime: str, tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match=f"{runtime} executes my_net without converting it"):
        load_runtime(runtime).convert(NET, NET.inputs(1, seed=0), Case("my_net", runtime), tmp_path)


@pytest.mark.parametrize(
    ("device", "kind", "index"), [("cpu", "cpu", 0), ("cuda", "cuda", 0), ("cuda:1", "cuda", 1), ("xpu:12", "xpu", 12)]
)
def test_devices_are_named_as_in_torch(device: str, kind: str, index: int) -> None:
    assert (device_kind(device), device_index(device)) == (kind, index)
