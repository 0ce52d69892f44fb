"""Rows into files: JSON lines, CSV, TSV and Parquet, gzipped too, in the form that `data.read` reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from conflictnlp.data.read import SUFFIXES, suffix_of
from conflictnlp.errors import InputError
from conflictnlp.files import atomic_path, open_text

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 1024
_OFFSETS = frozenset({"start", "end", "source_start", "source_end", "target_start", "target_end"})
_LISTS = frozenset({"labels"})

Write = Callable[[Mapping[str, Any]], None]


def check_target(path: str | Path) -> None:
    """Refuse a name that no rows can be written to.

    Args:
        path: the file that shall appear; its suffix tells the format.

    Raises:
        InputError: the suffix is unknown, a folder bears the name, or a file stands where its folder should.
    """
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: unknown format {suffix or '(no suffix)'}; use one of {', '.join(SUFFIXES)} (or .gz)")
    if suffix == ".parquet" and str(path).lower().endswith(".gz"):
        raise InputError(f"{path}: Parquet compresses by itself; leave .gz out")
    if Path(path).is_dir():
        raise InputError(f"{path}: is a folder; name a file")
    above = next((folder for folder in Path(path).absolute().parents if folder.exists()), None)
    if above is not None and not above.is_dir():
        raise InputError(f"{path}: {above} is a file, so nothing can be written below it")


def refuse_overwriting(path: str | Path, source: str | Path) -> None:
    """Refuse an output that is the input, by whatever link or spelling.

    Args:
        path: the file that shall appear.
        source: the input.

    Raises:
        InputError: both are one file.
    """
    given = Path(source).expanduser()
    if Path(path).exists() and given.exists() and given.samefile(path):
        raise InputError(f"{path}: is the input, which would be overwritten; name another file")


@contextmanager
def row_writer(path: str | Path, columns: Sequence[str]) -> Iterator[Write]:
    """Open a file for rows of texts, offsets and lists of labels; it appears whole when the block ends, or not at all.

    Args:
        path: the file; `.jsonl`, `.csv`, `.tsv` (each also `.gz`) or `.parquet`.
        columns: all columns in their order; a value that a row lacks is left empty (JSON: left out).

    Yields:
        a function that writes one row.
    """
    check_target(path)
    suffix = suffix_of(path)
    with atomic_path(path) as temporary:
        if suffix == ".parquet":
            with parquet_writer(temporary, _row_schema(columns)) as write:
                yield write
            return
        with open_text(temporary, "wt") as stream:
            yield (
                _table(stream, columns, "\t" if suffix == ".tsv" else ",")
                if suffix in (".csv", ".tsv")
                else _json(stream, columns)
            )


def _json(stream: IO[str], columns: Sequence[str]) -> Write:
    def write(row: Mapping[str, Any]) -> None:
        values = {name: row[name] for name in columns if row.get(name) is not None}
        stream.write(json.dumps(values, ensure_ascii=False) + "\n")

    return write


def _table(stream: IO[str], columns: Sequence[str], delimiter: str) -> Write:
    table = csv.writer(stream, delimiter=delimiter)
    table.writerow(columns)

    def write(row: Mapping[str, Any]) -> None:
        values = (row.get(name) for name in columns)
        # CSV has no lists; a JSON list can hold a label with any sign in it, and none.
        table.writerow(
            [json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value for value in values]
        )

    return write


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema, batch: int = _BATCH) -> Iterator[Write]:
    """Open a Parquet file for rows, of which a batch is held at a time.

    Args:
        path: the file.
        schema: its columns; what a row lacks is null, what it has besides is left out.
        batch: rows of a row group.

    Yields:
        a function that writes one row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[Mapping[str, Any]] = []
    with pq.ParquetWriter(path, schema) as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(waiting, schema=schema))
            waiting.clear()

        def write(row: Mapping[str, Any]) -> None:
            waiting.append(row)
            if len(waiting) >= batch:
                flush()

        yield write
        if waiting:
            flush()


def _row_schema(columns: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    types = {name: pa.int64() if name in _OFFSETS else pa.string() for name in columns}
    types |= {name: pa.list_(pa.string()) for name in columns if name in _LISTS}
    return pa.schema(list(types.items()))
