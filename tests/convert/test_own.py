"""A user's own file: checked as the reference models are, reported in three ways, and refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from kb.cli import main
from kb.convert.opsets import compatibility
from kb.convert.own import as_markdown
from kb.convert.precisions import reduce
from kb.models.trained.interface import Split
from tests.convert import files, originals
from tests.convert.small import SAMPLES, SmallLabelled

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

ROOT = Path(__file__).parents[2]
REFERENCE = ("--reference", "tests.convert.files:truth")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.kb]\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the worker finds the reference there
    return tmp_path


def kb(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["-C", str(project), "convert", *arguments], catch_exceptions=False)


def rows(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def labelled(path: Path, count: int = SAMPLES) -> Path:
    samples, labels = SmallLabelled().labelled(Split.TEST)
    np.savez(path, x=samples["x"][:count], labels=labels[:count])
    return path


@pytest.mark.slow
def test_a_sound_file_passes_and_a_wrong_one_fails_with_code_4(project: Path) -> None:
    sound = kb(project, "--onnx", str(files.sound(project / "m.onnx")), *REFERENCE, "--format", "json")
    assert sound.exit_code == 0, sound.output
    assert [(row["route"], row["status"]) for row in rows(sound)] == [("as-given", "ok")]
    wrong = kb(project, "--onnx", str(files.transposed_kernel(project / "w.onnx")), *REFERENCE, "--format", "json")
    assert wrong.exit_code == 4
    assert rows(wrong)[0]["status"] == "wrong_output"


@pytest.mark.slow
@pytest.mark.parametrize(("form", "words"), [("table", "wrong_output"), ("markdown", "| wrong\\_output |")])
def test_the_report_is_a_table_or_markdown(project: Path, form: str, words: str) -> None:
    path = files.transposed_kernel(project / "w.onnx")
    result = kb(project, "--onnx", str(path), *REFERENCE, "--format", form)
    assert words in result.stdout
    assert result.exit_code == 4


@pytest.mark.slow
def test_labelled_data_put_it_before_the_gate(project: Path) -> None:
    path = str(files.sound(project / "m.onnx"))
    passed = kb(project, "--onnx", path, *REFERENCE, "--data", str(labelled(project / "d.npz")), "--format", "json")
    assert passed.exit_code == 0, passed.output
    assert rows(passed)[0]["flips"] == 0
    few = kb(project, "--onnx", path, *REFERENCE, "--data", str(labelled(project / "f.npz", 300)), "--format", "json")
    assert few.exit_code == 4
    assert rows(few)[0]["reason"].startswith("not enough data: 300 samples")


@pytest.mark.slow
def test_inputs_with_the_outputs_they_should_give_are_reference_enough(project: Path) -> None:
    x = files.x_of(8, 3)
    np.savez(project / "samples.npz", x=x, expected_0=files.truth(x))
    path = str(files.sound(project / "m.onnx"))
    result = kb(project, "--onnx", path, "--inputs", str(project / "samples.npz"), "--format", "json")
    assert rows(result)[0]["reference"] == "file"


@pytest.mark.slow
def test_a_torchscript_file_is_converted_and_compared_with_itself(project: Path) -> None:
    import torch

    module = SmallLabelled().torch_module()
    torch.jit.trace(module, torch.from_numpy(files.x_of(2, 0))).save(str(project / "m.pt"))
    np.savez(project / "samples.npz", **{"input": files.x_of(8, 0)})
    result = kb(
        project, "--torchscript", str(project / "m.pt"), "--inputs", str(project / "samples.npz"), "--format", "json"
    )
    assert [(row["route"], row["status"]) for row in rows(result)] == [("torch-torchscript", "ok")], result.output


@pytest.mark.slow
def test_a_keras_file_takes_every_route_from_keras(project: Path) -> None:
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3, activation="tanh")])
    model.save(project / "m.keras")
    result = kb(project, "--keras", str(project / "m.keras"), "--format", "json")
    assert {row["route"]: row["status"] for row in rows(result)} == {
        "keras-export": "ok",
        "tf2onnx-function": "ok",
        "tf2onnx-saved-model": "ok",
    }, result.output


@pytest.mark.slow
def test_a_saved_model_is_converted_and_compared_with_itself(project: Path) -> None:
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3, activation="tanh")])
    model.export(str(project / "saved"), verbose=False)
    result = kb(project, "--saved-model", str(project / "saved"), "--format", "json")
    assert [(row["route"], row["status"]) for row in rows(result)] == [("tf2onnx-saved-model", "ok")], result.output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "is empty"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(project: Path, content: bytes | None, words: str) -> None:
    path = project / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    result = kb(project, "--onnx", str(path), *REFERENCE)
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"this is no protobuf, whatever it says",
        lambda whole: whole[: len(whole) // 2],
    ],
)
def test_a_damaged_file_is_one_line_and_stays_as_it_is(project: Path, damage: Callable[[bytes], bytes]) -> None:
    path = files.sound(project / "m.onnx")
    path.write_bytes(content := damage(path.read_bytes()))
    before = sorted(project.rglob("*"))
    result = kb(project, "--onnx", str(path), *REFERENCE, "--format", "json")
    assert result.exit_code == 4
    (row,) = rows(result)
    assert row["status"] != "ok"
    assert "m.onnx" in row["reason"]
    assert "\n" not in row["reason"]
    assert path.read_bytes() == content
    assert sorted(project.rglob("*")) == before


@pytest.mark.slow
def test_weights_that_are_not_beside_the_file_are_named(project: Path) -> None:
    import onnx

    path = files.sound(project / "m.onnx")
    onnx.save(onnx.load(str(path)), str(path), save_as_external_data=True, location="m.data", size_threshold=0)
    (project / "m.data").unlink()
    result = kb(project, "--onnx", str(path), *REFERENCE, "--format", "json")
    assert result.exit_code == 4
    assert "its weights are in m.data, which is not beside it" in rows(result)[0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--onnx", "m.onnx"), "an ONNX file alone says nothing"),
        (("--onnx", "m.onnx", "--keras", "m.keras"), "one file at a time"),
        (("--reference", "a:b"), "go with a file of yours"),
        (("--onnx", "m.onnx", *REFERENCE, "mlp8"), "checked alone"),
        (("--onnx", "m.onnx", *REFERENCE, "--precision", "fp17"), "no precision is called 'fp17'"),
        (("--keras", "m.onnx"), "not what the option is for"),
    ],
)
def test_wrong_use_is_one_line_with_code_2(project: Path, arguments: tuple[str, ...], words: str) -> None:
    files.sound(project / "m.onnx")
    placed = [str(project / word) if word.startswith("m.") else word for word in arguments]
    result = kb(project, *placed)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.fixture
def exported(project: Path) -> Path:
    """Of the network in `originals`, with BatchNorm left as a node of its own."""
    import torch

    path = project / "net.onnx"
    torch.onnx.export(
        originals.layers(), (torch.zeros(2, 3, 6, 6),), str(path), dynamo=False, opset_version=17,
        input_names=["image"], dynamic_axes={"image": {0: "batch"}}, do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )  # fmt: skip
    return path


LAYERS = ("--reference", "tests.convert.originals:layers", "--format", "json")


@pytest.mark.slow
def test_the_wrong_node_is_named_and_kept_by_itself_and_nothing_is_overwritten(project: Path, exported: Path) -> None:
    import onnx

    sound = kb(project, "--onnx", str(exported), *LAYERS)
    assert (rows(sound)[0]["status"], sound.exit_code) == ("ok", 0), sound.output
    proto = onnx.load(str(exported))
    norm = next(node for node in proto.graph.node if node.op_type == "BatchNormalization")
    next(entry for entry in norm.attribute if entry.name == "epsilon").f = 1e-3
    onnx.save(proto, str(exported))
    arguments = ("--onnx", str(exported), *LAYERS, "--minimal", str(project / "kept"))
    (row,) = rows(result := kb(project, *arguments))
    assert (row["status"], result.exit_code) == ("wrong_output", 4)
    assert row["diverges_at"].startswith("BatchNormalization")
    assert "aten.native_batch_norm" in row["diverges_at"]
    (folder,) = (project / "kept").iterdir()
    assert {"model.onnx", "inputs.npz", "README.md", "note.md"} <= {path.name for path in folder.iterdir()}
    again = kb(project, *arguments)
    assert again.exit_code == 2
    assert "nothing is overwritten" in again.stderr


@pytest.mark.slow
def test_a_file_in_8_bits_is_judged_as_one_and_a_wrong_scale_is_found(project: Path, exported: Path) -> None:
    import onnx

    batches = [
        {"image": np.random.default_rng(seed).standard_normal((8, 3, 6, 6)).astype(np.float32)} for seed in (1, 2)
    ]
    path = reduce("int8-static", exported, project / "q.onnx", batches)
    (row,) = rows(kb(project, "--onnx", str(path), *LAYERS))
    assert row["precision"] == "int8"
    if compatibility()["exact_static"]:
        assert row["status"] == "ok", row["reason"]
    proto = onnx.load(str(path))
    conv = next(node for node in proto.graph.node if node.op_type == "Conv")
    unpacks = next(node for node in proto.graph.node if conv.input[1] in node.output)
    scale = next(tensor for tensor in proto.graph.initializer if tensor.name == unpacks.input[1])
    scale.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(scale) * np.float32(2), scale.name))
    onnx.save(proto, str(project / "w.onnx"))
    (row,) = rows(kb(project, "--onnx", str(project / "w.onnx"), *LAYERS))
    assert row["status"] == "wrong_output"
    assert row["diverges_at"].startswith(f"DequantizeLinear {unpacks.name}"), row["diverges_at"]


@pytest.mark.slow
def test_a_file_in_8_bits_needs_an_original_that_can_be_rounded(project: Path) -> None:
    path = reduce("int8-dynamic", files.sound(project / "m.onnx"), project / "q.onnx", [])
    result = kb(project, "--onnx", str(path), *REFERENCE, "--format", "json")
    assert (rows(result)[0]["status"], result.exit_code) == ("unsupported", 4)
    assert "needs a torch module or a Keras model as reference" in rows(result)[0]["reason"]


def test_outside_text_cannot_leave_its_cell() -> None:
    row = dict.fromkeys(("error_relative", "tolerance_relative", "accuracy_loss_pp", "diverges_at", "not_isolated"))
    failed = {"route": "r", "precision": "fp32", "status": "run_failed", "stage": "parity", "reason": "a|b\n<i>"}
    assert as_markdown([{**row, **failed}]).splitlines()[2].endswith("at parity: a\\|b \\<i\\> |")
