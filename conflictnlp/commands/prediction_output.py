"""The formats that predict writes: each in parts, and the parts joined."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from conflictnlp.commands.prediction_columns import type_faults_told
from conflictnlp.data.read import suffix_of
from conflictnlp.errors import InputError
from conflictnlp.inference.records import flat

if TYPE_CHECKING:
    import pyarrow as pa

OUTPUTS = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
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


def check_output(output: str) -> None:
    """Refuse an output that cannot be written.

    Args:
        output: a file whose suffix tells the format.

    Raises:
        InputError: the format is unknown, or the name is a folder's.
    """
    suffix = suffix_of(output)
    if suffix not in OUTPUTS:
        raise InputError(
            f"--output {output}: unknown format {suffix or '(no suffix)'}; use one of {', '.join(OUTPUTS)}"
        )
    if suffix == ".parquet" and output.lower().endswith(".gz"):
        raise InputError(f"--output {output}: Parquet compresses by itself; leave .gz out")
    if Path(output).is_dir():
        raise InputError(f"--output {output}: is a folder; name a file")


def line(values: dict[str, Any]) -> str:
    """Return a record as a line of JSON."""
    return json.dumps(values, ensure_ascii=False, default=str)


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
            yield lambda values: stream.write(line(values) + "\n")
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

    def write(values: dict[str, Any]) -> None:
        waiting.append({**values, "id": str(values["id"])})
        if len(waiting) >= _PARQUET_ROWS:
            flush()

    with type_faults_told():
        file = pq.ParquetWriter(path, table.schema)
    with file:
        yield write
        if waiting:
            flush()
