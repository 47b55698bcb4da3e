"""KB-0040: compiles a function for the CPU where no C++ compiler can be found; one that is there is hidden."""

import os
import sys
from pathlib import Path

try:
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

os.environ["PATH"] = str(Path.cwd())
os.environ["CXX"] = "g++"
os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(Path.cwd() / "cache")


@torch.compile
def add(x: torch.Tensor) -> torch.Tensor:
    return torch.sin(x) + x


add(torch.randn(64))
print("gone: torch.compile needs no compiler")
