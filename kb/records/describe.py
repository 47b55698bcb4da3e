"""results/README.md and results/datapackage.json: what the files mean, for people and for programs, from the schema."""

import json
import types
import typing
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel

from kb.records.atomic import write_if_changed
from kb.records.cells import SIGNIFICANT_DIGITS
from kb.records.folder import RUNS_FOLDER
from kb.records.infofile import INFO_FILE
from kb.records.run import RunInfo
from kb.records.schema import SCHEMA_VERSION, TABLES, Column, Table
from kb.records.statuses import MEANINGS

README = "README.md"
DATA_PACKAGE = "datapackage.json"

_JSON_TYPES: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    AwareDatetime: "string (ISO 8601)",
}

_CHECK_KEY = ("`check`", "string", "CRC-32 (8 hexadecimal digits) of the file up to the comma before this key.")

_INTRODUCTION = f"""\
# Results

Measured by `kb`, one folder per run. This page and `{DATA_PACKAGE}` are written by `kb schema`; do not edit them.
Schema version {SCHEMA_VERSION}.

```
{RUNS_FOLDER}/<year>/<start, UTC>-<machine>-<random>/
    {INFO_FILE}    the run: machine, versions, settings, validity
    <table>.csv    its rows
```

- A run is never edited afterwards. Every line of a table ends in a check (CRC-32 of the line before it), and so does
  `{INFO_FILE}`, which has the number of rows: a changed, missing or moved line is found, and is an error.
- The files are UTF-8, comma-separated, one header line, lines end in LF, quotes are doubled (RFC 4180 otherwise).
- An empty cell means that there is no value. A failure is a row with a status and a reason, never a zero.
- Units are in the names. Numbers have at most {SIGNIFICANT_DIGITS} significant digits.
- A text is always one line: line breaks are the two characters `\\n`, other control characters are escaped likewise.
- Rows of a run whose `validity` is not `VALID` are kept to be looked at; no verdict is drawn from them.
- A run that was killed has no `ended`; the last line of its tables may be torn, and is then not a row.
"""

_READING = f"""\
## Reading the files

With `kb`, which checks everything, and gives text as categories and empty integers as missing:

```python
from pathlib import Path
from kb.records.reading import read_results

results = read_results(Path("results"))
valid = [run.info.run for run in results.runs if run.info.validity == "VALID"]
rows = results.benchmarks[results.benchmarks.run.isin(valid) & (results.benchmarks.status == "ok")]
print(rows.groupby(["model", "runtime"]).latency_p50_ms.median())
```

With pandas alone (nothing is checked):

```python
from pathlib import Path
import pandas

frames = {{
    path.parent.name: pandas.read_csv(path, dtype={{"check": "string"}}, keep_default_na=False, na_values=[""])
    for path in Path("results/{RUNS_FOLDER}").glob("*/*/{TABLES[0].file_name}")
}}
rows = pandas.concat(frames, names=["run"]).reset_index("run")
```

`{DATA_PACKAGE}` describes the tables for programs (Frictionless Data Package 2). The `path` of a resource is a pattern:
the files of all runs have the same columns, and new runs need no change of the description.
"""


def write_descriptions(results: Path) -> list[Path]:
    """Write both files where their content differs, and return those that were written."""
    texts = {README: readme(), DATA_PACKAGE: json.dumps(data_package(), indent=2, ensure_ascii=False) + "\n"}
    results.mkdir(parents=True, exist_ok=True)
    return [results / name for name, text in texts.items() if write_if_changed(results / name, text.encode())]


def readme() -> str:
    """The columns of every table and the keys of run.json, as Markdown."""
    parts = [_INTRODUCTION, _READING]
    parts += [table_section(table) for table in TABLES]
    parts += [
        "## Statuses\n\n" + _grid(("status", "meaning"), [(f"`{status}`", text) for status, text in MEANINGS.items()])
    ]
    parts += [f"## `{INFO_FILE}`\n\n" + _grid(("key", "type", "meaning"), [*_keys(RunInfo), _CHECK_KEY])]
    return "\n".join(parts)


def table_section(table: Table) -> str:
    """The columns of one table and what holds within its rows, as Markdown."""
    rows = [
        (
            f"`{column.name}`",
            column.type,
            column.unit,
            "" if column.required else "yes",
            column.description,
            _allowed(column),
        )
        for column in table.columns
    ]
    rules = "".join(f"- {rule.meaning}\n" for rule in table.rules)
    key = ", ".join(f"`{name}`" for name in table.key)
    return (
        f"## `{table.file_name}`\n\n{table.description} No two rows of a file agree in all of {key}.\n\n"
        + _grid(("column", "type", "unit", "may be empty", "meaning", "allowed"), rows)
        + (f"\nWithin a row:\n\n{rules}" if rules else "")
    )


def _allowed(column: Column) -> str:
    if column.values:
        return ", ".join(f"`{value}`" for value in column.values)
    if column.positive:
        return "> 0"
    return "" if column.minimum is None else f"≥ {column.minimum:g}"


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _keys(model: type[BaseModel], prefix: str = "") -> list[tuple[str, str, str]]:
    """The keys of a record and, below each that is a record or a list of records, that one's keys."""
    keys = []
    for name, field in model.model_fields.items():
        keys.append((f"`{prefix}{name}`", _type_name(field.annotation), (field.description or "").replace("\n", " ")))
        for inner in _records_in(field.annotation):
            repeated = "[]" if typing.get_origin(field.annotation) is tuple else ""
            keys += _keys(inner, f"{prefix}{name}{repeated}.")
    return keys


def _records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for part in (annotation, *typing.get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield part


def _type_name(annotation: Any) -> str:
    """The JSON type of an annotation, in words."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is types.UnionType:
        return " or ".join(_type_name(part) for part in inner)
    if origin is tuple:
        return f"list of {_type_name(inner[0])}"
    if origin is dict or issubclass(annotation, BaseModel):
        return "object"
    if issubclass(annotation, StrEnum):
        return ", ".join(f"`{value}`" for value in annotation)
    return _JSON_TYPES[annotation]


def data_package() -> dict[str, Any]:
    """The tables as a Frictionless Data Package (https://datapackage.org, version 2)."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "kb-results",
        "title": "Measurements of deep-learning frameworks by kb",
        "description": f"One folder per run; see {README}. The path of a resource is a pattern over all runs.",
        "version": f"{SCHEMA_VERSION}.0.0",
        "resources": [_resource(table) for table in TABLES],
    }


def _resource(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "type": "table",
        "path": f"{RUNS_FOLDER}/*/*/{table.file_name}",
        "description": f"{table.description} Unique within each file: {', '.join(table.key)}.",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\n", "quoteChar": '"', "doubleQuote": True, "header": True},
        "schema": {"fields": [_field(column) for column in table.columns], "missingValues": [""]},
    }


def _field(column: Column) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if column.required:
        constraints["required"] = True
    if column.values:
        constraints["enum"] = [str(value) for value in column.values]
    if column.positive:
        constraints["exclusiveMinimum"] = 0
    elif column.minimum is not None:
        constraints["minimum"] = column.minimum
    field: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.description}
    if column.unit:
        field["unit"] = column.unit
    return {**field, "constraints": constraints} if constraints else field
