"""What must be known of a kind of model file: how to recognise it, what it takes, and what it answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from kb.models.errors import ModelError
from kb.models.interface import Array, Source
from kb.models.signature import TensorSpec


class Format(Protocol):
    """One kind of model file. Only `signature` and `reference` import its framework."""

    source: Source
    words: str  #: what the file should be, for messages

    def check(self, path: Path) -> None:
        """Raise ModelError where the file, which exists and is not empty, is plainly of another kind or cut off."""
        ...

    def signature(self, path: Path) -> list[TensorSpec]:
        """The inputs, in the order in which they are passed, as far as the file tells.

        Raises:
            ModelError: the file cannot be read, or takes something else than tensors.
        """
        ...

    def reference(self, path: Path, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """The most trustworthy outputs that the file itself gives, and their origin.

        Raises:
            ModelError: the file cannot be read or run.
        """
        ...


@contextmanager
def reading(path: Path, words: str) -> Iterator[None]:
    """Turn whatever a framework raises about a user's file into one line that names the file."""
    try:
        yield
    except ModelError:
        raise
    except ModuleNotFoundError as error:
        raise ModelError(f"{path}: {words} cannot be read without {error.name}, which is not installed") from error
    except Exception as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"{path}: cannot be used as {words}: {reason}") from error
