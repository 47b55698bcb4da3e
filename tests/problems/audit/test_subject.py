"""What is audited: real files of models, damaged ones too, and the facts of this machine."""

import os
import platform
from pathlib import Path
from typing import Any

import pytest

from kb.problems.audit.subject import machine_facts, read_model, subject_of
from kb.problems.errors import ProblemError

onnx = pytest.importorskip("onnx")


def graph(*nodes: Any) -> Any:
    return onnx.helper.make_graph(list(nodes), "g", [], [onnx.helper.make_tensor_value_info("y", 1, None)])


def save_model(path: Path, **fields: Any) -> Path:
    """A model with a branch, an operator of a domain of its own, and a function."""
    inner = graph(onnx.helper.make_node("Resize", ["a"], ["y"]))
    own = onnx.helper.make_function(
        "mine", "Twice", ["a"], ["y"], [onnx.helper.make_node("Selu", ["a"], ["y"])],
        [onnx.helper.make_opsetid("", 17)],
    )  # fmt: skip
    model = onnx.helper.make_model(
        graph(
            onnx.helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner),
            onnx.helper.make_node("BiasGelu", ["a"], ["z"], domain="com.microsoft"),
            onnx.helper.make_node("Twice", ["a"], ["t"], domain="mine"),
        ),
        functions=[own],
        opset_imports=[
            onnx.helper.make_opsetid(domain, version)
            for domain, version in (("", 17), ("com.microsoft", 1), ("mine", 1))
        ],
        **{"producer_name": "pytorch", "producer_version": "2.4.0", "ir_version": 8, **fields},
    )
    path.write_bytes(model.SerializeToString())
    return path


class TestModel:
    def test_operators_of_subgraphs_and_functions_are_found(self, tmp_path: Path) -> None:
        facts = read_model(save_model(tmp_path / "m.onnx"))
        assert (facts.opsets[""], facts.ir_version, facts.producer, facts.producer_version) == (
            17,
            8,
            "pytorch",
            "2.4.0",
        )
        assert {kind for _, kind in facts.operators} == {"If", "Resize", "BiasGelu", "Selu"}
        assert facts.custom_domains == ("com.microsoft",)
        assert {"Resize", "ai.onnx::Resize", "BiasGelu", "com.microsoft::BiasGelu"} <= facts.names
        assert facts.sentence == (
            "m.onnx: opset 17, IR version 8, by pytorch 2.4.0; 4 kinds of operators; custom domains: com.microsoft 1"
        )

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "no ONNX model"),
            (b"PK\x03\x04 a zip file" * 100, "no ONNX model"),
            (b"\x08\x08", "no ONNX model"),
        ],
    )  # fmt: skip
    def test_what_is_no_model_is_one_line(self, tmp_path: Path, content: bytes, said: str) -> None:
        path = tmp_path / "m.onnx"
        path.write_bytes(content)
        with pytest.raises(ProblemError, match=said) as caught:
            read_model(path)
        assert str(caught.value).startswith(f"{path}: cannot be audited: ")
        assert "\n" not in str(caught.value)

    def test_a_torn_file_is_one_line(self, tmp_path: Path) -> None:
        path = save_model(tmp_path / "m.onnx")
        path.write_bytes(path.read_bytes()[:-7])
        with pytest.raises(ProblemError, match="no ONNX model, or is damaged"):
            read_model(path)

    def test_a_huge_file_is_refused_unread(self, tmp_path: Path) -> None:
        path = tmp_path / "m.onnx"
        with path.open("wb") as file:
            os.truncate(file.fileno(), 2**31 + 5)
        with pytest.raises(ProblemError, match=r"2\.0 GiB, and an ONNX file has less than 2"):
            read_model(path)

    def test_what_is_no_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ProblemError, match="no such file"):
            read_model(tmp_path)

    def test_a_model_brings_its_opset_and_the_version_of_its_exporter(self, tmp_path: Path) -> None:
        (tmp_path / "r.txt").write_text("torch==2.6\nonnx==1.16\n")
        subject = subject_of(tmp_path / "r.txt", save_model(tmp_path / "m.onnx"), asks=frozenset())
        assert {name: str(one) for name, one in subject.environment.packages.items()} == {
            "torch": "2.4.0",
            "onnx": "1.16",
        }
        assert subject.environment.facts == {"opset": ("17",)}

    def test_a_producer_that_is_no_package_changes_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "r.txt").write_text("torch==2.6\n")
        model = save_model(tmp_path / "m.onnx", producer_name="", producer_version="")
        assert str(subject_of(tmp_path / "r.txt", model, asks=frozenset()).environment.packages["torch"]) == "2.6"


class TestMachine:
    def test_only_what_is_asked_for_is_looked_up(self) -> None:
        assert machine_facts(frozenset(), has_runtime=True) == {}
        facts = machine_facts(frozenset({"python", "device", "os", "cpu_flag"}), has_runtime=False)
        assert facts["python"] == (platform.python_version(),)
        assert facts["device"][0] == "cpu"
        assert set(facts) == {"python", "device", "os", "cpu_flag"}

    def test_without_a_runtime_there_is_no_provider(self) -> None:
        assert machine_facts(frozenset({"provider"}), has_runtime=False) == {"provider": ()}

    def test_providers_are_asked_of_the_runtime(self) -> None:
        pytest.importorskip("onnxruntime")
        assert "CPUExecutionProvider" in machine_facts(frozenset({"provider"}), has_runtime=True)["provider"]

    def test_a_list_of_packages_says_nothing_of_a_machine(self, tmp_path: Path) -> None:
        (tmp_path / "r.txt").write_text("torch==2.6\n")
        assert subject_of(tmp_path / "r.txt", None, asks=frozenset({"os", "python"})).environment.facts == {}
