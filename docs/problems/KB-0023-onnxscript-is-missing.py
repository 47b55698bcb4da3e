"""KB-0023: exports with the defaults where onnxscript cannot be imported; one that is installed is hidden."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder

try:
    import onnx  # noqa: F401
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)


class Hide(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        if name == "onnxscript":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hide())
torch.onnx.export(torch.nn.Linear(4, 4), (torch.randn(1, 4),), "model.onnx")
print("gone: the default exporter needs no onnxscript")
