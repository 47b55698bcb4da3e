"""Files of a user's, made by the real frameworks: what they take, what judges them, and what is wrong with bad ones."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.models.artefact import Artefact, ArtefactSpec
from kb.models.errors import ModelError
from kb.models.interface import Model, Source

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")


@dataclass(frozen=True)
class Tensor:
    """What the settings say of one input."""

    shape: list[int | str]
    dtype: str = "float32"


@dataclass(frozen=True)
class Settings:
    """What the settings say of one file."""

    name: str
    path: Path
    reference: Path | None = None
    inputs: dict[str, Tensor] = field(default_factory=dict)


SIZES = {"image": Tensor(["batch", 3, 8, 8]), "scale": Tensor(["batch", 1])}


class Net(torch.nn.Module):
    """Two inputs, a free height; `steady` computes in single precision whatever it is given."""

    def __init__(self, steady: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.dense = torch.nn.Linear(4, 5)
        self.steady = steady

    def forward(self, image: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        logits = self.dense(self.conv(image).relu().mean((2, 3))) * scale
        return logits.to(torch.float32) if self.steady else logits


class Mixed(torch.nn.Module):
    """Makes a constant of single precision, which double precision cannot be multiplied with."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ torch.eye(4, dtype=torch.float32)


def example(batch: int = 2) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(batch)
    return torch.randn(batch, 3, 8, 8, generator=generator), torch.randn(batch, 1, generator=generator)


def axes(batch: object, height: object) -> tuple[dict[int, object], dict[int, object]]:
    return {0: batch, 2: height}, {0: batch}


