"""A run of practices for the tests of the site: every installed one, with failures, absent devices, hostile text."""

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from kb.practices.catalogue import practices
from kb.practices.interface import Arm, Practice, Reading
from kb.practices.plan import Trial, trials
from kb.records.folder import RunFolder
from kb.records.run import Machine, Validity
from kb.records.schema import PRACTICES
from kb.records.statuses import Status
from tests.practices.fakes import Sleeping
from tests.records.synthetic import ending, make_info


def make_practices_run(root: Path, seed: int, machine: Machine, started: datetime, hostile: str) -> None:
    """One run of every installed practice and of a fake one, which no page shows."""
    known = {**practices(), "sleeping": Sleeping()}
    planned = trials(known, machine.usable_cores)
    info = make_info(seed, [], 3, machine=machine, started=started).model_copy(
        update={
            "command": "practices",
            "profile": "practices",
            "arms": tuple(trial.as_dict() for trial in planned),
        }
    )
    rows = list(_rows(random.Random(seed), known, planned, hostile))
    with RunFolder.create(root, info) as run:
        run.extend(PRACTICES, rows)
        run.finish(**ending(info, rows, Validity.VALID, ()))


def _rows(
    chance: random.Random, known: dict[str, Practice], planned: tuple[Trial, ...], hostile: str
) -> Iterator[dict[str, Any]]:
    for position, trial in enumerate(planned):
        practice = known[trial.practice]
        absent = trial.arm.device != "cpu"
        for replicate in range(1 if absent else 3):
            common = dict.fromkeys(PRACTICES.names[1:-1]) | trial.columns
            common |= {"kind": "arm", "replicate": replicate, "position": position, "started": "2026-11-20T03:15:00Z"}
            for reading in _readings(chance, practice, trial.arm, hostile):
                yield common | {
                    "measure": reading.measure,
                    "value": reading.value,
                    "status": reading.status,
                    "stage": None if reading.status is Status.OK else "measure",
                    "reason": reading.reason or None,
                }


def _readings(chance: random.Random, practice: Practice, arm: Arm, hostile: str) -> list[Reading]:
    if arm.device != "cpu":
        key = practice.measures[0].key
        return [Reading(key, None, Status.UNSUPPORTED, f"no {arm.device} on this machine")]
    main, *others = practice.measures
    level = 10.0 if practice.baseline(arm) is None else 4.0
    made = [Reading(main.key, level * chance.uniform(0.97, 1.03))]
    for measure in others:
        if measure.yes_no and practice.baseline(arm) is not None:
            made.append(Reading(measure.key, None, Status.EXPORT_FAILED, hostile))
        else:
            made.append(Reading(measure.key, 1.0 if measure.yes_no else chance.uniform(0.5, 2.0)))
    return made
