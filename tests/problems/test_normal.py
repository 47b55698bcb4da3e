"""What varies between two pastes of one error becomes a placeholder, and the lines that say what is wrong are found."""

import time

import pytest

from kb.problems.normal import MAX_MESSAGES, cleaned, messages, normalised

NORMALISED = {
    # numbers and shapes
    "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)": (
        "mat1 and mat2 shapes cannot be multiplied ({shape} and {shape})"
    ),
    "expected shape=(None, 224, 224, 3), found shape=(None, 32)": "expected shape={shape}, found shape={shape}",
    "with shape torch.Size([1000, 2048]) from checkpoint": "with shape {shape} from checkpoint",
    "got [2, 3] and {2,3} for dims": "got {shape} and {shape} for dims",
    "Got invalid dimensions for input: tokens for the following indices index: 1 Got: 8 Expected: 16": (
        "Got invalid dimensions for input: {name} for the following indices index: {int} Got: {int} Expected: {int}"
    ),
    "max absolute difference 1.2e-05 at step -3 (0.5 %)": "max absolute difference {float} at step {int} ({float} %)",
    "This is step 1/3 of exporting": "This is step {int}/{int} of exporting",
    "conv2d of float32 in mat1 with aten::_upsample_bicubic2d_aa": (
        "conv2d of float32 in mat1 with aten::_upsample_bicubic2d_aa"
    ),
    # paths
    "File '/home/ann/.venv/lib/python3.11/site-packages/torch/onnx/utils.py' is odd": "File '{path}' is odd",
    r"No such file or directory: 'C:\Users\Ann Lee\nets\net.onnx'": "No such file or directory: '{path}'",
    "cannot read ./out/model.onnx.data or weights.pth": "cannot read {path} or {path}",
    "module 'torch.onnx' has no attribute 'dynamo_export'": "module 'torch.onnx' has no attribute 'dynamo_export'",
    "/usr/lib/libcudnn.so.9: cannot open shared object file": "{path}libcudnn.so.{int}: cannot open shared object file",
    "see https://pytorch.org/docs/stable/onnx.html for more": "see {path} for more",
    # names in graphs
    "Could not find an implementation for Gemm(13) node with name 'node_linear'": (
        "Could not find an implementation for Gemm({int}) node with name '{name}'"
    ),
    "while running Add node. Name:'/model/layers.0/Add_1' Status Message: x": (
        "while running Add node. Name:'{name}' Status Message: x"
    ),
    "Tensorflow op [vit_tiny_1/activation_1/Gelu/Erfc: Erfc] is not supported": (
        "Tensorflow op [{name}: Erfc] is not supported"
    ),
    "KeyError: 'keras_tensor_12'": "KeyError: 'keras_tensor_{int}'",
    "input onnx::MatMul_412 of node": "input {name} of node",
    # where native code noticed it
    "FAIL : /onnxruntime_src/onnxruntime/core/graph/model.cc:256 onnxruntime::Model::Model(onnx::ModelProto&&, const "
    "onnxruntime::PathString&) Unsupported model IR version: 99": (
        "FAIL : {path}:{int} {any} Unsupported model IR version: {int}"
    ),
    # the rest
    "Please fix either the inputs/outputs or the model.": "Please fix either the inputs/outputs or the model.",
    "torch 2.13.0+cu124 needs onnx 1.23.2": "torch {version} needs onnx {version}",
    "object at 0x7f3c2a1b5d10 of 6f1b2a3c-1111-2222-3333-444455556666": "object at {hex} of {hex}",
    "stopped at 2026-11-27T03:15:00.123Z and 03:15:00": "stopped at {any} and {any}",
    "the axis {batch} is taken": "the axis {any} is taken",
}


@pytest.mark.parametrize(("line", "expected"), NORMALISED.items())
def test_what_varies_becomes_a_placeholder(line: str, expected: str) -> None:
    assert normalised(line) == expected


