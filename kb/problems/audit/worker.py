"""What is asked of frameworks and of files from elsewhere, in a process of its own: they may hang, crash or grow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Distinct operators of one model; the largest that exporters write have some 60. More is no model that people made.
MAX_OPERATORS = 5_000
#: A name that is longer is data.
MAX_NAME = 200


def providers() -> list[str]:
    """Execution providers that ONNX Runtime has here."""
    import onnxruntime

    return list(onnxruntime.get_available_providers())


def describe(path: str) -> dict[str, Any]:
    """Versions and operators of an ONNX file; weights in other files are not touched.

    Raises:
        ValueError: it is none.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(Path(path).read_bytes(), format="protobuf")
    except DecodeError as error:
        raise ValueError(f"it is no ONNX model, or is damaged ({error})") from None
    if not model.ir_version or not (model.graph.node or model.graph.output):
        raise ValueError("it is no ONNX model: it has no IR version, or no graph")
    found: set[tuple[str, str]] = set()
    for domain, kind in _operators(model):
        found.add((domain[:MAX_NAME], kind[:MAX_NAME]))
        if len(found) > MAX_OPERATORS:
            raise ValueError(f"it has more than {MAX_OPERATORS} kinds of operators")
    return {
        "ir_version": model.ir_version,
        "opsets": {_domain(each.domain)[:MAX_NAME]: each.version for each in model.opset_import},
        "producer": model.producer_name[:MAX_NAME],
        "producer_version": model.producer_version[:MAX_NAME],
        "operators": sorted(found),
    }


def _operators(model: Any) -> Iterator[tuple[str, str]]:
    """Domain and type of every node: of the graph, of the graphs in it, and of the model's own functions."""
    own = {(_domain(each.domain), each.name) for each in model.functions}
    waiting = [model.graph.node, *(each.node for each in model.functions)]
    while waiting:
        for node in waiting.pop():
            if (operator := (_domain(node.domain), node.op_type)) not in own:
                yield operator
            for attribute in node.attribute:
                waiting += [graph.node for graph in (attribute.g, *attribute.graphs) if graph.node]


def _domain(name: str) -> str:
    """The default domain has two names."""
    return "" if name == "ai.onnx" else name
