"""How long do the readers take for all real changelogs, and for a hostile one of 10 MB, and how much memory?

    python -m tests.benchmarks.changelog_speed

The real files are looked for in ../shared, or in the folder that KB_SHARED names. Each of the two is read in a process
of its own. Exits with 1 above the bounds.
"""

import json
import subprocess
import sys

from tests.changelogs.shared import ROOT

BOUND_S = 10.0
BOUND_MIB = 500.0

_REAL = """
from tests.changelogs.shared import files, project_of, text_of
texts = [(text_of(file), project_of(file)) for file in files()]
"""
_HOSTILE = """
from kb.changelogs.projects import BUILT_IN
lines = [f"# Release 1.{number}.0\\n" for number in range(40)]
lines += ["word `x` [l](u) **b** " * 1136 + "\\n\\n"] * 40
lines += ["[" * 10000 + "]" * 10000 + "\\n\\n"] * 20
lines += ["*" * 1000000 + "\\n\\n", "```\\n" + "x\\n" * 1000]
lines += ["- a [b](c) *d* https://e.f #12\\n" * 30000]
text = "".join(lines)
texts = [(text + "<a " * ((10000000 - len(text)) // 3), BUILT_IN["tensorflow"])]
"""
_READ = """
import json, resource, time
from kb.changelogs.reading import read
start, cpu = time.perf_counter(), time.process_time()
entries = sum(len(section.entries) for text, project in texts for section in read(text, project).sections)
print(json.dumps({"s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu, "entries": entries,
                  "characters": sum(len(text) for text, _ in texts), "texts": len(texts),
                  "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def measure(texts: str) -> dict[str, float]:
    """Read the texts in a fresh process and return what it reports."""
    done = subprocess.run([sys.executable, "-c", texts + _READ], capture_output=True, check=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> int:
    cases = {"hostile": _HOSTILE}
    if ROOT.exists():
        cases = {"real": _REAL, **cases}
    worst = 0
    for name, texts in cases.items():
        figures = measure(texts)
        print(
            f"{name}: {figures['texts']:.0f} texts, {figures['characters']:,.0f} characters, {figures['entries']:,.0f} "
            f"entries in {figures['s']:.1f} s ({figures['cpu_s']:.1f} s of CPU), peak {figures['mib']:.0f} MiB; "
            f"allowed {BOUND_S:g} s, {BOUND_MIB:g} MiB"
        )
        worst |= figures["cpu_s"] > BOUND_S or figures["mib"] > BOUND_MIB
    return int(worst)


if __name__ == "__main__":
    sys.exit(main())
