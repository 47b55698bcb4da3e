"""The sample's results, their pages, and the site built from them: each made once for all tests."""

from pathlib import Path

import pytest

from tests.site.sample import PROBLEMS, copy_pages, make_results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site") / "results"
    make_results(root)
    return root


@pytest.fixture(scope="session")
def files(results: Path) -> dict[str, bytes]:
    """Every generated file of these results and of a small log of problems."""
    from kb.site.build import build_pages

    return build_pages(results, PROBLEMS)


@pytest.fixture(scope="session")
def knowledge_base(files: dict[str, bytes], repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base with these pages, this repository's hand-written ones, and its site built."""
    pytest.importorskip("mkdocs")
    from kb.site.build import GENERATED
    from kb.site.engine import run_mkdocs
    from kb.site.writer import write_tree

    root = tmp_path_factory.mktemp("base")
    copy_pages(repo_root, root)
    for note in PROBLEMS.notes:
        (root / note.path).write_text(f"# {note.id}\n", encoding="utf-8")
    write_tree(root / "docs" / GENERATED, files)
    run_mkdocs(root, root / "site")
    return root
