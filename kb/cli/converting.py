"""kb convert: the grid of a profile, or a file of the user's own."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kb.cli.common import RESUME, end, not_both, settings_of, show, told

if TYPE_CHECKING:
    from kb.config import Settings
    from kb.convert.own import Own


FILE = click.Path(path_type=Path)


@click.command()
@click.argument("select", nargs=-1)
@click.option("--profile", default="quick", show_default=True, help="Which grid of conversions.")
@RESUME
@click.option("--list", "only_list", is_flag=True, help="Show the conversions; convert nothing.")
@click.option("--onnx", type=FILE, metavar="FILE", help="Check your own ONNX file instead.")
@click.option("--torchscript", type=FILE, metavar="FILE", help="Convert and check your own TorchScript file instead.")
@click.option("--keras", type=FILE, metavar="FILE", help="Convert and check your own .keras file instead.")
@click.option("--saved-model", type=FILE, metavar="DIR", help="Convert and check your own SavedModel instead.")
@click.option("--reference", metavar="MODULE:ATTR", help="What your file was made from: a module, model or function.")
@click.option("--inputs", type=FILE, metavar="FILE", help="An .npz of inputs (and expected_0, ... for outputs).")
@click.option("--data", type=FILE, metavar="FILE", help="An .npz of labelled samples: inputs by name, and labels.")
@click.option("--opset", type=click.IntRange(min=1), default=18, show_default=True, help="To convert your file to.")
@click.option("--minimal", type=FILE, metavar="DIR", help="Where to keep a wrong node of your file by itself.")
@click.option("--precision", "precisions", multiple=True, help="fp32, fp16, int8-static, ... (more than one: repeat).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "markdown"]),
    default="table",
    help="Of the report on yours.",
)
@click.pass_obj
def convert(
    folder: Path, /, select: tuple[str, ...], profile: str, resume: str | None, only_list: bool, form: str, **own: Any
) -> None:
    """Convert models and check that the conversions still give the right answers.

    SELECT narrows the grid: names or globs of models, routes and precisions, field=value (opset=18), or globs of
    conversion ids (mlp8/torch-*). Words of one field are alternatives, words of different fields must all hold.
    """
    with told():
        not_both(resume, select, None)
        settings = settings_of(folder)
        if asked := _own_file(own):
            if select or resume or only_list:
                raise click.UsageError("your own file is checked alone: leave SELECT, --resume and --list away")
            _check_own(settings, asked, form)
        if only_list:
            from kb.listing import conversions

            show(conversions(settings, profile, select))
            return
        from kb.refresh import measure_conversions

        info, path = measure_conversions(settings, profile, select, resume=resume)
        end(info, path)


def _own_file(given: dict[str, Any]) -> "Own | None":
    """What is to be checked of a user's own, if one of the options for a file is there."""
    from kb.convert.own import OPTIONS, Own

    asked = {option: path for option in OPTIONS if (path := given.pop(option)) is not None}
    if len(asked) > 1:
        raise click.UsageError("one file at a time: give only one of --onnx, --torchscript, --keras, --saved-model")
    if not asked:
        if any(given[name] for name in ("reference", "inputs", "data", "minimal", "precisions")):
            raise click.UsageError(
                "--reference, --inputs, --data, --minimal and --precision go with a file of yours (--onnx, ...)"
            )
        return None
    option, path = next(iter(asked.items()))
    return Own.of(option, path, **given)


def _check_own(settings: "Settings", own: "Own", form: str) -> NoReturn:
    """Check a user's file, print the report, and leave with the code that fits."""
    from kb.convert.own import as_json, as_markdown, as_table, check, failed
    from kb.convert.progress import PlainProgress
    from kb.exits import Exit
    from kb.machine.fingerprint import fingerprint

    rows = check(own, settings, fingerprint().usable_cores, PlainProgress(sys.stderr))
    if form == "table":
        show(as_table(rows))
    else:
        click.echo(as_json(rows) if form == "json" else as_markdown(rows))
    sys.exit(Exit.SOME_FAILED if failed(rows) else Exit.OK)
