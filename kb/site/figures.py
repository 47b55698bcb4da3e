"""A chart on a page: two static drawings that follow the palette, its words, its data, and a way to explore it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from kb.site.palette import variable, with_light_colours, with_variables
from kb.site.table import Table

#: Version of Vega-Lite that vl-convert renders with: the one that its JavaScript bundle holds.
VEGA_LITE = "6.4"

#: Folder of the charts' files below the generated pages.
FOLDER = "charts"


@dataclass(frozen=True)
class Key:
    """One line of a legend: a colour of the palette, how it is drawn (fill, ring, dash), and what it means."""

    colour: str
    text: str
    shape: str = "fill"


@dataclass(frozen=True)
class Chart:
    """Everything about one chart but where it stands. `id` is unique on the site and safe in a file name."""

    id: str
    title: str
    caption: str  #: what it shows, in a sentence or two; also its description for those who do not see it
    legend: Sequence[Key]
    wide: Mapping[str, Any]  #: Vega-Lite, colours as sentinels
    narrow: Mapping[str, Any]  #: the same for a phone
    table: Table


@dataclass(frozen=True)
class Drawn:
    """A chart as HTML, and the files beside it by their path below the generated pages."""

    html: Markup
    files: Mapping[str, bytes]


def draw(chart: Chart, to_root: str) -> Drawn:
    """Render a chart for a page from which `to_root` leads to the folder of the generated pages (``""``, ``"../"``)."""
    base = f"{to_root}{FOLDER}/{chart.id}"
    plots = Markup("").join(
        Markup('<div class="kb-{}">{}</div>').format(width, _svg(spec, f"{chart.id}-{width}", chart))
        for width, spec in (("wide", chart.wide), ("narrow", chart.narrow))
    )
    html = Markup(
        '<figure class="kb-chart" id="{id}" data-search-exclude>'
        "<figcaption><strong>{title}</strong><span>{caption}</span></figcaption>{legend}"
        '<div class="kb-plot">{plots}</div>'
        '<div class="kb-tools"><button type="button" class="kb-explore" data-chart="{id}" hidden>Explore</button>'
        '<a href="{base}.csv" download>CSV</a><a href="{base}.vl.json" download>Vega-Lite</a></div>'
        '<details class="kb-data"><summary>Data table</summary>{table}</details></figure>'
    ).format(
        id=chart.id,
        title=chart.title,
        caption=chart.caption,
        legend=_legend(chart.legend),
        plots=plots,
        base=base,
        table=chart.table.html(csv_href=f"{base}.csv"),
    )
    return Drawn(html, _files(chart))


def _files(chart: Chart) -> dict[str, bytes]:
    """The data, a specification that stands alone, and the script that hands both drawings to the page."""
    specs = with_variables(json.dumps({"wide": chart.wide, "narrow": chart.narrow}, separators=(",", ":")))
    script = f"kbCharts.put({json.dumps(chart.id)},{specs});\n"
    alone = with_light_colours(json.dumps(chart.wide, indent=1))
    return {
        f"{FOLDER}/{chart.id}.csv": chart.table.csv(),
        f"{FOLDER}/{chart.id}.vl.json": f"{alone}\n".encode(),
        f"{FOLDER}/{chart.id}.js": script.encode(),
    }


def _svg(spec: Mapping[str, Any], prefix: str, chart: Chart) -> Markup:
    """The drawing with CSS variables for colours, identifiers of its own, and a name that is read aloud."""
    svg = with_variables(_rendered(json.dumps(spec, sort_keys=True)))
    svg = re.sub(r' (?:aria-[a-z]+|role|pointer-events)="[^"]*"', "", svg)
    svg = re.sub(r'(id="|url\(#|href="#)([a-z])', rf"\g<1>{prefix}-\g<2>", svg)
    svg = re.sub(r' font-family="[^"]*"', "", svg)  # the page's own, from the style sheet
    svg = re.sub(r'( (?:d|transform)=")([^"]*)', lambda m: m[1] + re.sub(r"(\.\d\d)\d+", r"\1", m[2]), svg)
    width, height = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" style="max-width:{w}px" role="img" '
        'aria-labelledby="{p}-title {p}-desc"><title id="{p}-title">{title}</title><desc id="{p}-desc">{text}</desc>'
    ).format(w=width, h=height, p=prefix, title=chart.title, text=chart.caption)
    return opening + Markup(re.sub(r"^.*?<svg[^>]*>", "", svg, count=1, flags=re.DOTALL))


@lru_cache(maxsize=1024)
def _rendered(spec: str) -> str:
    """The drawing of a specification. While serving, most charts are the same as before."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    return svg


def _legend(keys: Sequence[Key]) -> Markup:
    if not keys:
        return Markup("")
    items = Markup("").join(
        Markup('<li><i class="kb-{}" style="--kb-key:{}"></i>{}</li>').format(key.shape, variable(key.colour), key.text)
        for key in keys
    )
    return Markup('<ul class="kb-legend">{}</ul>').format(items)
