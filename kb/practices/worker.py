"""What a worker process does for one arm of a practice; its arguments and answer are such as JSON can hold."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kb.practices.catalogue import load_practice
from kb.practices.interface import Arm
from kb.workers.stages import enter


def execute(practice: str, arm: dict[str, Any]) -> dict[str, Any]:
    """Measure one arm.

    Args:
        practice: ``module:Class``.
        arm: of `Arm.as_dict`.

    Returns:
        `readings`: a dict per figure.
    """
    enter("practice")
    part = load_practice(practice)
    with TemporaryDirectory() as folder:
        readings = part.run(Arm.from_dict(arm), Path(folder))
    return {"readings": [asdict(reading) for reading in readings]}
