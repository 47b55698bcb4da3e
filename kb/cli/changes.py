"""Verbs of changelogs: reading them, and what an upgrade brings."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb.cli.common import OFFLINE, settings_of, show, told

if TYPE_CHECKING:
    from kb.changelogs.upgrade.report import Report


@click.command()
@click.argument("packages", nargs=-1, metavar="[PACKAGE]...")
@OFFLINE
@click.pass_obj
def changelog(folder: Path, packages: tuple[str, ...], offline: bool) -> None:
    """Read the changelogs of the frameworks, or of PACKAGE alone, and keep what they say.

    Where a source is out of reach, what was read before stays.
    """
    with told():
        from kb.refresh import exit_of_changelogs, read_changelogs

        outcomes = read_changelogs(settings_of(folder), packages, offline=offline)
        for outcome in outcomes:
            click.echo(outcome.line)
            for notice in outcome.notices:
                click.echo(f"  {notice}", err=True)
            if outcome.fault:
                click.echo(outcome.fault, err=True)
        sys.exit(exit_of_changelogs(outcomes))


@click.command()
@click.argument("pins", nargs=-1, metavar="[FROM TO]...")
@click.option("--from-lock", type=click.Path(path_type=Path), metavar="FILE", help="Lock file before the upgrade.")
@click.option("--to-lock", type=click.Path(path_type=Path), metavar="FILE", help="Lock file after it.")
@click.option(
    "--scan", type=click.Path(path_type=Path), multiple=True, metavar="PATH",
    help="Python code, to put first what names what it uses; can be repeated.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json", "sarif"]), default="text", show_default=True,
    help="What to print.",
)  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it to a file.")
@click.option(
    "--fail-on-breaking", is_flag=True,
    help="Exit with 3 if a name that the scanned code uses breaks; without --scan, if anything breaks.",
)  # fmt: skip
@click.pass_obj
def upgrade(
    folder: Path, pins: tuple[str, ...], from_lock: Path | None, to_lock: Path | None, scan: tuple[Path, ...],
    form: str, output: Path | None, fail_on_breaking: bool,
) -> None:  # fmt: skip
    """Show what breaks between two versions, and where your code uses it.

    A package is given twice, from and to: kb upgrade torch==2.7 torch==2.10. Several can be mixed. With --from-lock and
    --to-lock, what differs between two lock files: pip's pins, uv.lock, poetry.lock or pylock.toml.
    """
    with told():
        from kb.changelogs.upgrade.requirements import asked
        from kb.exits import Exit

        question = asked(pins, from_lock, to_lock)
        results = settings_of(folder).results
        from kb.changelogs.library import Shelf
        from kb.changelogs.upgrade.report import upgrade_report

        shelf = Shelf(results)
        report = upgrade_report(question, shelf.sections_of, scan, shelf.source_of)
        _hand_over(report, form, output)
        if fail_on_breaking and report.breaks:
            sys.exit(Exit.REGRESSION)
        sys.exit(Exit.OK if report.tells else Exit.NOTHING_MEASURED)


def _hand_over(report: "Report", form: str, output: Path | None) -> None:
    """Print an upgrade report, or write it to a file in one step; then say of which packages nothing is known."""
    from kb.changelogs.upgrade.formats import rendered
    from kb.changelogs.upgrade.terminal import render
    from kb.changelogs.upgrade.wording import unknown
    from kb.records.atomic import write_whole

    if output is not None:
        write_whole(output, rendered(report, form).encode())
        click.echo(f"Wrote {output}.")
    elif form == "text":
        show(render(report))  # as wide as the terminal, and in its colours
    else:
        click.echo(rendered(report, form), nl=False)
    if told := unknown(report):
        click.echo(f"kb: {told}", err=True)
