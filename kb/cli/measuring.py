"""Verbs that measure: what is here, how fast it is, and the monthly job."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kb.cli.common import OFFLINE, REPLICATES, RESUME, end, not_both, settings_of, show, told

if TYPE_CHECKING:
    from kb.machine.findings import Diagnosis


@click.command()
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


@click.command()
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
    with told():
        not_both(resume, select, replicates)
        settings = settings_of(folder)
        if only_list:
            from kb.listing import grid

            show(grid(settings, profile, select, replicates))
            return
        from kb.refresh import measure

        info, path = measure(settings, profile, select, replicates=replicates, resume=resume, command="bench")
        end(info, path)


@click.command()
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
    with told():
        not_both(resume, select, replicates)
        settings = settings_of(folder)
        if only_list:
            from kb.listing import arms

            show(arms(settings, select, replicates))
            return
        from kb.refresh import measure_practices

        info, path = measure_practices(settings, select, replicates=replicates, resume=resume)
        end(info, path)


@click.command()
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
    with told():
        if push and not commit:
            raise click.UsageError("--push sends the commit that --no-commit leaves away")
        settings = settings_of(folder)
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

    show(render(diagnosis))