PREFIXED = {
    "colours": "\x1b[1m\x1b[31mRuntimeError: it broke\x1b[0m",
    "pytest": "E       RuntimeError: it broke",
    "GitHub Actions": "2026-11-27T03:15:00.1234567Z RuntimeError: it broke",
    "GitHub's own log": "test\tRun tests\t2026-11-27T03:15:00.1234567Z RuntimeError: it broke",
    "an error of GitHub Actions": "##[error]RuntimeError: it broke",
    "docker compose": "trainer-1  | RuntimeError: it broke",
    "torchrun": "[rank0]: RuntimeError: it broke",
    "ray": "(train pid=4711) RuntimeError: it broke",
    "logging": "ERROR:train.loop:RuntimeError: it broke",
    "absl": "E1127 03:15:00.123456  4711 train.py:88] RuntimeError: it broke",
    "TensorFlow": "2026-11-27 03:15:00.123456: E tensorflow/core/framework/op.cc:12] RuntimeError: it broke",
    "a box of rich": "│ RuntimeError: it broke                    │",
    "an exception group": "  | RuntimeError: it broke",
    "Windows line ends": "RuntimeError: it broke\r",
}


@pytest.mark.parametrize("line", PREFIXED.values(), ids=PREFIXED)
def test_what_stands_before_a_line_is_taken_off(line: str) -> None:
    assert messages(cleaned(line)) == ["RuntimeError: it broke"]


CHAINED = """\
Traceback (most recent call last):
  File "/home/ann/export.py", line 12, in <module>
    torch.onnx.export(model, args)
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
torch._dynamo.exc.UserError: Could not guard on data-dependent expression Eq(u0, 1)

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/home/ann/export.py", line 12, in <module>
    raise TorchExportError("x") from error
pkg.Odd: Failed to export the model.
- Modify the model.
"""


def test_each_chained_traceback_gives_its_exception_whatever_its_class_is_called() -> None:
    assert messages(cleaned(CHAINED)) == [
        "torch._dynamo.exc.UserError: Could not guard on data-dependent expression Eq(u0, 1)",
        "pkg.Odd: Failed to export the model.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for Gemm(13)",
        "Fatal Python error: Segmentation fault",
        "terminate called after throwing an instance of 'c10::Error'",
        "  what():  index out of range",
        "RuntimeError: DataLoader worker (pid 5) is killed by signal: Bus error. ",
        "F0000 00:00:1700 4711 tensor.cc:12] Check failed: ok",
        "ERROR: Cannot install -r requirements.txt (line 1) because these package versions have conflicts",
        "<string>:1: UserWarning: something",
    ],
)
def test_what_native_code_and_tools_say_is_a_message(line: str) -> None:
    surrounded = f'some progress 10 %\n    x = f(a)\n{line}\n  File "a.py", line 1, in f'
    assert any(line.split()[-1] in message for message in messages(cleaned(surrounded)))
    assert "some progress 10 %" not in messages(cleaned(surrounded))


def test_where_no_line_says_what_is_wrong_all_count() -> None:
    assert messages(cleaned("the export hangs\nafter a minute")) == ["the export hangs", "after a minute"]


HOSTILE = {
    "one line": "a" * 10_000_000,
    "slashes": "/a" * 5_000_000,
    "open brackets": "(" * 10_000_000,
    "half a shape": "1," * 5_000_000,
    "half a colour": "\x1b]" * 5_000_000,
    "marked lines": "E   x\n" * 1_600_000,
    "headers": "Traceback (most recent call last):\n" * 300_000,
    "frames": '  File "x.py", line 1, in f\n' * 400_000,
    "zeros": "\0" * 10_000_000,
}


@pytest.mark.parametrize("paste", HOSTILE.values(), ids=HOSTILE)
def test_a_paste_of_ten_megabytes_ends_quickly(paste: str) -> None:
    start = time.process_time()
    found = [normalised(message) for message in messages(cleaned(paste))]
    assert time.process_time() - start < 2
    assert len(found) <= MAX_MESSAGES


def test_of_a_long_log_the_end_is_read() -> None:
    log = "INFO:train:step\n" * 100_000 + CHAINED
    assert messages(cleaned(log))[-1] == "pkg.Odd: Failed to export the model."
