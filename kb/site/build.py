"""From results to the generated part of the site: one pure function from what was measured to files."""

from functools import cache
from importlib import resources
from pathlib import Path

from kb.records.reading import read_results
from kb.site.engine import require_parts
from kb.site.writer import Written, write_tree

#: Folder of the generated files below the docs folder; git ignores it.
GENERATED = "generated"

#: The bundle comes without its notices, and their licences want them kept.
VEGA_LICENCE = (
    "Vega, Vega-Lite, Vega-Embed: BSD-3-Clause, Copyright (c) University of Washington Interactive Data Lab. "
    "D3: ISC, Copyright Mike Bostock. Bundled by vl-convert."
)


def generate(results: Path, docs: Path) -> Written:
    """Bring `docs/generated` up to date with the results.

    Raises:
        kb.site.engine.EngineError: the extra `site` is not installed.
        kb.records.reading.DamagedFile, kb.records.reading.NewerSchema: the results cannot be read; nothing is written.
        kb.site.writer.NotOurs: a file is in the way.
    """
    return write_tree(docs / GENERATED, build_pages(results))


def build_pages(results: Path) -> dict[str, bytes]:
    """Every generated file by its path below the generated folder. Reads the results and writes nothing.

    The parts of the extra `site` are imported only here, so that a missing one is said in words.
    """
    require_parts()
    from kb.changelogs.library import read_library
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
        practices,
        runs,
        start,
        sweeps,
    )

    evidence = gather(read_results(results))
    library = read_library(results)
    families = (home, benchmarks, start, sweeps, model, conversions, practices, code_size, machines, runs)
    every = [page for family in families for page in family.pages(evidence)]
    every += [*changelogs.pages(library), *method.pages()]
    files: dict[str, bytes] = dict(assets())
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
