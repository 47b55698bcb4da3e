"""KB-0034: imports onnx with the installed ml_dtypes."""

import sys
from importlib.metadata import PackageNotFoundError, version

try:
    print(f"onnx {version('onnx')}, ml_dtypes {version('ml_dtypes')}", flush=True)
except PackageNotFoundError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

import onnx

print(f"gone: onnx {onnx.__version__} can be imported")
