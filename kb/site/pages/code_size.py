"""The code size page: lines and tokens of each model's two builders, counted in their source."""

from kb.analysis.code_size import CodeSize, code_size
from kb.discovery import targets
from kb.site.evidence import Evidence
from kb.site.render import Page, front_matter, render
from kb.site.table import Cell, Column, Table
from kb.site.text import clean

PATH = "code-size.md"
DESCRIPTION = "Lines and tokens that the same network takes in torch and in Keras, counted in the source."

#: Entry-point group of the models, whose sources are read and not run.
MODELS = "kb.models"


def pages(evidence: Evidence) -> list[Page]:
    found = {name: code_size(target) for name, target in targets(MODELS).items()}
    sizes = {name: size for name, size in found.items() if size is not None}
    table = _table(sizes)
    text = render(
        "code_size.md",
        matter=front_matter("Code size", DESCRIPTION, ()),
        table=table.html("data/code-size.csv"),
        fewer=sum(size.keras.tokens < size.torch.tokens for size in sizes.values()),
        count=len(sizes),
    )
    return [Page(PATH, text, {"data/code-size.csv": table.csv()})]


def _table(sizes: dict[str, CodeSize]) -> Table:
    columns = (
        Column("Model", "model"),
        Column("torch", "torch_lines", numeric=True, unit="lines"),
        Column("Keras", "keras_lines", numeric=True, unit="lines"),
        Column("torch", "torch_tokens", numeric=True, unit="tokens"),
        Column("Keras", "keras_tokens", numeric=True, unit="tokens"),
        Column("Keras over torch", "keras_over_torch", numeric=True, unit="tokens"),
    )
    rows = []
    for name, size in sizes.items():
        counts = (size.torch.lines, size.keras.lines, size.torch.tokens, size.keras.tokens)
        ratio = size.keras.tokens / size.torch.tokens
        rows.append((Cell(clean(name)), *(Cell(f"{count:,}", count) for count in counts), Cell(f"{ratio:.2f}", ratio)))
    return Table("Code of the same network in both frameworks", columns, rows)
