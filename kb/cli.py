"""The verbs: parse, call one function, print. Nothing heavy is imported before it is needed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kb import __version__

if TYPE_CHECKING:
    from kb.changelogs.upgrade.report import Report
    from kb.config import Settings
    from kb.convert.own import Own
    from kb.machine.findings import Diagnosis
    from kb.records.run import RunInfo

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

REPLICATES = click.option(
    "--replicates", type=click.IntRange(min=1), metavar="N", help="Fresh processes per cell, instead of the profile's."
)
RESUME = click.option("--resume", metavar="RUN", help="Do only what is missing of a run that was interrupted.")


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


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Show this machine, and what each framework really sees and can use.

    Every framework is asked in a process of its own and computes something small on every device that it finds.
    """
    from kb.exits import Exit

    diagnosis = _diagnosis()
    if as_json:
        import json

        click.echo(json.dumps(diagnosis.as_dict(), indent=2))
    else:
        _print(diagnosis)
    sys.exit(Exit.OK if diagnosis.usable else Exit.ENVIRONMENT)


@main.command()
@click.argument("select", nargs=-1)
@click.option("--profile", default="quick", show_default=True, help="Which grid, and how many replicates.")
@REPLICATES
@RESUME
@click.option("--list", "only_list", is_flag=True, help="Show the cells and the time they would take; measure nothing.")
@click.pass_obj
def bench(
    folder: Path, select: tuple[str, ...], profile: str, replicates: int | None, resume: str | None, only_list: bool
) -> None:
    """Measure, and keep every row the moment it is there.

    SELECT narrows the grid: names or globs of models and runtimes, a model at a size (resnet50@160), field=value
    (batch=8), or globs of case ids (mlp8/torch-*). Words of one field are alternatives, words of different fields must
    all hold.
    """
    with _told():
        _not_both(resume, select, replicates)
        settings = _settings(folder)
        if only_list:
            from kb.listing import grid

            _show(grid(settings, profile, select, replicates))
            return
        from kb.refresh import measure

        info, path = measure(settings, profile, select, replicates=replicates, resume=resume, command="bench")
        _end(info, path)


@main.command()
@click.argument("select", nargs=-1)
@REPLICATES
@RESUME
@click.option("--list", "only_list", is_flag=True, help="Show the arms; measure nothing.")
@click.pass_obj
def practices(
    folder: Path, select: tuple[str, ...], replicates: int | None, resume: str | None, only_list: bool
) -> None:
    """Measure practices: mixed precision, data loading, custom operators and others.

    SELECT narrows them: names or globs of practices, or field=value (device=cpu). Words of one field are alternatives,
    words of different fields must all hold.
    """
    with _told():
        _not_both(resume, select, replicates)
        settings = _settings(folder)
        if only_list:
            from kb.listing import arms

            _show(arms(settings, select, replicates))
            return
        from kb.refresh import measure_practices

        info, path = measure_practices(settings, select, replicates=replicates, resume=resume)
        _end(info, path)


FILE = click.Path(path_type=Path)
OFFLINE = click.option("--offline", is_flag=True, help="Ask no server: changelogs that are files are read.")


@main.command()
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
    with _told():
        _not_both(resume, select, None)
        settings = _settings(folder)
        if asked := _own_file(own):
            if select or resume or only_list:
                raise click.UsageError("your own file is checked alone: leave SELECT, --resume and --list away")
            _check_own(settings, asked, form)
        if only_list:
            from kb.listing import conversions

            _show(conversions(settings, profile, select))
            return
        from kb.refresh import measure_conversions

        info, path = measure_conversions(settings, profile, select, resume=resume)
        _end(info, path)


@main.command()
@click.argument("packages", nargs=-1, metavar="[PACKAGE]...")
@OFFLINE
@click.pass_obj
def changelog(folder: Path, packages: tuple[str, ...], offline: bool) -> None:
    """Read the changelogs of the frameworks, or of PACKAGE alone, and keep what they say.

    Where a source is out of reach, what was read before stays.
    """
    with _told():
        from kb.refresh import exit_of_changelogs, read_changelogs

        outcomes = read_changelogs(_settings(folder), packages, offline=offline)
        for outcome in outcomes:
            click.echo(outcome.line)
            for notice in outcome.notices:
                click.echo(f"  {notice}", err=True)
            if outcome.fault:
                click.echo(outcome.fault, err=True)
        sys.exit(exit_of_changelogs(outcomes))


