"""Verbs of the problem log."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from kb.cli.common import end, fail, settings_of, told

if TYPE_CHECKING:
    from typing import BinaryIO

FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
LIMIT = click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="Most notes to show.")


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@FORMAT
@LIMIT
@click.pass_obj
def explain(folder: Path, file: "BinaryIO", form: str, limit: int) -> None:
    """Find the problem notes about an error.

    FILE holds the traceback or log; without it, it is read from standard input. Paths, numbers and shapes may differ
    from those in the note.
    """
    with told():
        from kb.problems.answers import read_paste

        if file.isatty():
            click.echo("Paste the error, then press Ctrl-D (Ctrl-Z and Enter on Windows).", err=True)
        _answer(folder, read_paste(file), form, limit, pasted=True)


@click.command(context_settings={"ignore_unknown_options": True})  # words of a problem may begin with two hyphens
@click.argument("words", nargs=-1, required=True)
@FORMAT
@LIMIT
@click.pass_obj
def search(folder: Path, words: tuple[str, ...], form: str, limit: int) -> None:
    """Find the problem notes that have these WORDS.

    Parts of names, misspelt words and versions behind the name of a package (torch 2.9) are understood.
    """
    with told():
        _answer(folder, " ".join(words), form, limit, pasted=False)


@click.command()
@click.option(
    "--requirements",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A requirements file, uv.lock, poetry.lock or pylock.toml, instead of what is installed here.",
)
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="FILE", help="An ONNX model: its opset and operators."
)
@click.option("--format", "shape", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(["minor", "moderate", "major", "critical"]),
    help="Exit code 3 where a note of this severity or worse applies.",
)
@click.pass_obj
def audit(folder: Path, requirements: Path | None, model: Path | None, shape: str, fail_on: str | None) -> None:
    """Compare this environment, a list of packages or a model with all notes of the problem log.

    A note may apply where a fact is missing; that alone never fails. Notes are put off in tool.kb.audit.ignore.
    """
    with told():
        settings = settings_of(folder)
        from kb.exits import Exit
        from kb.problems.audit.formats import FORMATS, summary
        from kb.problems.audit.verb import audited
        from kb.problems.note import Severity

        found = audited(settings, requirements, model)
        click.echo(FORMATS[shape](found, settings.root))
        for line in found.remarks:
            click.echo(f"kb: {line}", err=True)
        if found.unreadable:
            click.echo(f"kb: not compared, since they cannot be read: {found.unreadable} (kb problem lint)", err=True)
        click.echo(summary(found), err=True)
        if not found.compared:
            fail(f"there are no notes in {settings.problems}, so nothing was audited", Exit.NOTHING_MEASURED)
        if fail_on and found.fails(Severity(fail_on)):
            sys.exit(Exit.AFFECTED)
        sys.exit(Exit.SOME_FAILED if fail_on and found.unreadable else Exit.OK)


@click.group()
def problem() -> None:
    """Write, check, number and verify the notes of the problem log."""


@problem.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "shape", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.pass_obj
def lint(folder: Path, files: tuple[Path, ...], shape: str) -> None:
    """Check all notes, and say for each line what to write instead.

    With FILES only what is wrong in them is told; the others are read all the same, since ids and links are among all.
    Ends with exit code 4 where there are errors.
    """
    with told():
        settings = settings_of(folder)
        from kb.exits import Exit
        from kb.problems.telling import FORMATS, summary
        from kb.problems.verbs import check

        complaints, notes = check(settings, files)
        if complaints or shape == "json":
            click.echo(FORMATS[shape](complaints, settings.root))
        click.echo(summary(complaints, notes), err=True)
        sys.exit(Exit.SOME_FAILED if any(one.is_error for one in complaints) else Exit.OK)


@problem.command("assign-ids")
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit code 4 where there is something to do.")
@click.pass_obj
def assign_ids(folder: Path, only_check: bool) -> None:
    """Give numbers to notes that have none, and new ones to those that came second to a number.

    A number is free if no branch has it that was fetched, so fetch first. Files are renamed; nothing is committed.
    """
    with told():
        settings = settings_of(folder)
        from kb.exits import Exit
        from kb.problems.assigning import apply, plan, report

        assignment = plan(settings.problems)
        if not only_check:
            apply(assignment.changes)
        for line in report(settings.problems, assignment, done=not only_check):
            click.echo(line)
        sys.exit(Exit.SOME_FAILED if only_check and assignment.changes else Exit.OK)


@problem.command()
@click.option("--from", "source", metavar="FILE", help="Take the last traceback of this file; - for standard input.")
@click.option("--clipboard", is_flag=True, help="Take the last traceback of the clipboard.")
@click.option("--title", default="", help="The title, instead of what the error says.")
@click.option("--no-edit", is_flag=True, help="Do not open $EDITOR.")
@click.pass_obj
def new(folder: Path, source: str | None, clipboard: bool, title: str, no_edit: bool) -> None:
    """Begin a note from a traceback, with the versions and the machine that are here. Prints its path.

    What only a person can decide is marked TODO, which kb problem lint reports until it is gone.
    """
    with told():
        if source and clipboard:
            raise click.UsageError("the error comes either --from a file or from the --clipboard")
        settings = settings_of(folder)
        from kb.problems.verbs import begin

        def say(line: str) -> None:
            click.echo(line, err=True)

        click.echo(begin(settings, source, clipboard=clipboard, title=title, edit=not no_edit, say=say))


@problem.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--with", "arms", multiple=True, metavar="PKG==VER[,...]",
    help="Run in an environment made for this, instead of here; again for another environment.",
)  # fmt: skip
@click.pass_obj
def verify(folder: Path, ids: tuple[str, ...], arms: tuple[str, ...]) -> None:
    """Run the reproducers of notes, each in a process and an empty folder of its own, and keep what they showed.

    Without ID all notes with a reproducer are run; with --with, those that name one of its packages. A reproducer is
    a program of this knowledge base and may do what you may do: read it before you run one from elsewhere.
    """
    with told():
        settings = settings_of(folder)
        from kb.exits import Exit
        from kb.refresh import verify_problems

        done = verify_problems(settings, ids, arms, lambda line: click.echo(line, err=True))
        if done is None:
            fail("no note has a reproducer to run, so nothing was verified", Exit.NOTHING_MEASURED)
        end(*done)


@problem.command()
@click.argument("id")
@click.pass_obj
def propose(folder: Path, id: str) -> None:
    """Print the patch that settles what the reproducer of a note contradicts in it, for git apply.

    The note itself is a person's, and is left as it is.
    """
    with told():
        settings = settings_of(folder)
        from kb.problems.verbs import proposed

        if found := proposed(settings, id):
            click.echo(found.patch, nl=False)
        for line in found.remarks if found else ["nothing that was verified contradicts the note"]:
            click.echo(line, err=True)


def _answer(folder: Path, text: str, form: str, limit: int, pasted: bool) -> NoReturn:
    """Print the notes that answer. Finding none is an answer, but no success."""
    from kb.exits import Exit
    from kb.problems.answers import as_json, as_text, hits_of, notes_folder

    notes = notes_folder(folder)
    hits = hits_of(notes, text, limit, pasted)
    if form == "json":
        click.echo(as_json(hits))
    elif hits:
        click.echo(as_text(hits, notes))
    if not hits:
        fail(f"no note in {notes} is about this; once it is solved, write one: kb problem new", Exit.NOTHING_FOUND)
    sys.exit(Exit.OK)
