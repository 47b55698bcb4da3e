"""How long the strict reader takes for years of results, and how much memory: 2,000 run folders of 200 rows each.

    python -m tests.benchmarks.many_runs [--runs 2000] [--keep FOLDER]

The folders are synthetic and go to a temporary folder, unless one is named to be kept (and used again). The reader runs
in a process of its own, whose seconds (imports included and not) and peak resident memory are printed.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb.records.case import Case
from kb.records.cells import Cell
from kb.records.infofile import INFO_FILE, info_text
from kb.records.lines import format_line, header_line, normal_row
from kb.records.run import RunInfo, Validity
from kb.records.schema import BENCHMARKS
from tests.records.synthetic import TROUBLED, ending, grid, make_info, make_rows

ROWS = 200
REPLICATES = 8
FIRST = datetime(2026, 1, 1, tzinfo=UTC)

#: What the issue allows.
LIMIT_SECONDS = 3.0
LIMIT_MIB = 1024

_READER = """
import json, resource, sys, time
start = time.perf_counter()
from pathlib import Path
from kb.records.reading import read_results
import pandas, pyarrow, pyarrow.csv, pydantic
imported, cpu = time.perf_counter(), time.process_time()
results = read_results(Path(sys.argv[1]))
read, cpu = time.perf_counter(), time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
kept = results.benchmarks.memory_usage(deep=True).sum() / 2**20
print(json.dumps({"runs": len(results.runs), "rows": len(results.benchmarks), "import_s": imported - start,
                  "read_s": read - imported, "cpu_s": cpu, "peak_rss_mib": peak, "frame_mib": kept}))
"""


def write_runs(results: Path, count: int) -> None:
    """Write `count` finished runs. Rows of a few templates get new times and figures, and go through `format_line`."""
    chance = random.Random(0)
    cases = grid(batches=(1, 8))[:20]
    templates = [_template(seed, cases) for seed in range(10)]
    for number in range(count):
        started = FIRST + timedelta(hours=6 * number)
        info = make_info(number, cases, REPLICATES, started=started)
        folder = results / "runs" / info.run[:4] / info.run
        folder.mkdir(parents=True)
        rows = templates[number % len(templates)]
        lines = [header_line(BENCHMARKS)]
        for index, row in enumerate(rows):
            row["started"] = f"{started + timedelta(seconds=7 * index):%Y-%m-%dT%H:%M:%SZ}"
            for name in ("import_s", "build_s", "first_call_s", "latency_p50_ms", "latency_iqr_ms", "load_1m"):
                if isinstance(value := row[name], float):
                    row[name] = value * chance.uniform(0.99, 1.01)
            lines.append(format_line(index, list(row.values())))
        (folder / BENCHMARKS.file_name).write_bytes(b"".join(lines))
        (folder / INFO_FILE).write_bytes(info_text(_ended(info, rows)))


def _template(seed: int, cases: list[Case]) -> list[dict[str, Cell]]:
    rows = make_rows(seed, cases, REPLICATES, mix=TROUBLED)
    normal = [normal_row(BENCHMARKS, row) for row in rows]
    assert len(normal) >= 188, len(normal)
    extra = [{**row, "environment": "torch==2.12.0"} for row in normal]
    return (normal + extra)[:ROWS]


def _ended(info: RunInfo, rows: list[dict[str, Cell]]) -> RunInfo:
    statuses = [str(row["status"]) for row in rows]
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    end = ending(info, rows, Validity.VALID, ())
    tables = {"rows": {BENCHMARKS.name: len(rows)}, "counts": {BENCHMARKS.name: counts}}
    return RunInfo.model_validate({**dict(info), **end, **tables})


def measure(results: Path) -> dict[str, float]:
    """Read the results in a fresh process and return what it reports."""
    done = subprocess.run([sys.executable, "-c", _READER, str(results)], capture_output=True, check=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="write the runs here and keep them; read what is there already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        results = options.keep or Path(temporary)
        if not (results / "runs").exists():
            start = time.perf_counter()
            write_runs(results, options.runs)
            print(f"wrote {options.runs} runs in {time.perf_counter() - start:.1f} s")
        for _ in range(options.repeats):
            figures = measure(results)
            print(
                f"{figures['runs']:,} runs, {figures['rows']:,} rows: read in {figures['read_s']:.2f} s "
                f"({figures['cpu_s']:.2f} s of CPU; imports {figures['import_s']:.2f} s; load {os.getloadavg()[0]:.1f} "
                f"on {os.cpu_count()} cores), peak {figures['peak_rss_mib']:.0f} MiB, "
                f"frame {figures['frame_mib']:.0f} MiB; allowed {LIMIT_SECONDS:g} s, {LIMIT_MIB} MiB"
            )


if __name__ == "__main__":
    main()
