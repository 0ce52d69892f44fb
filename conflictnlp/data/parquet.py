"""Parquet files as plain Python values."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictnlp.errors import InputError
from conflictnlp.files import open_bytes

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 1024


def read_schema(path: Path) -> pa.Schema:
    """Return the names and types of a file's columns.

    Args:
        path: a Parquet file.

    Returns:
        the schema.

    Raises:
        InputError: the file is missing, damaged, or a name stands twice.
    """
    with _open(path) as file:
        return file.schema_arrow


def read_values(path: Path) -> Iterator[dict[str, Any]]:
    """Read the rows of a file in constant memory.

    Args:
        path: a Parquet file.

    Yields:
        the values of each row by column; of times no more than microseconds, which is what Python holds.

    Raises:
        InputError: the file is missing or damaged, a name stands twice, or Python cannot hold a value.
    """
    rows = 0
    with _open(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH):
            batch = _in_microseconds(batch)
            try:
                values = batch.to_pylist()
            except (OverflowError, ValueError):
                _tell_fault(batch, path, rows)
                raise
            yield from values
            rows += len(values)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_bytes(path) as stream:
            # Page by page: by default a whole row group, which may be the whole file, is read ahead.
            file = pq.ParquetFile(stream, buffer_size=1 << 20, pre_buffer=False)
            names = file.schema_arrow.names
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise InputError(f"{path}: the column {twice!r} stands twice; rename or drop one")
            yield file
    except (pa.ArrowException, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from error


def _tell_fault(batch: pa.RecordBatch, path: Path, before: int) -> None:
    """Raise an InputError that tells the first value of a batch that Python cannot hold."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        for number, value in enumerate(column, before + 1):
            try:
                value.as_py()
            except (OverflowError, ValueError) as error:
                raise InputError(
                    f"{path}:{number}: {name} is a {value.type} that cannot be read ({error}); "
                    "correct it, or store the column as text"
                ) from error


def _in_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Round times in nanoseconds down, which Python's own do not hold and pyarrow returns as pandas' objects."""
    import pyarrow as pa

    schema = pa.schema([field.with_type(_microseconds(field.type)) for field in batch.schema])
    columns = [
        column if column.type == field.type else column.cast(field.type, safe=False)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _microseconds(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    if pa.types.is_list(kind):
        return pa.list_(_microseconds(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_microseconds(field.type)) for field in kind])
    return kind
