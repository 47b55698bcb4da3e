"""How long does the quick conversion grid take? Prints the time and the outcomes; exits with 1 above the bound.

python -m tests.benchmarks.quick_conversions
"""

import csv
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

BOUND_S = 600
SETTINGS = "[tool.kb]\n"


def main() -> int:
    command = Path(sys.executable).parent / "kb"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(SETTINGS)
        start = time.perf_counter()
        done = subprocess.run([command, "-C", folder, "convert", "--profile", "quick"], check=False)
        seconds = time.perf_counter() - start
        (table,) = Path(folder).glob("results/runs/*/*/conversions.csv")
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
    counts = ", ".join(f"{number} {status}" for status, number in Counter(row["status"] for row in rows).most_common())
    exported = [row for row in rows if row["convert_s"]]
    print(f"{len(rows)} conversions in {seconds:.0f} s (bound {BOUND_S} s), exit code {done.returncode}: {counts}")
    print(f"peak memory in {sum(bool(row['peak_rss_mib']) for row in exported)} of {len(exported)} rows with an export")
    return 0 if seconds < BOUND_S else 1


if __name__ == "__main__":
    sys.exit(main())
