"""`kb upgrade`: what it prints, where it writes, and the exit code that a CI job waits for."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb.changelogs.entry import Category
from kb.changelogs.record import VersionRecord
from kb.changelogs.store import replace_versions
from kb.cli import main
from kb.exits import Exit
from tests.changelogs.upgrade.samples import entry, section

KNOWN = {
    "torch": (section("2.8", entry("`torch.foo` is stricter"), entry("All is stricter")), section("2.9")),
    "calm": (section("2.0", entry("Faster", Category.PERFORMANCE), package="calm"),),
}
WORDS = ("torch==2.7", "torch==2.8")


@pytest.fixture(autouse=True)
def knowledge_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A knowledge base that knows of two packages, as the working directory."""
    for package, sections in KNOWN.items():
        records = [VersionRecord.of(each, date_source="", source_url="", today="2026-11-20") for each in sections]
        replace_versions(tmp_path / "results", package, {}, records)
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text("[tool.kb]\n")
    for name, code in (("uses.py", "import torch\ntorch.foo()\n"), ("other.py", "import torch\ntorch.bar()\n")):
        Path(name).write_text(code)
    Path("old.txt").write_text("torch==2.7\nunheard==1\n")
    Path("new.txt").write_text("torch==2.8\nunheard==2\n")
    return tmp_path


def kb(*words: str) -> Result:
    return CliRunner().invoke(main, ["upgrade", *words], catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (WORDS, Exit.OK),
        ((*WORDS, "--fail-on-breaking"), Exit.REGRESSION),
        ((*WORDS, "--scan", "uses.py"), Exit.OK),
        ((*WORDS, "--scan", "uses.py", "--fail-on-breaking"), Exit.REGRESSION),
        ((*WORDS, "--scan", "other.py", "--fail-on-breaking"), Exit.OK),
        ((*WORDS, "--scan", "other.py", "--scan", "uses.py", "--fail-on-breaking"), Exit.REGRESSION),
        (("calm==1", "calm==2", "--fail-on-breaking"), Exit.OK),
        (("unheard==1", "unheard==2"), Exit.NOTHING_MEASURED),
        ((*WORDS, "unheard==1", "unheard==2"), Exit.NOTHING_MEASURED),
        ((*WORDS, "unheard==1", "unheard==2", "--fail-on-breaking"), Exit.REGRESSION),
        (("torch==2.8", "torch==2.9"), Exit.NOTHING_MEASURED),
        (("--from-lock", "old.txt", "--to-lock", "new.txt"), Exit.OK),
        (("--from-lock", "old.txt", "--to-lock", "old.txt"), Exit.OK),
        (("--from-lock", "old.txt", "--to-lock", "new.txt", "--fail-on-breaking"), Exit.REGRESSION),
    ],
)
def test_the_exit_code_says_how_it_went(words: tuple[str, ...], code: Exit) -> None:
    assert kb(*words).exit_code == code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to upgrade: give a package twice"),
        (("torch==2.8",), "torch is given once"),
        (("torch==2.7", "torch>2.8"), "names no single version"),
        (("--from-lock", "old.txt"), "--from-lock and --to-lock belong together"),
        ((*WORDS, "--from-lock", "old.txt", "--to-lock", "new.txt"), "give either pins or two lock files"),
        (("--from-lock", "absent.txt", "--to-lock", "new.txt"), "absent.txt: cannot be read"),
        ((*WORDS, "--scan", "absent"), "absent: does not exist"),
        ((*WORDS, "--scan", "old.txt"), "old.txt: is no Python code"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words: tuple[str, ...], said: str) -> None:
    done = kb(*words)
    assert done.exit_code == Exit.USAGE
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_what_is_not_known_is_said_with_what_to_do() -> None:
    done = kb("unheard==1", "unheard==2")
    assert done.stderr == "kb: no entries of unheard: run `kb changelog unheard`\n"


def test_a_program_reads_nothing_but_the_report_on_stdout() -> None:
    done = kb(*WORDS, "unheard==1", "unheard==2", "--format", "json")
    assert [package["known"] for package in json.loads(done.stdout)["packages"]] == [True, False]


@pytest.mark.parametrize(("form", "begins"), [("text", "torch 2.7"), ("markdown", "# Upgrade"), ("sarif", "{")])
def test_the_report_can_be_written_to_a_file(form: str, begins: str) -> None:
    done = kb(*WORDS, "--format", form, "--output", "report.out")
    assert done.stdout == "Wrote report.out.\n"
    assert Path("report.out").read_text().startswith(begins)


def test_the_report_names_the_line_of_the_code() -> None:
    assert "uses.py:2" in kb(*WORDS, "--scan", ".").stdout
