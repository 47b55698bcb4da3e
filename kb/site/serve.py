"""The site while it is being written: MkDocs serves and reloads, kb brings the generated pages up to date."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kb.records.reading import DamagedFile, NewerSchema
from kb.site.build import GENERATED, generate, read_log
from kb.site.engine import CONFIG, check_ready, engine_environment
from kb.site.writer import NotOurs

#: Seconds between two looks at the files. Looking at 2,000 run folders takes 0.02 s.
POLL_S = 1.0

#: Seconds that the engine gets to end before it is killed.
GRACE_S = 5.0

Snapshot = Mapping[str, tuple[int, int]]


def serve(
    root: Path,
    results: Path,
    docs: Path,
    problems: Path,
    address: str = "127.0.0.1:8000",
    say: Callable[[str], None] = print,
) -> int:
    """Serve the site until it is interrupted; returns the engine's exit code.

    A change under `results` regenerates `docs/generated`; MkDocs sees what was written there, and every change of the
    hand-written pages, and reloads the browser. Results that cannot be read are said in one line and the last good
    pages stay.

    Raises:
        EngineError: MkDocs or its configuration is missing.
        DamagedFile, NewerSchema, NotOurs: the first generation failed.
    """
    check_ready(root)
    say(f"generated: {generate(results, docs, read_log(problems, results, root)).summary}")
    command = [sys.executable, "-m", "mkdocs", "serve", "--livereload", "--config-file", str(root / CONFIG)]
    engine = subprocess.Popen([*command, "--dev-addr", address], cwd=root, env=engine_environment())
    try:
        with _termination_as_interrupt():
            for _ in changes(results, docs, lambda: engine.poll() is None):
                say(regenerated(root, results, docs, problems))
        return engine.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end(engine)


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C: by default Python would stop at once, and leave the engine behind on its port."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only there can a handler be set
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def changes(results: Path, docs: Path, going_on: Callable[[], bool], pause_s: float = POLL_S) -> Iterator[None]:
    """Yield once after each change of the results or of the hand-written pages, while `going_on`."""
    before = snapshot(results, docs)
    while going_on():
        time.sleep(pause_s)
        now = snapshot(results, docs)
        if now != before:
            before = now
            yield


def snapshot(results: Path, docs: Path) -> Snapshot:
    """Time of change and size of every file that pages are made from; what kb generates itself is not among them."""
    return dict(_files(results, skip=None)) | dict(_files(docs, skip=docs / GENERATED))


def regenerated(root: Path, results: Path, docs: Path, problems: Path) -> str:
    """Generate again and say in one line what came of it."""
    try:
        return f"generated: {generate(results, docs, read_log(problems, results, root)).summary}"
    except (DamagedFile, NewerSchema, NotOurs) as error:
        return f"not generated, the last pages stay: {error}"


def _files(folder: Path, skip: Path | None) -> Iterator[tuple[str, tuple[int, int]]]:
    """Files below a folder, without dot names; one that vanishes meanwhile is not there."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith(".") or (skip is not None and entry.path == str(skip)):
            continue
        if entry.is_dir():
            yield from _files(Path(entry.path), skip)
            continue
        try:
            seen = entry.stat()
        except FileNotFoundError:
            continue
        yield entry.path, (seen.st_mtime_ns, seen.st_size)


def _end(engine: "subprocess.Popen[bytes]") -> None:
    engine.terminate()
    try:
        engine.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        engine.kill()
        engine.wait()
