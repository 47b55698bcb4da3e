"""The order of the worker processes: interleaved, so that a drift of the machine hits all arms alike."""

import random
from collections.abc import Sequence

from kb.records.case import Case, Job, Kind


def schedule(
    cases: Sequence[Case], replicates: int, seed: int, aa_case: Case | None = None, memory: bool = True
) -> tuple[Job, ...]:
    """Rounds: each holds one replicate of every case (two of the A/A case, one per arm), shuffled by the seed.

    Comparisons pair the replicates of one round, so what the machine does between rounds cancels. The memory
    processes come last, one per case, shuffled too. The same arguments give the same order on every machine.
    """
    shuffler = random.Random(seed)
    jobs: list[Job] = []
    for round_number in range(replicates):
        this_round = [Job(case, Kind.LATENCY, round_number) for case in cases]
        if aa_case is not None:
            this_round.append(Job(aa_case, Kind.AA, round_number))
        shuffler.shuffle(this_round)
        jobs += this_round
    if memory:
        last = [Job(case, Kind.MEMORY, 0) for case in cases]
        shuffler.shuffle(last)
        jobs += last
    return tuple(jobs)
