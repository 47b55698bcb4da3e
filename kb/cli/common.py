"""What all verbs share: the settings, errors as one line with an exit code, and what is printed at the end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from kb.config import Settings
    from kb.records.run import RunInfo

RESUME = click.option("--resume", metavar="RUN", help="Do only what is missing of a run that was interrupted.")
REPLICATES = click.option(
    "--replicates", type=click.IntRange(min=1), metavar="N", help="Fresh processes per cell, instead of the profile's."
)
OFFLINE = click.option("--offline", is_flag=True, help="Ask no server: changelogs that are files are read.")


@contextmanager
def told() -> Iterator[None]:
    """Errors that are not kb's own fault become one line and an exit code; Ctrl-C is no error."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("kb: interrupted; what was measured is kept (see kb bench --resume)", err=True)
        sys.exit(130)
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Exception as error:
        from kb.exits import exit_of

        code = exit_of(error)
        if code is None:
            raise
        fail(str(error), code)


def not_both(resume: str | None, select: tuple[str, ...], replicates: int | None) -> None:
    if resume and (select or replicates):
        raise click.UsageError("--resume continues the run as it was planned; leave SELECT and --replicates away")


def show(renderable: object) -> None:
    from rich.console import Console

    Console().print(renderable)


def fail(text: str, code: int) -> NoReturn:
    click.echo(f"kb: {text}", err=True)
    sys.exit(code)


def settings_of(folder: Path) -> "Settings":
    from kb.config import load_settings

    return load_settings(folder)


def end(info: "RunInfo", path: Path) -> NoReturn:
    """Say what a run came to, and leave with the code that fits."""
    from kb.refresh import exit_of_run, sentence_of_run

    click.echo(f"{sentence_of_run(info)}\nRows: {path}")
    sys.exit(exit_of_run(info))
