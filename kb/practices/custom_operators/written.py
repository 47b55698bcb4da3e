"""What one way of writing the operator hands over, and what can be done with it in its framework."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, Self

from kb.models.interface import Array


@dataclass(frozen=True)
class Written:
    """The operator as one way writes it."""

    function: Callable[[Any], Any]  #: of one tensor
    gradient: Callable[..., Any] | None = None  #: the Python function that was written for its gradient; None: none
    translation: Any = None  #: what tells the ONNX exporter of an operator that it cannot know; None: none is needed
    build_s: float | None = None  #: compiling and loading its C++; None: there is none


class Operator(Protocol):
    """The operator with its input in place, as its framework executes it."""

    @property
    def written(self) -> Written:
        """What it was made of."""
        ...

    def forward(self) -> Any:
        """The value, as in inference: nothing is kept for a gradient."""
        ...

    def both(self) -> Any:
        """The value and, from a gradient of ones, the gradient of the input, which is returned."""
        ...

    def host(self, tensor: Any) -> Array:
        """A result as an array."""
        ...

    def compiled(self) -> Self:
        """The same, compiled as a whole: what the compiler cannot take in is an error."""
        ...

    def export(self, path: Path, translated: bool) -> None:
        """Write the operator as an ONNX file with one input and one output, with its translation if that is asked."""
        ...


def is_called(function: Callable[..., Any], during: Callable[[], Any]) -> bool:
    """Whether a Python function runs while another one does, in this thread. Nothing is changed in either."""
    code, seen = function.__code__, False

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal seen
        seen = seen or (event == "call" and frame.f_code is code)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        during()
    finally:
        sys.setprofile(before)
    return seen
