"""From the installed practices and a selection to the arms of a run, and their shuffled schedule."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from kb.measure.selection import Selection
from kb.practices.interface import ALL_CORES, Arm, Practice


@dataclass(frozen=True, order=True)
class Trial:
    """One arm of one practice: what the replicates of a run repeat."""

    practice: str
    arm: Arm

    @property
    def id(self) -> str:
        """Readable and unique, e.g. ``data-loading/cheap items/DataLoader 2 workers/cpu/t2``."""
        arm = self.arm
        return f"{self.practice}/{arm.subject}/{arm.name}/{arm.device}/t{arm.threads}"

    @property
    def columns(self) -> dict[str, Any]:
        """As in the table of practices."""
        arm = self.arm
        return {
            "practice": self.practice,
            "subject": arm.subject,
            "arm": arm.name,
            "device": arm.device,
            "threads": arm.threads,
        }

    def as_dict(self) -> dict[str, Any]:
        return {"practice": self.practice, **self.arm.as_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        rest = dict(values)
        return cls(rest.pop("practice"), Arm.from_dict(rest))


#: How a selection names arms.
ARMS: Selection[Trial] = Selection(
    "arms",
    ("practice", "subject", "arm", "device", "threads"),
    ("practice",),
    lambda trial, field: trial.columns[field],
)


@dataclass(frozen=True)
class Turn:
    """One worker process of the schedule."""

    trial: Trial
    kind: str  #: `arm`, or `aa` for the second process of the A/A check
    replicate: int


def trials(practices: Mapping[str, Practice], usable_cores: int, select: Sequence[str] = ()) -> tuple[Trial, ...]:
    """Every arm of the practices that the selection leaves, in the practices' own order.

    Args:
        select: names or globs of practices, or ``field=value``; words of one field are alternatives, words of
            different fields must all hold.

    Raises:
        SelectionError: a word selects nothing.
    """
    every = [
        Trial(name, replace(arm, threads=usable_cores) if arm.threads == ALL_CORES else arm)
        for name, practice in practices.items()
        for arm in practice.arms()
    ]
    return tuple(ARMS.narrow(every, select))


def schedule(replicates: Mapping[Trial, int], seed: int, twice: Trial | None) -> tuple[Turn, ...]:
    """Rounds: each holds one process of every arm that has that many (two of the A/A arm), shuffled by the seed.

    The same arguments give the same order on every machine.
    """
    shuffler = random.Random(seed)
    turns: list[Turn] = []
    for number in range(max(replicates.values(), default=0)):
        this_round = [Turn(trial, "arm", number) for trial, count in replicates.items() if number < count]
        if twice is not None and number < replicates[twice]:
            this_round.append(Turn(twice, "aa", number))
        shuffler.shuffle(this_round)
        turns += this_round
    return tuple(turns)
