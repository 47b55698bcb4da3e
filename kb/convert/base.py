"""What the built-in routes have in common: reasons to refuse, and the file that must be there at the end."""

from pathlib import Path

from kb.convert.errors import NothingWritten
from kb.convert.interface import Form
from kb.models.interface import Model, Source
from kb.runtimes.base import common_source

#: The oldest opset that is asked for: what older runtimes still in use can read.
OLDEST_OPSET = 15


class BaseRoute:
    """Base of the built-in routes."""

    name: str
    packages: tuple[str, ...]
    sources: tuple[Source, ...]
    form: Form = Form.ONNX

    def refuse(self, model: Model, opset: int) -> str | None:
        """A model that comes in no form that this route takes."""
        if common_source(self.sources, model) is not None:
            return None
        have = sorted(model.sources)
        return f"{model.name} comes as {' or '.join(have)}; {self.name} takes {' or '.join(self.sources)}"

    def source(self, model: Model) -> Source:
        """The form in which the model is taken, where it is not refused."""
        found = common_source(self.sources, model)
        if found is None:
            raise ValueError(f"{self.name} takes nothing that {model.name} is")
        return found


def written(path: Path, by: str) -> Path:
    """The path, where something lies there.

    Raises:
        NothingWritten: there is no file, or an empty one.
    """
    if not path.is_file() or not path.stat().st_size:
        raise NothingWritten(f"{by} ended without an error, and without a file")
    return path
