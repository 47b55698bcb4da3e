"""What all charts share: sizes, axes and colours, so that a page reads as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kb.site.palette import SENTINELS


@dataclass(frozen=True)
class Size:
    """One of the two drawings: widths and letters in pixels."""

    width: int  #: of the plot and its row labels together
    labels: int  #: room for the names of the rows
    letters: int  #: size of row labels and values
    small: int  #: size of axis labels
    row: int  #: height of one row of a bar or dot chart


#: 820 fills most of a laptop's text column, and shrinks to a tablet's without its letters getting too small; 350 is a
#: phone less the padding of the card.
WIDE = Size(width=820, labels=150, letters=13, small=12, row=30)
NARROW = Size(width=350, labels=118, letters=12, small=11, row=28)
SIZES = (WIDE, NARROW)

#: Colours by name, as sentinels.
INK = SENTINELS


class Datasets:
    """The rows of one specification by name: a page from a folder cannot fetch them, so they are inside it.

    Charts refer to them by name; Altair would copy the rows themselves with every layer.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Keep rows and return what a chart is made on."""
        import altair as alt

        name = f"rows{len(self.rows)}"
        self.rows[name] = [dict(row) for row in rows]
        return alt.NamedData(name)


def finished(chart: Any, size: Size, data: Datasets) -> dict[str, Any]:
    """The specification of a chart in the house style."""
    styled = (
        chart.configure(background="transparent", padding={"left": 2, "right": 4, "top": 4, "bottom": 4})
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK["muted"],
            titleColor=INK["muted"],
            gridColor=INK["grid"],
            labelFontSize=size.small,
            titleFontSize=size.small,
            titleFontWeight="normal",
            domain=False,
            ticks=False,
            labelPadding=6,
        )
        .configure_concat(spacing=14)
    )
    # Validation takes most of the time of a chart, and a test validates one of each kind.
    spec: dict[str, Any] = styled.to_dict(validate=False)
    return spec | {"datasets": data.rows}


def row_axis(size: Size, order: Sequence[str]) -> Any:
    """The y encoding of a chart whose rows have names: the field `row`, in the order given."""
    import altair as alt

    return alt.Y(
        "row:N",
        sort=list(order),
        title=None,
        axis=alt.Axis(
            labelFontSize=size.letters, labelColor=INK["fg"], labelLimit=size.labels, grid=False, minExtent=size.labels
        ),
    )
