"""`kb serve`: a change of the results reaches the browser, damaged results do not take the site away."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.site.serve import changes, regenerated, snapshot
from tests.records.synthetic import grid, make_run
from tests.site.sample import RUNTIMES, copy_pages, day

pytest.importorskip("mkdocs")

#: Seconds to wait for what must happen; only a failure takes them.
PATIENCE_S = 60.0


def until(found: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.1)


@pytest.fixture
def base(repo_root: Path, tmp_path: Path) -> Path:
    copy_pages(repo_root, tmp_path)
    make_run(tmp_path / "results", 1, grid(models=("mlp8",), runtimes=RUNTIMES[:2]), 3, started=day(0))
    return tmp_path


def test_results_and_pages_are_watched_but_not_what_is_generated(base: Path) -> None:
    results, docs = base / "results", base / "docs"
    before = snapshot(results, docs)
    (docs / "generated").mkdir()
    (docs / "generated/x.md").write_text("made by kb")
    (docs / ".hidden").write_text("an editor's")
    assert snapshot(results, docs) == before
    (docs / "new.md").write_text("# New\n")
    with_page = snapshot(results, docs)
    assert with_page != before
    make_run(results, 2, grid(models=("mlp8",), runtimes=RUNTIMES[:1]), 1, started=day(1))
    assert snapshot(results, docs) != with_page


def test_each_change_is_reported_once(tmp_path: Path) -> None:
    """Files change while it waits: the first two looks see a change each, the third none."""
    looks = iter(range(4))

    def going_on() -> bool:
        look = next(looks)
        if look < 2:
            (tmp_path / f"{look}.csv").write_text("x")
        return look < 3

    assert len(list(changes(tmp_path, tmp_path / "docs", going_on, pause_s=0))) == 2


def test_results_that_cannot_be_read_leave_the_last_pages(base: Path) -> None:
    assert "written" in regenerated(base, base / "results", base / "docs", base / "docs" / "problems")
    page = (base / "docs/generated/benchmarks.md").read_bytes()
    (table,) = (base / "results").rglob("benchmarks.csv")
    table.write_text(table.read_text()[:-40])
    said = regenerated(base, base / "results", base / "docs", base / "docs" / "problems")
    assert said.startswith("not generated, the last pages stay: ")
    assert "benchmarks.csv" in said
    assert (base / "docs/generated/benchmarks.md").read_bytes() == page


PROGRAM = """
import signal
import sys
from pathlib import Path
from kb.site.serve import serve
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
root = Path(sys.argv[1])
say = lambda line: print(line, flush=True)
sys.exit(serve(root, root / "results", root / "docs", root / "docs" / "problems", sys.argv[2], say))
"""


class Server:
    """`serve` in a process of its own, and what it has said so far."""

    def __init__(self, base: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [sys.executable, "-c", PROGRAM, str(base), self.address]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = ""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said += line

    def page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://{self.address}/{path}", timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except OSError:
            return ""


@pytest.fixture
def server(base: Path) -> Iterator[Server]:
    started = Server(base)
    yield started
    started.process.terminate()
    started.process.wait(20)
    started.reader.join()


@pytest.mark.slow
def test_a_new_run_reaches_the_browser(base: Path, server: Server) -> None:
    until(lambda: "Benchmarks" in server.page("generated/benchmarks.html"), "the first page")
    assert "cnn_s" not in server.page("generated/benchmarks.html")
    assert "livereload" in server.page("index.html")
    make_run(base / "results", 2, grid(models=("cnn_s",), runtimes=RUNTIMES[:2]), 3, started=day(1))
    until(lambda: "cnn_s" in server.page("generated/benchmarks.html"), f"the new model; said {server.said}")
    assert len(re.findall(r"^generated: ", server.said, re.MULTILINE)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_it_takes_its_engine_along(base: Path, number: signal.Signals) -> None:
    started = Server(base)
    until(lambda: "Benchmarks" in started.page("generated/benchmarks.html"), "the first page")
    started.process.send_signal(number)
    assert started.process.wait(20) == 0
    started.reader.join()
    until(lambda: started.page("index.html") == "", "the engine to end")
