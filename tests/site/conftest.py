"""One set of results for all tests of the site: two machines, failures, a run that is not VALID, hostile text."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.records.case import Case
from kb.records.run import Accelerator, LeftOut, Machine, Validity
from kb.records.statuses import Status
from tests.records.synthetic import ENVIRONMENTS, MACHINE, TROUBLED, grid, make_run

#: A name and a reason that try everything that Markdown, HTML and YAML offer.
HOSTILE = "<script>alert('kb')</script> [x](javascript:alert(1)) **b** `c` {{ 7*7 }} {: #id } | --8<-- \"mkdocs.yml\""

RUNTIMES = (
    *("torch-eager", "torch-compile", "torch-torchscript", "torch-export-aoti"),
    *("tf-eager", "tf-function", "tf-xla", "keras-predict", "onnxruntime"),
)
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


def older_environments() -> dict[str, dict[str, str]]:
    return {name: dict(versions) | {"torch": "2.12.0"} for name, versions in ENVIRONMENTS.items()}


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs on two machines."""
    root = tmp_path_factory.mktemp("site") / "results"
    cases = grid(runtimes=RUNTIMES, batches=(1, 8))
    aoti = [case for case in cases if case.runtime == "torch-export-aoti" and case.model == "mlp8"]
    make_run(root, 1, cases, 8, started=FIRST, environments=older_environments(), kb_commit="a" * 40)
    make_run(
        root, 2, cases, 8, started=FIRST + timedelta(days=31), mix={Status.TIMEOUT: 0.02, Status.CRASHED: 0.02},
        unsupported=aoti, kb_commit="b" * 40, left_out=(LeftOut(case="mlp8/tf-xla/cpu/fp32/b64/t1/current", reason="quick"),),
    )  # fmt: skip
    quick = [Case(HOSTILE, "torch-eager"), Case(HOSTILE, "onnxruntime"), *grid(runtimes=RUNTIMES[:3])]
    make_run(root, 3, quick, 3, machine=SERVER, started=FIRST + timedelta(days=3), mix=TROUBLED)
    make_run(
        root, 4, grid(runtimes=RUNTIMES[:3]), 3, machine=SERVER, started=FIRST + timedelta(days=32),
        validity=Validity.INVALID, reasons=("A/A check: slower", HOSTILE), drift=1.3,
    )  # fmt: skip
    make_run(
        root, 5, grid(runtimes=("torch-eager",)), 3, started=FIRST + timedelta(days=33), validity=Validity.UNFINISHED
    )
    assert MACHINE.id != SERVER.id
    return root


@pytest.fixture(scope="session")
def files(results: Path) -> dict[str, bytes]:
    """Every generated file of these results."""
    from kb.site.build import build_pages

    return build_pages(results)


def page(files: dict[str, bytes], path: str) -> str:
    return files[path].decode()
