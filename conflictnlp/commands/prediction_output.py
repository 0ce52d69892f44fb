"""The formats that predict writes: each in parts, and the parts joined."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from conflictnlp.commands.prediction_columns import type_faults_told
from conflictnlp.data.read import suffix_of
from conflictnlp.data.write import check_target, refuse_overwriting
from conflictnlp.errors import InputError
from conflictnlp.inference.records import flat, to_json

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[[dict[str, Any]], object]
_PARQUET_ROWS = 2000


@dataclass(frozen=True)
class Table:
    """What all parts of an output share.

    Attributes:
        names: its columns in order.
        schema: their types; None for formats without any.
    """

    names: list[str]
    schema: pa.Schema | None = None


def check_output(output: str, source: str) -> None:
    """Refuse an output that cannot be written.

    Args:
        output: a file whose suffix tells the format.
        source: the input, which must not be overwritten.

    Raises:
        InputError: the format is unknown, the name is a folder's or the input's, or nothing can lie at it.
    """
    try:
        check_target(output)
        refuse_overwriting(output, source)
    except InputError as error:
        raise InputError(f"--output {error}") from error


@contextmanager
def part_writer(path: Path, table: Table, first: bool) -> Iterator[Write]:
    """Write one part; equal records make equal bytes.

    Args:
        path: its suffix tells the format.
        table: the output's columns.
        first: whether nothing comes before it, so that a header is due.

    Yields:
        a function that writes one record.

    Raises:
        InputError: a record does not fit the columns' types.
    """
    suffix = suffix_of(path)
    if suffix == ".parquet":
        with _parquet_writer(path, table) as write:
            yield write
        return
    with _open_plain(path) as stream:
        if suffix in (".jsonl", ".ndjson"):
            yield lambda values: stream.write(to_json(values) + "\n")
            return
        rows = csv.DictWriter(stream, table.names, delimiter="\t" if suffix == ".tsv" else ",", restval="")
        if first:
            rows.writeheader()
        yield lambda values: rows.writerow(flat(values))


def join_parts(parts: Sequence[Path], target: Path, table: Table) -> None:
    """Join parts to one file of their format.

    Args:
        parts: as `part_writer` wrote them, in order.
        target: the file to write; its suffix tells the format.
        table: the output's columns.
    """
    if suffix_of(target) != ".parquet":
        with target.open("wb") as whole:
            for path in parts:
                # Compressed parts too: a gzip file may have several members.
                with path.open("rb") as part:
                    shutil.copyfileobj(part, whole, 1 << 20)
        return
    import pyarrow.parquet as pq

    with pq.ParquetWriter(target, table.schema) as whole:
        for path in parts:
            with pq.ParquetFile(path) as part:
                for number in range(part.num_row_groups):
                    whole.write_table(part.read_row_group(number))


@contextmanager
def _open_plain(path: Path) -> Iterator[IO[str]]:
    if path.suffix.lower() != ".gz":
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    # Neither name nor time in the header: they would differ from run to run.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, "utf-8", newline="") as stream,
    ):
        yield stream


@contextmanager
def _parquet_writer(path: Path, table: Table) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[dict[str, Any]] = []

    def flush() -> None:
        with type_faults_told():
            file.write_table(pa.Table.from_pylist(waiting, schema=table.schema))
        waiting.clear()

    assert table.schema is not None
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]

    def write(values: dict[str, Any]) -> None:
        # An id may be a number, and a faulty row's text anything.
        other = {
            name: str(value) if name == "id" else to_json(value)
            for name in texts
            if (value := values.get(name)) is not None and not isinstance(value, str)
        }
        waiting.append({**values, **other})
        if len(waiting) >= _PARQUET_ROWS:
            flush()

    with type_faults_told():
        file = pq.ParquetWriter(path, table.schema)
    with file:
        yield write
        if waiting:
            flush()
