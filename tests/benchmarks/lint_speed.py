"""How long `kb problem lint` takes for 10,000 notes on one core. Prints seconds; exits with 1 above the bound.

    python -m tests.benchmarks.lint_speed [--notes 10000]

The notes are synthetic, each with its own words, versions and signatures, and go to a temporary folder. What is judged
is the time of the processor, since others may use the machine at the same moment.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from kb.problems.lint import lint
from tests.problems.notes import GOOD

BOUND_S = 10.0
#: A Symptom of a real note quotes a dozen lines, and its Cause explains them.
FRAMES = "\n".join(
    f'  File "/home/somebody/site-packages/torch/onnx/_internal/part_{number}.py", line {number}, in export'
    for number in range(12)
)
PROSE = "The exporter looks the opset up in a table that ends with the newest one that it was tested with. " * 6


def write_notes(folder: Path, count: int) -> None:
    """Write `count` notes that nothing is wrong with."""
    (folder / "repro.py").write_text("")
    for number in range(1, count + 1):
        text = GOOD.replace("KB-0001", f"KB-{number:04}").replace("2.10", f"2.{number % 80 + 5}")
        text = text.replace("onnx_opset_version", f"onnx_opset_version_{number}")
        text = text.replace("RuntimeError", f"{FRAMES}\nRuntimeError").replace("It was not written yet.", PROSE)
        (folder / f"KB-{number:04}-opset-{number}.md").write_text(text)


def stages(folder: Path) -> Iterator[tuple[str, float, float]]:
    """Name, seconds of the processor and of the wall clock: without and with the matching of signatures."""
    from kb.problems.signature import matches

    for name, match in (("without signatures", lambda signature, text: True), ("with signatures", matches)):
        cpu, wall = time.process_time(), time.perf_counter()
        found = lint(folder, match, today=date(2026, 11, 27))
        assert not found, found[0]
        yield name, time.process_time() - cpu, time.perf_counter() - wall


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=10_000)
    notes = parser.parse_args().notes
    with tempfile.TemporaryDirectory() as name:
        write_notes(Path(name), notes)
        for stage, cpu, wall in stages(Path(name)):
            print(f"{notes:,} notes {stage}: {cpu:.1f} s of one core, {wall:.1f} s on the clock (bound {BOUND_S:g} s)")
    return 0 if cpu < BOUND_S else 1


if __name__ == "__main__":
    sys.exit(main())
