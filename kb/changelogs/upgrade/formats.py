"""The forms that a report is given in, by name."""

import io
import json
from collections.abc import Callable

from kb.changelogs.upgrade.report import Report

#: Width of the text form in a file; on a terminal its own width counts.
WIDTH = 100


def rendered(report: Report, form: str) -> str:
    """The report in a form, as it is written to a file.

    Raises:
        KeyError: there is no such form.
    """
    return FORMS[form](report)


def _text(report: Report) -> str:
    from rich.console import Console

    from kb.changelogs.upgrade.terminal import render

    written = io.StringIO()
    Console(file=written, width=WIDTH, color_system=None).print(render(report))
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"


def _markdown(report: Report) -> str:
    from kb.changelogs.upgrade.markdown import render

    return render(report)


def _json(report: Report) -> str:
    from kb.changelogs.upgrade.data import as_data

    return json.dumps(as_data(report), indent=2) + "\n"


def _sarif(report: Report) -> str:
    from kb.changelogs.upgrade.sarif import as_sarif

    return json.dumps(as_sarif(report), indent=2) + "\n"


FORMS: dict[str, Callable[[Report], str]] = {
    "text": _text,
    "markdown": _markdown,
    "json": _json,
    "sarif": _sarif,
}
