"""Verbs of the site and of what lies on disk."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb.cli.common import settings_of, told

if TYPE_CHECKING:
    pass


@click.command()
@click.pass_obj
def build(folder: Path) -> None:
    """Write the pages from results and docs, and build the site."""
    with told():
        settings = settings_of(folder)
        from kb.refresh import build as build_site

        click.echo(build_site(settings))


@click.command()
@click.option("--address", default="127.0.0.1:8000", show_default=True, help="Where to serve.")
@click.pass_obj
def serve(folder: Path, address: str) -> None:
    """Show the site here and rebuild it when results or docs change. Ends with Ctrl-C."""
    with told():
        settings = settings_of(folder)
        from kb.site.serve import serve as run_server

        sys.exit(run_server(settings.root, settings.results, settings.docs, settings.problems, address, say=click.echo))


@click.command()
@click.pass_obj
def schema(folder: Path) -> None:
    """Write the description of every column to results/README.md and results/datapackage.json."""
    with told():
        settings = settings_of(folder)
        from kb.changelogs.describe import write_description
        from kb.records.describe import write_descriptions

        written = [*write_descriptions(settings.results), *write_description(settings.results)]
        for path in written:
            click.echo(f"Wrote {path.relative_to(settings.root)}.")
        if not written:
            click.echo("Nothing to write: the descriptions are up to date.")
