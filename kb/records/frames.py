"""Many CSV files as one DataFrame, fast: every line's check is computed, every rule of the schema tested, in columns.

It only finds out *that* a file is damaged; what to say about it is left to the slow reader of `kb.records.tablefile`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kb.records.damage import DamagedFile
from kb.records.lines import header_line
from kb.records.schema import Column, Table
from kb.records.tablefile import is_torn, read_table_file

if TYPE_CHECKING:
    import pandas
    import pyarrow

#: Text parsed at a time: large enough that the cost of a call vanishes, small enough that memory stays flat.
CHUNK_BYTES = 16 * 2**20

_CHECK_LENGTH = 8
_HEXADECIMAL = np.full(256, 255, np.uint8)
_HEXADECIMAL[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


@dataclass(frozen=True)
class TablePath:
    """One table of one run, where it lies and how many rows it must have."""

    run: int  #: place of the run among all runs read
    path: Path
    rows: int | None  #: as run.json says; None while the run is unfinished


@dataclass(frozen=True)
class _Chunk:
    """The lines, headers aside, of some files."""

    sources: Sequence[TablePath]
    rows: Sequence[int]  #: lines of each file
    text: bytes


def read_frame(sources: Sequence[TablePath], table: Table, runs: Sequence[str]) -> "pandas.DataFrame":
    """Read the table of many runs, in the order given.

    Columns: `run` (category over `runs`), then the table's without `row` and `check`. Strings are categories (a closed
    set has all its values, in the schema's order; others are sorted), free text is `str`, integers are `Int64`, numbers
    `float64`.

    Raises:
        DamagedFile: a file is not as `RunFolder.append` writes it, or has not as many rows as run.json says.
    """
    import pandas
    import pyarrow

    counts: list[int] = []
    parts = [_schema(table).empty_table()]
    for chunk in _chunks(sources, table):
        _check_lines(chunk, table)
        parts.append(_parsed(chunk, table))
        counts += chunk.rows
    frame = _to_pandas(pyarrow.concat_tables(parts), table)
    places = np.repeat(np.arange(len(sources)), counts)
    owners = np.array([source.run for source in sources], np.int64)[places]
    frame.insert(
        0, "run", pandas.Series(pandas.Categorical.from_codes(owners, dtype=pandas.CategoricalDtype(_categories(runs))))
    )
    suspect = _first_suspect(frame, table, counts)
    if suspect is not None:
        raise _diagnosis([sources[places[suspect]]], table)
    return frame.drop(columns="row")


def _chunks(sources: Sequence[TablePath], table: Table) -> Iterator[_Chunk]:
    """The files in order, some `CHUNK_BYTES` of text at a time."""
    some: list[TablePath] = []
    texts: list[bytes] = []
    size = 0
    for source in sources:
        text = _lines(source, table)
        some.append(source)
        texts.append(text)
        size += len(text)
        if size >= CHUNK_BYTES or source is sources[-1]:
            yield _Chunk(some, [text.count(b"\n") for text in texts], b"".join(texts))
            some, texts, size = [], [], 0


def _lines(source: TablePath, table: Table) -> bytes:
    """The file after its header: whole lines, as many as run.json says."""
    content = source.path.read_bytes()
    header = header_line(table)
    if not content.startswith(header):
        raise _diagnosis([source], table)
    text = content[len(header) :]
    if source.rows is None:
        last = text.rfind(b"\n", 0, -1) + 1
        return text[:last] if is_torn(text[last:]) else text
    if (text and not text.endswith(b"\n")) or text.count(b"\n") != source.rows:
        raise _diagnosis([source], table)
    return text


def _diagnosis(sources: Sequence[TablePath], table: Table) -> DamagedFile:
    """What the slow reader says about the first damaged one of these files."""
    for source in sources:
        try:
            rows = len(read_table_file(source.path, table, finished=source.rows is not None).rows)
        except DamagedFile as damage:
            return damage
        if source.rows not in (None, rows):
            problem = (
                f"expected {source.rows} rows as run.json says, found {rows}; lines were removed or added at the end"
            )
            return DamagedFile(source.path, problem, line=rows + 1)
    first = sources[0].path
    return DamagedFile(first, "expected a file at rest, found it (or one read with it) changing", remedy="try again")


def _check_lines(chunk: _Chunk, table: Table) -> None:
    """Compare the check at the end of every line with the line."""
    lines = chunk.text.split(b"\n")[:-1]
    if not lines:
        return
    tail = _CHECK_LENGTH + 1
    if min(map(len, lines)) < tail:
        raise _diagnosis(chunk.sources, table)
    computed = np.fromiter((crc32(line[:-tail]) for line in lines), np.uint32, len(lines))
    characters = np.frombuffer(chunk.text, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    written = np.zeros(len(lines), np.uint32)
    legible = characters[ends - tail] == ord(",")
    for place in range(_CHECK_LENGTH, 0, -1):
        digit = _HEXADECIMAL[characters[ends - place]]
        legible &= digit < 16
        written = written << np.uint32(4) | digit
    changed = np.flatnonzero(~legible | (written != computed))
    if changed.size:
        place = int(np.searchsorted(np.cumsum(chunk.rows), changed[0], side="right"))
        raise _diagnosis([chunk.sources[place]], table)


def _schema(table: Table) -> "pyarrow.Schema":
    import pyarrow

    types = {"integer": pyarrow.int64(), "number": pyarrow.float64(), "string": pyarrow.string()}
    category = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    return pyarrow.schema(
        [(column.name, category if _is_category(column) else types[column.type]) for column in table.columns[:-1]]
    )


def _is_category(column: Column) -> bool:
    return column.type == "string" and not column.free_text


def _parsed(chunk: _Chunk, table: Table) -> "pyarrow.Table":
    import pyarrow
    import pyarrow.compute
    from pyarrow import csv

    schema = _schema(table)
    if not chunk.text:
        return schema.empty_table()
    try:
        parsed = csv.read_csv(
            pyarrow.BufferReader(pyarrow.py_buffer(chunk.text)),
            csv.ReadOptions(column_names=list(table.names)),
            csv.ParseOptions(newlines_in_values=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=schema, include_columns=schema.names, null_values=[""], strings_can_be_null=True
            ),
        )
    except pyarrow.ArrowInvalid as error:
        raise _diagnosis(chunk.sources, table) from error
    numbers = [column.name for column in table.data_columns if column.type == "number"]
    finite = (pyarrow.compute.all(pyarrow.compute.is_finite(parsed[name])).as_py() is not False for name in numbers)
    if parsed.num_rows != sum(chunk.rows) or not all(finite):
        raise _diagnosis(chunk.sources, table)
    return parsed


def _to_pandas(parsed: "pyarrow.Table", table: Table) -> "pandas.DataFrame":
    import pandas
    import pyarrow

    integers = {pyarrow.int64(): pandas.Int64Dtype()}
    frame: pandas.DataFrame = parsed.unify_dictionaries().to_pandas(types_mapper=integers.get, split_blocks=True)
    for column in table.data_columns:
        if _is_category(column) and not column.values:
            values = frame[column.name].cat
            frame[column.name] = values.set_categories(_categories(sorted(values.categories)))
    return frame


def _categories(values: Iterable[str]) -> "pandas.Index[Any]":
    """Text, also where there is none: an empty list would otherwise be of objects."""
    import pandas

    return pandas.Index([str(value) for value in values], dtype="str")


def _first_suspect(frame: "pandas.DataFrame", table: Table, counts: Sequence[int]) -> int | None:
    """Place of a row that breaks the schema, if there is one; closed sets get all their values on the way."""
    for mask in _suspects(frame, table, counts):
        if mask.any():
            return int(mask.argmax())
    return None


def _suspects(frame: "pandas.DataFrame", table: Table, counts: Sequence[int]) -> Iterator[NDArray[np.bool_]]:
    starts = np.cumsum(counts) - counts
    expected = np.arange(len(frame)) - np.repeat(starts, counts)
    yield frame["row"].to_numpy(np.int64, na_value=-1) != expected
    for column in table.data_columns:
        yield from _outside(frame[column.name], column)
        if column.values:
            frame[column.name] = frame[column.name].cat.set_categories(_categories(column.values))
    for rule in table.rules:
        applies = np.ones(len(frame), np.bool_)
        for name, values in rule.where:
            applies &= frame[name].isin(values).to_numpy()
        for name in rule.columns:
            yield applies & (frame[name].notna().to_numpy() != rule.filled)
    yield frame.duplicated(["run", *table.key]).to_numpy()


def _outside(values: "pandas.Series[Any]", column: Column) -> Iterator[NDArray[np.bool_]]:
    if column.required:
        yield values.isna().to_numpy()
    if column.values and (unknown := set(values.cat.categories) - set(column.values)):
        yield values.isin(unknown).to_numpy()
    if column.minimum is not None:
        yield (values < column.minimum).to_numpy(np.bool_, na_value=False)
    if column.positive:
        yield (values <= 0).to_numpy(np.bool_, na_value=False)
