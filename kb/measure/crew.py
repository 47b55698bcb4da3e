"""Starting workers for the bench: limits from the settings, cores, and an environment with cold caches."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.workers.process import Limits, Outcome, run

#: Read by the thread pools of NumPy, PyTorch, oneDNN and TensorFlow before their own settings can be made.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Crew:
    """How workers are started. Tasks are functions of `kb.measure.replicate`, or any by ``module:function``."""

    root: Path  #: working directory, from which a user's own modules are found
    timeout_s: float
    memory_limit_mib: int | None
    pin: bool

    def run(
        self, task: str, payload: Mapping[str, Any], *, threads: int = 1, device: str = "cpu", timed: bool = True
    ) -> Outcome:
        """Run one task in a fresh process on as many cores as it has threads.

        Args:
            timed: the process is pinned to its cores; one whose time nobody takes may run anywhere.
        """
        cores = pinned_cores(threads) if self.pin and timed else ()
        limits = Limits(self.timeout_s, self.memory_limit_mib, cores)
        return run(
            task if ":" in task else f"kb.measure.replicate:{task}", payload, limits,
            environment=environment(threads, device), folder=self.root,
        )  # fmt: skip


def pinned_cores(threads: int) -> tuple[int, ...]:
    """The last `threads` usable cores: the system tends to work on the first. Empty where all are needed."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    usable = sorted(os.sched_getaffinity(0))
    return tuple(usable[-threads:]) if threads < len(usable) else ()


def environment(threads: int, device: str) -> dict[str, str]:
    """Variables of a worker. Its temporary folder is new, so compilers find a cold cache there."""
    variables = {
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "PYTHONHASHSEED": "0",
        "KERAS_BACKEND": "tensorflow",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",  # no pool of compiler processes beside the measured one
    }
    if device == "cpu":
        variables["CUDA_VISIBLE_DEVICES"] = "-1"  # a GPU that is only looked at costs memory and time
    return variables
