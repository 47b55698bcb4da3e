"""The site engine: MkDocs in a process of its own, strict, and its result put in place in one step."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from kb.records.atomic import temporary_name

#: Lines of the engine's output that an error shows: its warnings come last.
TAIL_LINES = 12

#: The theme's end-of-life notice, and what a fork prints in its place, are not news to a reader of a log.
QUIET = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}

CONFIG = "mkdocs.yml"

#: Module -> distribution of everything that pages, charts and engine need. Without jieba the engine builds, and finds
#: nothing that is written in Chinese: a failure that nobody sees.
PARTS = {
    "jinja2": "jinja2",
    "markupsafe": "markupsafe",
    "altair": "altair",
    "vl_convert": "vl-convert-python",
    "mkdocs": "mkdocs",
    "material": "mkdocs-material",
    "jieba": "jieba",
}


class EngineError(Exception):
    """The site could not be built. The first line says why, the others are the end of the engine's output."""


def run_mkdocs(root: Path, site_dir: Path) -> None:
    """Build the site of the knowledge base at `root` into `site_dir`, which is replaced as a whole.

    The engine writes beside it and the result is moved into place: a failed build leaves the old site as it was.
    `docs/generated` must be up to date (`kb.site.build.generate`).

    Raises:
        EngineError: MkDocs or its configuration is missing, or the build failed; warnings count, the build is strict.
    """
    check_ready(root)
    site_dir.parent.mkdir(parents=True, exist_ok=True)
    made = temporary_name(site_dir)
    try:
        _build(root, made)
        _add_folder_search(made)
        _replace(site_dir, made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def repository_of(root: Path) -> str:
    """The address of the repository that the engine's configuration names under `extra`; empty where it names none.

    Not `repo_url`: with it the theme asks that host for the number of stars.
    """
    import yaml

    class Plain(yaml.SafeLoader):
        """Reads tags such as `!!python/name` as nothing: only the plain values are wanted."""

    Plain.add_multi_constructor("", lambda loader, suffix, node: None)
    try:
        settings = yaml.load((root / CONFIG).read_bytes(), Loader=Plain)
        address = settings["extra"]["repository"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):  # the engine says what is wrong with its configuration
        return ""
    return address if isinstance(address, str) else ""


def check_ready(root: Path) -> None:
    """Find out before anything is started whether a site can be built here.

    Raises:
        EngineError: something is missing, and how to get it.
    """
    if not (root / CONFIG).is_file():
        raise EngineError(f"no {CONFIG} in {root}: the site is built from the root of a knowledge base")
    require_parts()


def require_parts() -> None:
    """Make sure that what the extra `site` installs is there.

    Raises:
        EngineError: something is missing, and how to get it.
    """
    missing = [name for module, name in PARTS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise EngineError(f"{', '.join(missing)} not installed: run pip install 'framework-kb[site]'")


def engine_environment() -> Mapping[str, str]:
    """The environment that the engine runs in."""
    return {**os.environ, **QUIET}


def _build(root: Path, target: Path) -> None:
    # Not --quiet: it hides the warnings from --strict, which then counts none and fails at nothing.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    command += ["--config-file", str(root / CONFIG), "--site-dir", str(target)]
    done = subprocess.run(
        command, cwd=root, env=engine_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stdout.decode(errors="replace").strip().splitlines()[-TAIL_LINES:])
        raise EngineError(f"mkdocs build --strict failed with exit code {done.returncode}; the old site stays\n{tail}")


def _add_folder_search(site: Path) -> None:
    """The search index as a script: a page opened from a folder cannot fetch the JSON, and asks for this file."""
    index = site / "search" / "search_index.json"
    if index.is_file():
        index.with_suffix(".js").write_bytes(b"var __index = " + index.read_bytes() + b";\n")


def _replace(site_dir: Path, made: Path) -> None:
    """Put the new site where the old one is. Between the two moves there is none, for a moment and no longer."""
    old = temporary_name(site_dir)
    if site_dir.exists():
        site_dir.rename(old)
    try:
        made.rename(site_dir)
    except OSError:
        if old.exists():
            old.rename(site_dir)
        raise
    shutil.rmtree(old, ignore_errors=True)
