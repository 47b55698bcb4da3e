"""Results for the tests of the site: three machines, failures, runs that are not VALID, hostile text."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb.records.case import Case
from kb.records.folder import RunFolder
from kb.records.run import Accelerator, LeftOut, Machine, Validity
from kb.records.schema import BENCHMARKS
from kb.records.statuses import Status
from kb.site.build import ProblemLog
from tests.problems.synthetic import FAMILIES, notes
from tests.records.synthetic import ENVIRONMENTS, TROUBLED, ending, grid, make_info, make_rows, make_run
from tests.site.changelog_sample import HOSTILE_TEXT, make_changelogs
from tests.site.conversion_rows import make_conversions_run
from tests.site.practice_rows import make_practices_run

#: A name and a reason that try everything that Markdown, HTML, Jinja and the snippets extension offer.
HOSTILE = "<script>alert('kb')</script> [x](javascript:alert(1)) **b** `c` {{ 7*7 }} {: #id } | --8<-- \"mkdocs.yml\""

#: The small log of problems, with one note that is hostile in every field.
PROBLEMS = ProblemLog(
    (
        *notes(),
        replace(
            notes()[0],
            path=Path("docs/problems/hostile.md"),
            id="KB-0666",
            title=f"hostile {HOSTILE}",
            signatures=(f"HostileError: {HOSTILE}", "</script><img src=x onerror=alert(1)> {int}"),
            symbols=("__proto__", "constructor"),
            aliases=("hostile/</script>#1",),
            sections={"Symptom": HOSTILE_TEXT, "Cause": HOSTILE},
        ),
    ),
    FAMILIES,
)

RUNTIMES = (
    *("torch-eager", "torch-compile", "torch-torchscript", "torch-export-aoti"),
    *("tf-eager", "tf-function", "tf-xla", "keras-predict", "onnxruntime"),
)
SWEPT = Case("cnn_s", "torch-eager")
EAGER, CRASHING = Case("mlp8", "torch-eager"), Case("mlp8", "onnxruntime")
FIRST = datetime(2026, 10, 22, 3, 15, tzinfo=UTC)

SERVER = Machine(
    id="0ddba115",
    cpu_model="Synthetic server CPU 9000 (made up for tests)",
    cpu_flags=("avx2", "avx512f", "avx512_vnni", "amx_bf16"),
    architecture="x86_64",
    physical_cores=32,
    logical_cores=64,
    usable_cores=32,
    ram_gib=251.5,
    accelerators=(Accelerator(kind="cuda", name="Synthetic GPU", memory_gib=24, driver="999.1"),),
    os="Linux 6.8 (synthetic)",
    kernel="6.8.0-synthetic",
    virtual=True,
)
LAPTOP = SERVER.model_copy(update={"id": "1ab70b00", "cpu_model": "Synthetic laptop CPU (made up)", "accelerators": ()})


def day(number: int) -> datetime:
    return FIRST + timedelta(days=number)


def make_results(root: Path) -> None:
    """Runs 1, 2 and 5 on one machine (5 is unfinished), 3 and 4 on a second (4 is INVALID), 7 to 10 on a third.

    Run 8 sweeps batch sizes and threads, run 9 is one of practices, run 10 one of conversions.
    """
    cases = grid(runtimes=RUNTIMES, batches=(1, 8))
    older = {name: dict(versions) | {"torch": "2.12.0"} for name, versions in ENVIRONMENTS.items()}
    make_run(root, 1, cases, 8, started=day(0), environments=older, kb_commit="a" * 40)
    aoti = [case for case in cases if case.runtime == "torch-export-aoti" and case.model == "mlp8"]
    left_out = (LeftOut(case="mlp8/tf-xla/cpu/fp32/b64/t1/current", reason="the profile has other batches"),)
    sometimes = {Status.TIMEOUT: 0.02, Status.CRASHED: 0.02}
    make_run(root, 2, cases, 8, started=day(31), mix=sometimes, unsupported=aoti, kb_commit="b" * 40, left_out=left_out)
    few = grid(runtimes=RUNTIMES[:3])
    hostile = [Case(HOSTILE, "torch-eager"), Case(HOSTILE, "onnxruntime")]
    make_run(root, 3, [*hostile, *few], 3, machine=SERVER, started=day(3), mix=TROUBLED)
    reasons = ("A/A check: slower", HOSTILE)
    make_run(root, 4, few, 3, machine=SERVER, started=day(32), validity=Validity.INVALID, reasons=reasons, drift=1.3)
    make_run(root, 5, grid(runtimes=("torch-eager",)), 3, started=day(33), validity=Validity.UNFINISHED)
    make_hostile_run(root)
    sweep = [
        *grid(models=("cnn_s",), runtimes=RUNTIMES[:2], batches=(1, 2, 4, 8)),
        Case("cnn_s", "torch-eager", threads=4),
    ]
    make_run(root, 8, sweep, 8, machine=LAPTOP, started=day(4))
    make_practices_run(root, 9, LAPTOP, day(5), HOSTILE)
    make_conversions_run(root, 10, LAPTOP, day(6), HOSTILE)
    make_changelogs(root)


def make_hostile_run(root: Path) -> None:
    """A run one of whose rows has a reason that tries to be markup."""
    info = make_info(7, [CRASHING, EAGER], 1, machine=LAPTOP, started=day(1))
    rows = list(make_rows(7, [CRASHING, EAGER], 1))
    figures = dict.fromkeys(column.name for column in BENCHMARKS.data_columns if column.type == "number")
    with RunFolder.create(root, info) as run:
        for row in rows:
            if row["runtime"] == CRASHING.runtime:
                row |= figures | {"status": Status.CRASHED, "stage": "load", "reason": HOSTILE, "quality": None}
            run.append(BENCHMARKS, row)
        run.finish(**ending(info, rows, Validity.VALID, ()))


def copy_pages(repo_root: Path, root: Path) -> None:
    """What people write: the configuration, the pages, the theme's overrides."""
    shutil.copy(repo_root / "mkdocs.yml", root)
    shutil.copytree(repo_root / "docs", root / "docs", ignore=shutil.ignore_patterns("generated"))
