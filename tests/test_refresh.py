"""The monthly job: each stage does what it can, whatever becomes of the others, and the exit code tells the worst."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kb.exits import Exit
from kb.refresh import FAULT, Stage, summary


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    return subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def refresh(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kb.cli", "-C", str(folder), "refresh", "--offline", "--profile", "tiny", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.fixture
def base(project: Path, repo_root: Path) -> Path:
    """A knowledge base with a site, under version control, with somebody's work in progress, and one runtime."""
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace('runtimes = ["numpy", "converting"]', 'runtimes = ["numpy"]'))
    shutil.copy(repo_root / "mkdocs.yml", project)
    shutil.copytree(repo_root / "docs", project / "docs", ignore=shutil.ignore_patterns("generated"))
    (project / ".gitignore").write_text("/site/\n/docs/generated/\n")
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=Begin")
    (project / "staged.txt").write_text("work in progress\n")
    git(project, "add", "staged.txt")
    return project


@pytest.mark.slow
def test_it_measures_commits_only_results_pushes_and_builds(base: Path, tmp_path: Path):
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(base, "remote", "add", "origin", str(remote))
    done = refresh(base, "--push")
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("ok")] == [
        "doctor", "bench", "changelog", "commit", "build",
    ]  # fmt: skip
    touched = git(base, "show", "--name-only", "--format=", "HEAD").split()
    assert touched
    assert all(path.startswith("results/") for path in touched)
    assert sum(path.endswith("benchmarks.csv") for path in touched) == 1
    assert git(base, "status", "--porcelain") == "A  staged.txt\n", "somebody's staged file stays staged, alone"
    assert git(remote, "rev-parse", "main") == git(base, "rev-parse", "HEAD")
    assert "affine" in (base / "site" / "index.html").read_text()


@pytest.mark.slow
def test_without_git_and_without_a_site_it_keeps_what_it_measured(project: Path):
    done = refresh(project)
    assert done.returncode == Exit.ENVIRONMENT
    stages = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines() if line[:4] in ("ok  ", "FAIL")}
    assert stages == {"doctor": "ok", "bench": "ok", "changelog": "ok", "commit": "FAIL", "build": "FAIL"}
    assert len(list(project.glob("results/runs/*/*/benchmarks.csv"))) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_nothing_measured_is_never_success_but_is_kept(base: Path):
    text = (base / "pyproject.toml").read_text()
    (base / "pyproject.toml").write_text(text.replace('models = ["affine"]', 'models = ["raises"]'))
    done = refresh(base, "--no-commit")
    assert done.returncode == Exit.NOTHING_MEASURED
    assert "no case was measured" in done.stdout
    assert len(list(base.glob("results/runs/*/*/run.json"))) == 1
    assert git(base, "log", "--format=%s") == "Begin\n"


CHANGELOG = """
[tool.kb.changelogs.ours]
packages = ["ourlib"]
format = "keep-a-changelog"
source = "file"
location = "CHANGELOG.md"
dates = []
"""
NOTES = "# Changelog\n\n## [1.1.0]\n\n### Added\n\n- more\n\n## [1.0.0]\n\n### Added\n\n- a beginning\n"


@pytest.mark.slow
def test_it_reads_changelogs_and_commits_what_is_new_and_what_is_gone(base: Path):
    with (base / "pyproject.toml").open("a") as settings:
        settings.write(CHANGELOG)
    (base / "CHANGELOG.md").write_text(NOTES)
    command = [sys.executable, "-m", "kb.cli", "-C", str(base), "changelog", "ours"]
    subprocess.run(command, check=True, capture_output=True)
    git(base, "add", "results")
    git(base, "commit", "--quiet", "--message=Know two versions", "--", "results")
    (base / "CHANGELOG.md").write_text(NOTES.replace("1.0.0", "1.0.1"))
    done = refresh(base)
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    folder = "results/changelogs/ourlib"
    changes = git(base, "show", "--format=", "--no-renames", "--name-status", "HEAD", "--", folder).splitlines()
    assert changes == [f"D\t{folder}/1.0.0.csv", f"A\t{folder}/1.0.1.csv"]
    assert "offline" in done.stdout, "what was not asked is told, and is no failure"
    assert "Changelog of ours: 2 versions, 1 new entry." in git(base, "log", "-1", "--format=%B")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([0, 0, 0, 0], 0),
        ([0, Exit.SOME_FAILED, 0, 0], Exit.SOME_FAILED),
        ([Exit.ENVIRONMENT, Exit.NOTHING_MEASURED, 0, 0], Exit.NOTHING_MEASURED),
        ([0, Exit.SOME_FAILED, Exit.ENVIRONMENT, 0], Exit.ENVIRONMENT),
        ([0, Exit.NOTHING_MEASURED, 0, FAULT], FAULT),
    ],
)
def test_the_exit_code_is_the_worst(codes, expected):
    names = ["doctor", "bench", "commit", "build"]
    lines, code = summary([Stage(name, int(c), "said", 1.0) for name, c in zip(names, codes, strict=True)])
    assert code == expected
    assert len(lines) == 4
