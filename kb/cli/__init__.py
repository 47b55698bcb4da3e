"""The verbs: parse, call one function, print. Nothing heavy is imported before it is needed."""

from pathlib import Path

import click

from kb import __version__
from kb.cli import changes, converting, measuring, problems, site

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="kb")
@click.option(
    "-C", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path(),
    help="Knowledge base to work on (default: the one around the working directory).",
)  # fmt: skip
@click.pass_context
def main(context: click.Context, folder: Path) -> None:
    """A knowledge base of deep-learning frameworks that measures itself."""
    context.obj = folder


for verb in (
    measuring.doctor,
    measuring.bench,
    measuring.practices,
    converting.convert,
    changes.changelog,
    measuring.refresh,
    site.build,
    site.serve,
    site.schema,
    changes.upgrade,
    problems.explain,
    problems.search,
    problems.audit,
    problems.problem,
):
    main.add_command(verb)
