"""A remote and its clones, as the machines of a team have them: with somebody's unfinished work in each."""

import os
import subprocess
from pathlib import Path

from kb.repository import PushOutcome, Repository

SOMEBODY = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")


def git(folder: Path, *words: str, **variables: str) -> str:
    """Standard output of a git command that must succeed."""
    done = subprocess.run(
        ["git", *SOMEBODY, *words], cwd=folder, capture_output=True, text=True, env=os.environ | variables
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


def new_remote(folder: Path) -> Path:
    """A bare repository with one commit on `main`."""
    remote, seed = folder / "remote.git", folder / "seed"
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(folder, "init", "--quiet", "--initial-branch=main", str(seed))
    for name in ("README.md", "code.py", "gone.py", "tool.sh"):
        (seed / name).write_text(f"{name} as it was\n")
    git(seed, "add", ".")
    git(seed, "commit", "--quiet", "--message=Begin")
    git(seed, "push", "--quiet", str(remote), "main")
    return remote


def new_clone(remote: Path, folder: Path, *options: str) -> Path:
    git(remote.parent, "clone", "--quiet", *options, remote.as_uri(), str(folder))
    return folder


def write_run(root: Path, name: str, results: str = "results") -> Path:
    """The folder of one run, as kb writes it."""
    run = root / results / "runs" / "2026" / name
    run.mkdir(parents=True)
    (run / "run.json").write_text(f'{{"run": "{name}"}}\n')
    (run / "benchmarks.csv").write_text(f"row,model\n0,{name}\n")
    return run


def begin_work(root: Path) -> None:
    """Somebody's work in progress, in every state that git knows."""
    (root / "code.py").write_text("staged\n")
    git(root, "add", "code.py")
    (root / "code.py").write_text("staged, and changed again\n")
    (root / "README.md").write_text("changed\n")
    (root / "gone.py").unlink()
    git(root, "update-index", "--chmod=+x", "tool.sh")
    (root / "new.py").write_text("staged\n")
    git(root, "add", "new.py")
    (root / "later.py").write_text("to be added\n")
    git(root, "add", "--intent-to-add", "later.py")
    (root / "untracked.txt").write_text("untracked\n")


def state(root: Path, *, but: str = "results") -> tuple[str, str, dict[str, str]]:
    """All that somebody would miss: status with the ids in HEAD and index, index entries, contents of files."""
    status = git(root, "status", "--porcelain=v2", "--untracked-files=all")
    entries = git(root, "ls-files", "--stage")
    files = {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.parts and but not in path.parts
    }
    return (
        "\n".join(line for line in status.splitlines() if f" {but}/" not in line),
        "\n".join(line for line in entries.splitlines() if f"\t{but}/" not in line),
        files,
    )


def files_in(repository: Path, revision: str = "HEAD", folder: str = "results") -> list[str]:
    """Names of the files of a commit, below a folder."""
    return git(repository, "ls-tree", "-r", "--name-only", revision, "--", f"{folder}/").splitlines()


def touched(repository: Path, revision: str = "HEAD") -> list[str]:
    """Names of the files that a commit changed."""
    return git(repository, "show", "--name-only", "--format=", revision).splitlines()


def commit_run(root: Path, name: str) -> str:
    made = Repository.find(root).commit([write_run(root, name)], f"Add run {name}")
    assert made is not None
    return made.id


def push_run(root: Path, name: str) -> PushOutcome:
    commit_run(root, name)
    return Repository.find(root).push()


def kept(root: Path, outcome: PushOutcome, commit: str) -> bool:
    """Whether an undelivered commit is still the newest one here, and one line says so."""
    here = git(root, "rev-parse", "HEAD") == commit
    return here and not outcome.delivered and "\n" not in outcome.sentence and "is kept here" in outcome.sentence