@main.command()
@click.option("--profile", default="quick", show_default=True, help="Which grid, and how many replicates.")
@REPLICATES
@OFFLINE
@click.option("--commit/--no-commit", default=True, show_default=True, help="Commit what was measured.")
@click.option("--push", is_flag=True, help="Push the commit; on a rejected push fetch, rebase and try again.")
@click.pass_obj
def refresh(folder: Path, profile: str, replicates: int | None, offline: bool, commit: bool, push: bool) -> None:
    """The monthly job: doctor, bench, practices where the profile has them, changelogs, commit, build.

    Each stage is isolated; a summary comes last.
    """
    with _told():
        if push and not commit:
            raise click.UsageError("--push sends the commit that --no-commit leaves away")
        settings = _settings(folder)
        settings.profile(profile)
        from kb.refresh import refresh as run_stages
        from kb.refresh import summary

        stages = run_stages(
            settings, profile, replicates=replicates, offline=offline, commit=commit, push=push,
            diagnose=_diagnosis, show=_print,
        )  # fmt: skip
        lines, code = summary(stages)
        click.echo("\n" + "\n".join(lines))
        sys.exit(code)


@main.command()
@click.pass_obj
def build(folder: Path) -> None:
    """Write the pages from results and docs, and build the site."""
    with _told():
        settings = _settings(folder)
        from kb.refresh import build as build_site

        click.echo(build_site(settings))


@main.command()
@click.option("--address", default="127.0.0.1:8000", show_default=True, help="Where to serve.")
@click.pass_obj
def serve(folder: Path, address: str) -> None:
    """Show the site here and rebuild it when results or docs change. Ends with Ctrl-C."""
    with _told():
        settings = _settings(folder)
        from kb.site.serve import serve as run_server

        sys.exit(run_server(settings.root, settings.results, settings.docs, address, say=click.echo))


@main.command()
@click.pass_obj
def schema(folder: Path) -> None:
    """Write the description of every column to results/README.md and results/datapackage.json."""
    with _told():
        settings = _settings(folder)
        from kb.changelogs.describe import write_description
        from kb.records.describe import write_descriptions

        written = [*write_descriptions(settings.results), *write_description(settings.results)]
        for path in written:
            click.echo(f"Wrote {path.relative_to(settings.root)}.")
        if not written:
            click.echo("Nothing to write: the descriptions are up to date.")


@main.command()
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
    with _told():
        from kb.changelogs.upgrade.requirements import asked
        from kb.exits import Exit

        question = asked(pins, from_lock, to_lock)
        results = _settings(folder).results
        from kb.changelogs.library import Shelf
        from kb.changelogs.upgrade.report import upgrade_report

        shelf = Shelf(results)
        report = upgrade_report(question, shelf.sections_of, scan, shelf.source_of)
        _hand_over(report, form, output)
        if fail_on_breaking and report.breaks:
            sys.exit(Exit.REGRESSION)
        sys.exit(Exit.OK if report.tells else Exit.NOTHING_MEASURED)


@contextmanager
def _told() -> Iterator[None]:
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
        _fail(str(error), code)


def _not_both(resume: str | None, select: tuple[str, ...], replicates: int | None) -> None:
    if resume and (select or replicates):
        raise click.UsageError("--resume continues the run as it was planned; leave SELECT and --replicates away")


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
        _show(as_table(rows))
    else:
        click.echo(as_json(rows) if form == "json" else as_markdown(rows))
    sys.exit(Exit.SOME_FAILED if failed(rows) else Exit.OK)


def _show(renderable: object) -> None:
    from rich.console import Console

    Console().print(renderable)


def _fail(text: str, code: int) -> NoReturn:
    click.echo(f"kb: {text}", err=True)
    sys.exit(code)


def _settings(folder: Path) -> "Settings":
    from kb.config import load_settings

    return load_settings(folder)


def _diagnosis() -> "Diagnosis":
    from kb.machine.doctor import Answer, diagnose
    from kb.workers.process import Limits, run

    def ask(target: str) -> Answer:
        failure = (outcome := run(target, {}, Limits(timeout_s=120))).failure
        if failure is None:
            return Answer(result=outcome.result)
        return Answer(error=failure.reason, crashed=failure.status is not None)

    return diagnose(ask)


def _print(diagnosis: "Diagnosis") -> None:
    from kb.machine.report import render

    _show(render(diagnosis))


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
        _show(render(report))  # as wide as the terminal, and in its colours
    else:
        click.echo(rendered(report, form), nl=False)
    if told := unknown(report):
        click.echo(f"kb: {told}", err=True)


def _end(info: "RunInfo", path: Path) -> NoReturn:
    """Say what a run came to, and leave with the code that fits."""
    from kb.refresh import exit_of_run, sentence_of_run

    click.echo(f"{sentence_of_run(info)}\nRows: {path}")
    sys.exit(exit_of_run(info))


if __name__ == "__main__":
    main()
