"""Does kb's protocol give what the field's own timers give? Prints a table; exits with 1 where a pair disagrees.

For each case two timers measure the same model, each in fresh processes of its own, interleaved and shuffled in one
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
from kb.workers.process import Limits, run

CASES = tuple(
    Case(model, runtime) for model in ("mlp8", "cnn_s", "encoder_mini") for runtime in ("torch-eager", "onnxruntime")
)
SECONDS = 1.0  #: that the other timer measures, as long as kb's blocks
WARM_CALLS = 20  #: before the other timer measures
CLOSE = 0.03
NARROW = 0.05


def kb_timer(case: dict[str, Any], artefact: str | None) -> float:
    """What `kb bench` does in its worker, ms."""
    wanted = Case(**case)
    model = catalogue()[wanted.model].load()
    runtime = load_runtime(wanted.runtime)
    runtime.start(wanted)
    built = Path(artefact) if artefact else runtime.build(model)
    return measure_steady(runtime.load(built, model.inputs(wanted.batch, 0), wanted)).latency_p50_ms


def torch_timer(case: dict[str, Any], artefact: str | None) -> float:
    """torch's own timer on the module, as its tutorial has it, ms."""
    import torch
    from torch.utils.benchmark import Timer

    model = catalogue()[case["model"]].load()
    torch.set_num_threads(1)
    module = model.torch_module()
    inputs = tuple(torch.tensor(array) for array in model.inputs(case["batch"], 0).values())
    with torch.inference_mode():
        timer = Timer("module(*inputs)", globals={"module": module, "inputs": inputs}, num_threads=1)
        timer.timeit(WARM_CALLS)
        return float(timer.blocked_autorange(min_run_time=SECONDS).median) * 1e3


def plain_loop(case: dict[str, Any], artefact: str | None) -> float:
    """A loop around `InferenceSession.run`, ms."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(artefact, options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    arrays = catalogue()[case["model"]].load().inputs(case["batch"], 0)
    feed = dict(zip(names, arrays.values(), strict=True))
    for _ in range(WARM_CALLS):
        session.run(None, feed)
    times = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, feed)
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
                value = call(timer, case=case.as_dict(), artefact=files[case])
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
