"""KB-0033: imports onnx with the installed protobuf."""

import sys
from importlib.metadata import PackageNotFoundError, version

try:
    print(f"onnx {version('onnx')}, protobuf {version('protobuf')}", flush=True)
except PackageNotFoundError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

import onnx

print(f"gone: onnx {onnx.__version__} can be imported")
