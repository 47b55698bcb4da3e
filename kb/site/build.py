"""From results to the generated part of the site: one pure function from what was measured to files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from kb.problems.note import Note
from kb.problems.outcomes import Standing
from kb.records.reading import read_results
from kb.site.engine import repository_of, require_parts
from kb.site.writer import Written, write_tree

#: Folder of the generated files below the docs folder; git ignores it.
GENERATED = "generated"

#: The bundle comes without its notices, and their licences want them kept.
VEGA_LICENCE = (
    "Vega, Vega-Lite, Vega-Embed: BSD-3-Clause, Copyright (c) University of Washington Interactive Data Lab. "
    "D3: ISC, Copyright Mike Bostock. Bundled by vl-convert."
)


@dataclass(frozen=True)
class ProblemLog:
    """The problem notes, and what their page needs to know beside them."""

    notes: Sequence[Note] = ()
    families: Mapping[str, str] = field(default_factory=dict)  #: package -> the package that it counts as
    repository: str = ""  #: address of the repository, for the link to a new note
    shown: Mapping[str, Sequence[Standing]] = field(default_factory=dict)  #: what reproducers showed


NO_PROBLEMS = ProblemLog()


def read_log(notes: Path, results: Path, root: Path) -> ProblemLog:
    """The notes of a folder that can be read, with what was recorded of their reproducers.

    Raises:
        kb.records.reading.DamagedFile: a row of a reproducer is not as it was written.
    """
    from kb.packages.families import FAMILY_OF
    from kb.problems.outcomes import latest, recorded
    from kb.problems.reading import read_notes

    return ProblemLog(read_notes(notes).notes, FAMILY_OF, repository_of(root), latest(recorded(results)))


def generate(results: Path, docs: Path, log: ProblemLog = NO_PROBLEMS) -> Written:
    """Bring `docs/generated` up to date with the results and the notes.

    Raises:
        kb.site.engine.EngineError: the extra `site` is not installed.
        kb.records.reading.DamagedFile, kb.records.reading.NewerSchema: the results cannot be read; nothing is written.
        kb.site.writer.NotOurs: a file is in the way.
    """
    return write_tree(docs / GENERATED, build_pages(results, log))


def build_pages(results: Path, log: ProblemLog = NO_PROBLEMS) -> dict[str, bytes]:
    """Every generated file by its path below the generated folder. Reads the results and writes nothing.

    The parts of the extra `site` are imported only here, so that a missing one is said in words.
    """
    require_parts()
    from kb.analysis.problems import maybe_fixed_by
    from kb.changelogs.library import read_library
    from kb.problems import exports, feeds
    from kb.site.evidence import gather
    from kb.site.pages import (
        benchmarks,
        changelogs,
        code_size,
        conversions,
        home,
        machines,
        method,
        model,
        notes,
        practices,
        problems,
        runs,
        start,
        sweeps,
    )

    evidence = gather(read_results(results))
    library = read_library(results)
    families = (home, benchmarks, start, sweeps, model, conversions, practices, code_size, machines, runs)
    every = [page for family in families for page in family.pages(evidence)]
    every += [*changelogs.pages(library), *method.pages()]
    found = maybe_fixed_by(log.notes, library.packages)
    every += problems.pages(log.notes, log.families, log.repository)
    every += notes.pages(log.notes, log.shown, found)
    files: dict[str, bytes] = {**assets(), **exports.files(log.notes), **feeds.files(log.notes)}
    for page in every:
        for path, content in {page.path: page.text.encode(), **page.files}.items():
            if path in files:
                raise ValueError(f"two pages want to be {path}")
            files[path] = content
    return files


def assets() -> dict[str, bytes]:
    """Style sheets and scripts, Vega among them: the site contacts no other host."""
    from kb.site.palette import style_sheet

    folder = resources.files("kb.site").joinpath("assets")
    copied = {f"assets/{item.name}": item.read_bytes() for item in folder.iterdir() if item.is_file()}
    return copied | {
        "assets/palette.css": style_sheet().encode(),
        "assets/vega.js": vega(),
    }


@cache
def vega() -> bytes:
    """Vega, Vega-Lite and Vega-Embed as one classic script that defines `vegaEmbed` and nothing else."""
    import vl_convert

    from kb.site.figures import VEGA_LITE

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    return f"/* {VEGA_LICENCE} */\n(() => {{\n{bundle}\n}})();\n".encode()
