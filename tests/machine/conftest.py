"""A copy of another machine's kernel files, and probes asked in fresh processes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kb.machine.doctor import Answer

Tree = Callable[[Mapping[str, str]], Path]
Ask = Callable[..., Answer]

_CHILD = """
import json, pathlib, sys
from kb.discovery import load
try:
    answer = {"result": load(sys.argv[1])()}
except Exception as error:
    answer = {"error": f"{type(error).__name__}: {error}"}
pathlib.Path(sys.argv[2]).write_text(json.dumps(answer, allow_nan=False))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files by their path below a root, and returns the root."""

    def write(files: Mapping[str, str]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return write


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> Ask:
    """Calls ``module:function`` in a fresh Python process; what it printed last is part of the error."""

    def call(target: str, first_on_path: Path | None = None, timeout_s: float = 300) -> Answer:
        answer_file = tmp_path_factory.mktemp("answer") / "answer.json"
        path = [str(part) for part in (first_on_path, repo_root) if part]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
        try:
            child = subprocess.run(
                [sys.executable, "-c", _CHILD, target, str(answer_file)],
                env=environment,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(error=f"no answer within {timeout_s:g} s", crashed=True)
        if not answer_file.exists():
            last = child.stderr.strip().splitlines()[-1:]
            return Answer(error=f"exit code {child.returncode}: {''.join(last)}", crashed=True)
        return Answer(**json.loads(answer_file.read_text()))

    return call
