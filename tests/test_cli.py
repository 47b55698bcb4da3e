"""The command line: quick to answer, one line for bad input, and an exit code that says what happened."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kb.cli import main
from kb.exits import Exit

#: What no verb may import before it is needed.
HEAVY = {
    "pandas", "numpy", "scipy", "pyarrow", "torch", "tensorflow", "keras", "onnx", "onnxruntime", "altair", "git",
    "rich", "pydantic", "mkdocs", "psutil",
}  # fmt: skip


def kb(*words: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kb.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)


def imported_by(*words: str) -> set[str]:
    code = (
        "import sys\nfrom kb.cli import main\n"
        f"try: main({list(words)!r})\nexcept SystemExit: pass\n"
        "print('\\n'.join(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return {name.partition(".")[0] for name in printed.splitlines()}


def verbs(group: click.Group = main) -> Iterator[list[str]]:
    """The words of every verb, also of those in a group."""
    for name, command in group.commands.items():
        yield [name]
        if isinstance(command, click.Group):
            yield from ([name, *words] for words in verbs(command))


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([*words, "--help"] for words in verbs())])
def test_help_imports_nothing_heavy(words):
    assert imported_by(*words) & HEAVY == set()


def test_the_readme_tells_of_every_verb_and_of_no_other(repo_root):
    text = (repo_root / "README.md").read_text()
    assert all(f"`kb {' '.join(words)}" in text for words in verbs())
    told = set(re.findall(r"kb ([a-z]+)", text))
    assert told - set(main.commands) <= {"is", "in", "and", "the", "to", "on"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bench", "--profile", "quik"], "did you mean quick"),
        (["bench", "nothing-like-this"], "'nothing-like-this' selects nothing here"),
        (["bench", "--resume", "20991231"], "no run '20991231'"),
        (["refresh", "--profile", "quik"], "did you mean quick"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(project, words, said):
    done = kb("-C", str(project), *words)
    assert done.returncode == Exit.USAGE
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (project / "results").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bench", "--resume", "x", "mlp8"], "leave SELECT and --replicates away"),
        (["refresh", "--no-commit", "--push"], "--push sends the commit"),
        (["measure"], "No such command"),
    ],
)
def test_options_that_contradict_each_other_are_refused(project, words, said):
    done = kb("-C", str(project), *words)
    assert done.returncode == Exit.USAGE
    assert said in done.stderr


def test_outside_a_knowledge_base_it_says_what_is_missing(tmp_path):
    done = kb("bench", folder=tmp_path)
    assert done.returncode == Exit.USAGE
    assert "add the line [tool.kb]" in done.stderr


def test_a_damaged_results_file_is_named_and_left_alone(project):
    kb("-C", str(project), "bench", "--profile", "tiny", "numpy")
    [file] = project.glob("results/runs/*/*/benchmarks.csv")
    broken = file.read_bytes().replace(b"affine", b"affin\xff", 1)
    file.write_bytes(broken)
    done = kb("-C", str(project), "build")
    assert done.returncode == Exit.USAGE
    assert re.search(rf"{re.escape(str(file))}:\d+", done.stderr), done.stderr
    assert file.read_bytes() == broken


@pytest.mark.parametrize(
    ("select", "code"),
    [("affine", Exit.OK), ("raises", Exit.NOTHING_MEASURED), ("foreign", Exit.NOTHING_MEASURED)],
)
def test_the_exit_code_says_what_was_measured(project, select, code):
    text = (project / "pyproject.toml").read_text()
    text = text.replace('models = ["affine"]', 'models = ["affine", "raises", "foreign"]').replace(
        "replicates = 2", "replicates = 1"
    )
    (project / "pyproject.toml").write_text(text)
    done = kb("-C", str(project), "bench", "--profile", "tiny", select, "numpy")
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith("Run 2")


def test_some_failed_is_not_success(project):
    text = (project / "pyproject.toml").read_text()
    text = text.replace('models = ["affine"]', 'models = ["affine", "raises"]').replace(
        "replicates = 2", "replicates = 1"
    )
    (project / "pyproject.toml").write_text(text)
    assert kb("-C", str(project), "bench", "--profile", "tiny", "numpy").returncode == Exit.SOME_FAILED


def test_schema_describes_the_columns_once(project):
    first = kb("-C", str(project), "schema")
    assert "Wrote results/README.md." in first.stdout
    assert (project / "results" / "datapackage.json").exists()
    assert "Nothing to write" in kb("-C", str(project), "schema").stdout


@pytest.mark.slow
def test_doctor_speaks_json_and_its_exit_code_says_whether_anything_works(project):
    done = kb("-C", str(project), "doctor", "--json")
    diagnosis = json.loads(done.stdout)
    assert done.returncode == (Exit.OK if diagnosis["usable"] else Exit.ENVIRONMENT)
    assert {framework["name"] for framework in diagnosis["frameworks"]} >= {"torch", "tensorflow", "onnxruntime"}
