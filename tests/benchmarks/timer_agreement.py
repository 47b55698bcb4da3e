"""Does kb's protocol give what the field's own timers give? Prints a table; exits with 1 where a pair disagrees.

For each case two timers measure the same session, each in fresh processes of its own, interleaved and shuffled in one
job: kb's protocol, and `torch.utils.benchmark.Timer.blocked_autorange` (torch) or a plain timed loop (ONNX Runtime).
They agree if the ratio lies within 3 % of 1, or if its 95 % interval contains 1 and is no wider than 5 % either way.

    python -m tests.benchmarks.timer_agreement [--processes 8] [CASE ...]
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from kb.measure.arms import compare
from kb.measure.crew import environment, pinned_cores
from kb.measure.protocol import measure_steady
from kb.models.catalogue import catalogue
from kb.records.case import Case
from kb.runtimes.catalogue import load_runtime
from kb.runtimes.interface import Session
from kb.workers.process import Limits, run

CASES = tuple(
    Case(model, runtime) for model in ("mlp8", "cnn_s", "encoder_mini") for runtime in ("torch-eager", "onnxruntime")
)
SECONDS = 1.0  #: that the other timer measures, as long as kb's blocks
CLOSE = 0.03
NARROW = 0.05


def kb_timer(session: Session) -> float:
    return measure_steady(session).latency_p50_ms


def torch_timer(session: Session) -> float:
    from torch.utils.benchmark import Timer

    timer = Timer("session.call()", globals={"session": session}, num_threads=1)
    return float(timer.blocked_autorange(min_run_time=SECONDS).median) * 1e3


def plain_loop(session: Session) -> float:
    times = []
    warm = time.perf_counter() + 0.5
    while time.perf_counter() < warm:
        session.call()
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.call()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def convert(case: dict[str, Any], folder: str) -> str | None:
    """The artefact of a case, made once."""
    wanted = Case(**case)
    model = catalogue()[wanted.model].load()
    runtime = load_runtime(wanted.runtime)
    if not runtime.converts(model):
        return None
    return str(runtime.convert(model, model.inputs(wanted.batch, 0), wanted, Path(folder)))


def one_process(case: dict[str, Any], timer: str, artefact: str | None) -> float:
    """Median of one timer in this process, ms."""
    wanted = Case(**case)
    model = catalogue()[wanted.model].load()
    runtime = load_runtime(wanted.runtime)
    runtime.start(wanted)
    built = Path(artefact) if artefact else runtime.build(model)
    session = runtime.load(built, model.inputs(wanted.batch, 0), wanted)
    return float(globals()[timer](session))


def call(function: str, **payload: Any) -> Any:
    limits = Limits(600, cores=pinned_cores(1))
    outcome = run(f"tests.benchmarks.timer_agreement:{function}", payload, limits, environment=environment(1, "cpu"))
    if outcome.failure:
        sys.exit(f"{function} {payload}: {outcome.failure.reason}\n{outcome.failure.detail}")
    return outcome.result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="case ids, e.g. mlp8/onnxruntime (default: all)")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chosen = [c for c in CASES if not arguments.cases or f"{c.model}/{c.runtime}" in arguments.cases]
    others = {case: "torch_timer" if case.runtime.startswith("torch") else "plain_loop" for case in chosen}
    times: dict[tuple[Case, str], list[float]] = {}
    shuffler = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        files = {case: call("convert", case=case.as_dict(), folder=tempfile.mkdtemp(dir=folder)) for case in chosen}
        for number in range(arguments.processes):
            this_round = [(case, timer) for case in chosen for timer in ("kb_timer", others[case])]
            shuffler.shuffle(this_round)
            for case, timer in this_round:
                value = call("one_process", case=case.as_dict(), timer=timer, artefact=files[case])
                times.setdefault((case, timer), []).append(value)
            sys.stderr.write(f"round {number + 1} of {arguments.processes}\n")
    print(f"{'case':28} {'other timer':12} {'kb ms':>10} {'other ms':>10} {'kb/other':>9}  95 % interval   agrees")
    agreed = True
    for case in chosen:
        ours, theirs = times[case, "kb_timer"], times[case, others[case]]
        result = compare(theirs, ours, confidence=0.95)
        assert result.ratio is not None
        assert result.low is not None
        assert result.high is not None
        narrow = result.low <= 1 <= result.high and result.high / result.low <= (1 + NARROW) ** 2
        agrees = abs(result.ratio - 1) <= CLOSE or narrow
        agreed &= agrees
        print(
            f"{case.model + '/' + case.runtime:28} {others[case]:12} {np.median(ours):10.4f} {np.median(theirs):10.4f} "
            f"{result.ratio:9.4f}  {result.low:.4f} to {result.high:.4f} {'yes' if agrees else 'NO'}"
        )
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
