"""From results to the generated part of the site: one pure function from what was measured to files."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from kb.records.reading import read_results
from kb.site.evidence import Evidence, gather
from kb.site.figures import VEGA_LITE
from kb.site.pages import benchmarks, home, machines, method, model, runs
from kb.site.palette import style_sheet
from kb.site.render import Page
from kb.site.writer import Written, write_tree

#: Folder of the generated files below the docs folder; git ignores it.
GENERATED = "generated"

#: Page families that follow from the evidence.
FAMILIES: Sequence[Callable[[Evidence], list[Page]]] = (
    home.pages,
    benchmarks.pages,
    model.pages,
    machines.pages,
    runs.pages,
)


def generate(results: Path, docs: Path) -> Written:
    """Bring `docs/generated` up to date with the results.

    Raises:
        kb.records.reading.DamagedFile, kb.records.reading.NewerSchema: the results cannot be read; nothing is written.
        kb.site.writer.NotOurs: a file is in the way.
    """
    return write_tree(docs / GENERATED, build_pages(results))


def build_pages(results: Path) -> dict[str, bytes]:
    """Every generated file by its path below the generated folder. Reads the results and writes nothing."""
    evidence = gather(read_results(results))
    every = [page for family in FAMILIES for page in family(evidence)] + method.pages()
    files: dict[str, bytes] = dict(assets())
    for page in every:
        for path, content in {page.path: page.text.encode(), **page.files}.items():
            if path in files:
                raise ValueError(f"two pages want to be {path}")
            files[path] = content
    return files


def assets() -> dict[str, bytes]:
    """Style sheets and scripts, Vega among them: the site contacts no other host."""
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

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    return f"(() => {{\n{bundle}\n}})();\n".encode()