def save_onnx(path: Path, external: bool = False, **options: Any) -> None:
    pytest.importorskip("onnxscript")
    torch.onnx.export(
        Net().eval(),
        example(),
        str(path),
        input_names=["image", "scale"],
        external_data=external,
        verbose=False,
        **options,
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each kind."""
    folder = tmp_path_factory.mktemp("files")
    net = Net().eval()
    save_onnx(folder / "net.onnx", dynamic_shapes=axes("batch", "height"))
    save_onnx(folder / "fixed.onnx", external=True)
    torch.jit.trace(net, example()).save(str(folder / "net.pt"))
    torch.jit.script(Net(steady=True).eval()).save(str(folder / "steady.ts"))
    batch, height = torch.export.Dim("batch", max=64), torch.export.Dim("height", min=4, max=99)
    torch.export.save(torch.export.export(net, example(), dynamic_shapes=axes(batch, height)), folder / "net.pt2")
    with torch.no_grad():
        rows = example(6)
        expected = net(*rows).numpy()
    np.savez(folder / "net.npz", scale=rows[1].numpy(), image=rows[0].numpy(), expected_0=expected)
    return folder


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    image, scale = keras.Input((8, None, 3), name="image"), keras.Input((1,), name="scale")
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    outputs = {"z_logits": keras.layers.Dense(5)(x) * scale, "a_mean": x}
    path = tmp_path_factory.mktemp("saved") / "net"
    keras.Model({"scale": scale, "image": image}, outputs).export(str(path), verbose=False)
    return path


def opened(path: Path, reference: Path | None = None, **inputs: Tensor) -> Artefact:
    return Artefact(ArtefactSpec.of(Settings("my_net", path, reference, inputs)))


def expected(inputs: dict[str, Any]) -> np.ndarray:
    with torch.no_grad():
        return Net().eval().double()(*(torch.from_numpy(array.astype(np.float64)) for array in inputs.values())).numpy()


@pytest.mark.parametrize(
    ("name", "settings", "height", "origin"),
    [
        ("net.onnx", {}, 64, "onnx-reference"),
        ("net.onnx", {"image": Tensor(["batch", 3, 12, 8])}, 12, "onnx-reference"),
        ("net.pt", SIZES, 8, "float64"),
        ("net.pt2", {}, 8, "float64"),  # as in its example
        ("net.pt2", {"image": Tensor(["batch", 3, 12, 8])}, 12, "float64"),
        ("steady.ts", SIZES, 8, "self"),
    ],
)
def test_inputs_fit_the_file_and_its_reference_is_right(
    files: Path, name: str, settings: dict[str, Tensor], height: int, origin: str
) -> None:
    model = opened(files / name, **settings)
    inputs = model.inputs(3, seed=1)
    assert list(inputs) == ["image", "scale"]
    assert inputs["image"].shape == (3, 3, height, 8)
    assert inputs["scale"].shape == (3, 1)
    np.testing.assert_array_equal(inputs["image"], model.inputs(3, seed=1)["image"])
    assert not np.array_equal(inputs["image"], model.inputs(3, seed=2)["image"])
    (output,), said = model.reference(inputs)
    assert said == origin
    assert output.dtype == (np.float64 if origin == "float64" else np.float32)
    np.testing.assert_allclose(output, expected(inputs), rtol=0, atol=1e-12 if origin == "float64" else 1e-6)


@pytest.mark.parametrize("name", ["mixed.pt", "mixed.pt2"])
def test_what_cannot_run_in_double_precision_is_its_own_reference(tmp_path: Path, name: str) -> None:
    x = torch.randn(2, 4)
    if name == "mixed.pt":
        torch.jit.trace(Mixed(), x).save(str(tmp_path / name))
    else:
        batch = torch.export.Dim("batch")
        torch.export.save(torch.export.export(Mixed(), (x,), dynamic_shapes=({0: batch},)), tmp_path / name)
    model = opened(tmp_path / name, x=Tensor(["batch", 4]))
    inputs = model.inputs(3, 0)
    (output,), origin = model.reference(inputs)
    assert origin == "self"
    np.testing.assert_array_equal(output, inputs["x"])


def test_a_saved_model_is_run_by_its_serving_signature(saved_model: Path) -> None:
    import tensorflow as tf

    model = opened(saved_model, image=Tensor(["batch", 8, 10, 3]))
    assert model.sources == {Source.SAVED_MODEL}
    inputs = model.inputs(3, 0)
    assert {name: array.shape for name, array in inputs.items()} == {"image": (3, 8, 10, 3), "scale": (3, 1)}
    assert model.keras_inputs(inputs).keys() == inputs.keys()
    (mean, logits), origin = model.reference(inputs)  # in alphabetical order
    assert origin == "self"
    assert (mean.shape, logits.shape) == ((3, 4), (3, 5))
    owner = tf.saved_model.load(str(saved_model))
    served = owner.serve({name: tf.constant(array) for name, array in inputs.items()})
    np.testing.assert_allclose(logits, served["z_logits"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["net.onnx", "net.pt", "net.pt2"])
@pytest.mark.parametrize("batch", [2, 9])
def test_a_reference_file_gives_inputs_and_expected_outputs(files: Path, name: str, batch: int) -> None:
    model = opened(files / name, files / "net.npz")
    inputs = model.inputs(batch, seed=5)
    assert list(inputs) == ["image", "scale"]  # in the model's order, not in the file's
    (output,), origin = model.reference(inputs)
    assert origin == "file"
    np.testing.assert_allclose(output, expected(inputs), rtol=0, atol=1e-6)


def test_a_reference_file_may_hold_inputs_only(files: Path, tmp_path: Path) -> None:
    with np.load(files / "net.npz") as given:
        np.savez(tmp_path / "inputs.npz", image=given["image"], scale=given["scale"])
    model = opened(files / "net.pt", tmp_path / "inputs.npz")
    assert model.reference(model.inputs(2, 0))[1] == "float64"


def test_a_file_is_a_model_of_one_form_only(files: Path) -> None:
    model = opened(files / "net.onnx")
    assert isinstance(model, Model)
    assert model.sources == {Source.ONNX}
    assert model.path == files / "net.onnx"
    assert model.weights() == {}
    for build in (model.torch_module, model.keras_model):
        with pytest.raises(ModelError, match="model 'my_net' is an ONNX file, not a"):
            build()


def test_weights_beside_an_onnx_file_are_found(files: Path) -> None:
    model = opened(files / "fixed.onnx")
    inputs = model.inputs(2, 0)
    (output,), _ = model.reference(inputs)
    np.testing.assert_allclose(output, expected(inputs), rtol=0, atol=1e-6)


def test_a_file_of_one_batch_size_refuses_others(files: Path) -> None:
    for reference in (None, files / "net.npz"):
        with pytest.raises(ModelError, match=r"model 'my_net': input 'image' takes batches of 2 only, not of 3"):
            opened(files / "fixed.onnx", reference).inputs(3, 0)


def test_an_operator_that_the_evaluator_lacks_makes_the_file_its_own_reference(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    helper = onnx.helper
    sides = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", 4]) for name in ("x", "y")]
    node = helper.make_node("QuickGelu", ["x"], ["y"], domain="com.microsoft")
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph([node], "graph", sides[:1], sides[1:])
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "net.onnx")
    model = opened(tmp_path / "net.onnx")
    inputs = model.inputs(3, 0)
    (output,), origin = model.reference(inputs)
    assert origin == "self"
    np.testing.assert_allclose(output, inputs["x"] / (1 + np.exp(-1.702 * inputs["x"])), rtol=1e-5)


@pytest.mark.parametrize("name", ["net.onnx", "net.pt", "net.ts", "net.pt2", "net", "net.h5"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=rf"model 'my_net': .*{name}: no such file; expected \.onnx, \.pt,"):
        opened(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "words"),
    [("net.onnx", "an ONNX file"), ("net.pt", "a TorchScript file"), ("net.pt2", "a .pt2 file of torch.export.save")],
)
def test_an_empty_file_is_named(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(ModelError) as caught:
        opened(tmp_path / name)
    assert f"{tmp_path / name}: is empty; expected {words}" in str(caught.value)


@pytest.mark.parametrize("name", ["net.onnx", "net.pt", "net.pt2"])
@pytest.mark.parametrize("kind", ["truncated", "foreign"])
def test_a_damaged_file_is_named(files: Path, tmp_path: Path, name: str, kind: str) -> None:
    whole = (files / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2] if kind == "truncated" else b"<html>404</html>" * 100)
    with pytest.raises(ModelError) as caught:
        opened(tmp_path / name, **(SIZES if name == "net.pt" else {})).inputs(2, 0)
    assert str(caught.value).startswith(f"model 'my_net': {tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_weights_alone_are_no_torchscript(tmp_path: Path) -> None:
    torch.save(Net().state_dict(), tmp_path / "net.pt")
    with pytest.raises(ModelError, match="holds no code, perhaps only weights"):
        opened(tmp_path / "net.pt")


def test_torchscript_is_no_exported_program(files: Path, tmp_path: Path) -> None:
    shutil.copy(files / "net.pt", tmp_path / "net.pt2")
    with pytest.raises(ModelError, match=r"holds no exported program; expected a \.pt2 file"):
        opened(tmp_path / "net.pt2")


def test_a_kind_that_kb_does_not_know_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(b"TFL3")
    with pytest.raises(ModelError, match=r"not a kind of model file that kb knows; expected \.onnx, \.pt, \.ts, \.pt2"):
        opened(tmp_path / "net.tflite")


def test_weights_that_were_left_behind_or_cut_off_are_named(files: Path, tmp_path: Path) -> None:
    shutil.copy(files / "fixed.onnx", tmp_path / "fixed.onnx")
    with pytest.raises(ModelError, match=r"weights are in fixed\.onnx\.data, which is not beside it"):
        opened(tmp_path / "fixed.onnx").inputs(2, 0)
    (tmp_path / "fixed.onnx.data").write_bytes((files / "fixed.onnx.data").read_bytes()[:50])
    with pytest.raises(ModelError, match=r"fixed\.onnx\.data: cut off: 50 bytes"):
        opened(tmp_path / "fixed.onnx").inputs(2, 0)


def test_a_torchscript_file_needs_shapes_from_somewhere(files: Path) -> None:
    with pytest.raises(
        ModelError, match=r"net\.pt does not say the shape of 'image': add to its \[\[tool\.kb\.artefacts"
    ):
        opened(files / "net.pt").inputs(2, 0)


def test_settings_that_contradict_the_file_are_refused(files: Path) -> None:
    with pytest.raises(ModelError, match="model 'my_net': there is no input 'picture'"):
        opened(files / "net.onnx", picture=Tensor(["batch", 3, 8, 8])).inputs(2, 0)


def test_a_reference_file_for_another_model_is_refused(files: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", picture=np.zeros((4, 3), np.float32))
    with pytest.raises(ModelError, match="has inputs picture; expected image, scale"):
        opened(files / "net.onnx", tmp_path / "other.npz").inputs(2, 0)


def test_an_exported_program_with_keywords_is_refused(tmp_path: Path) -> None:
    image, scale = example()
    torch.export.save(torch.export.export(Net().eval(), (image,), {"scale": scale}), tmp_path / "net.pt2")
    with pytest.raises(ModelError, match="takes keywords or nested inputs"):
        opened(tmp_path / "net.pt2").inputs(2, 0)


def test_a_script_that_takes_a_number_is_refused(tmp_path: Path) -> None:
    class Times(torch.nn.Module):
        def forward(self, x: torch.Tensor, n: int) -> torch.Tensor:
            return x * n

    torch.jit.script(Times()).save(str(tmp_path / "net.pt"))
    with pytest.raises(ModelError, match="argument 'n' is int; only tensors can be fed"):
        opened(tmp_path / "net.pt", x=Tensor(["batch", 2])).inputs(2, 0)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "saved_model.pb").unlink(), "a folder without a saved_model.pb"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b""), "a folder without a saved_model.pb"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b"hello" * 99), "Cannot parse file"),
        (lambda folder: shutil.rmtree(folder / "variables"), "Failed to find any matching files"),
    ],
    ids=["missing", "empty", "foreign", "without variables"],
)
def test_a_damaged_saved_model_is_named(saved_model: Path, tmp_path: Path, damage: Any, message: str) -> None:
    folder = tmp_path / "net"
    shutil.copytree(saved_model, folder)
    damage(folder)
    with pytest.raises(ModelError) as caught:
        opened(folder).inputs(2, 0)
    assert str(caught.value).startswith(f"model 'my_net': {folder}: ")
    assert message in str(caught.value)


def test_a_saved_model_without_a_serving_signature_is_refused(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    tf.saved_model.save(tf.Module(), str(tmp_path / "net"))
    with pytest.raises(ModelError, match=r"has no signature 'serving_default' \(found: none\)"):
        opened(tmp_path / "net").inputs(2, 0)
