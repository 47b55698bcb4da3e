"""What the two kinds of torch files share: both are zip archives, and both may be run in double precision."""

import logging
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kb.models.arrays import flat, widened
from kb.models.errors import ModelError
from kb.models.interface import Array

_log = logging.getLogger(__name__)


def members(path: Path, words: str) -> list[str]:
    """Names in the archive, without its top folder.

    Raises:
        ModelError: the file is no zip archive, or cut off (a zip archive has its directory at its end).
    """
    if not zipfile.is_zipfile(path):
        raise ModelError(f"{path}: cut off or of another kind; expected {words}, which is a zip archive")
    with zipfile.ZipFile(path) as archive:
        return [name.partition("/")[2] for name in archive.namelist()]


def widest_outputs(load: Callable[[], Any], inputs: Mapping[str, Array], path: Path) -> tuple[list[Array], str]:
    """Outputs in double precision, or the file's own where its graph insists on the precision it was saved in."""
    import torch

    tensors = [torch.from_numpy(array) for array in inputs.values()]
    wide = [torch.from_numpy(widened(array)) for array in inputs.values()]
    with torch.inference_mode():
        try:
            outputs = flat(load().double()(*wide))
            if all(output.dtype == torch.float64 for output in outputs if output.is_floating_point()):
                return [output.numpy() for output in outputs], "float64"
            _log.warning("%s: gives single precision from double inputs, so it is its own reference", path)
        except (RuntimeError, AssertionError, TypeError, ValueError) as error:
            _log.warning("%s: does not run in double precision, so it is its own reference: %s", path, error)
        return [output.numpy() for output in flat(load()(*tensors))], "self"
