"""How long does `kb --help` take, start-up included? Prints median and worst of 20; exits with 1 above the bound.

python -m tests.benchmarks.help_time
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

BOUND_S = 0.2
TIMES = 20


def main() -> int:
    command = [str(Path(sys.executable).parent / "kb"), "--help"]
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"kb --help: median {median * 1e3:.0f} ms, worst {max(seconds) * 1e3:.0f} ms (bound {BOUND_S * 1e3:.0f} ms)")
    return 0 if median < BOUND_S else 1


if __name__ == "__main__":
    sys.exit(main())
