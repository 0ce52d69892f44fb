"""The formats that predict writes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conflictnlp.data.read import suffix_of
from conflictnlp.errors import InputError
from conflictnlp.files import atomic_path, open_text
from conflictnlp.inference.model import Model
from conflictnlp.inference.records import flat, output_columns

OUTPUTS = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
_PARQUET_ROWS = 2000


@contextmanager
def record_writer(output: str | None, model: Model, names: Sequence[str]) -> Iterator[Any]:
    """Open an output.

    Args:
        output: a file whose suffix tells the format; None for JSON lines to stdout.
        model: tells the columns of a prediction.
        names: the input's columns.

    Yields:
        a function that writes one record.

    Raises:
        InputError: it cannot be written so; nothing is left.
    """
    if output is None:
        yield lambda values: print(json.dumps(values, ensure_ascii=False, default=str))
        sys.stdout.flush()
        return
    suffix = suffix_of(output)
    if suffix not in OUTPUTS:
        raise InputError(
            f"--output {output}: unknown format {suffix or '(no suffix)'}; use one of {', '.join(OUTPUTS)}"
        )
    if suffix == ".parquet" and output.endswith(".gz"):
        raise InputError(f"--output {output}: Parquet compresses by itself; leave .gz out")
    if Path(output).is_dir():
        raise InputError(f"--output {output}: is a folder; name a file")
    names = list(dict.fromkeys([*names, *output_columns(model)]))
    with atomic_path(output) as temporary:
        if suffix == ".parquet":
            with _parquet_writer(temporary, model, names) as write:
                yield write
            return
        with open_text(temporary, "wt") as stream:
            if suffix in (".jsonl", ".ndjson"):
                yield lambda values: stream.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")
            else:
                delimiter = "\t" if suffix == ".tsv" else ","
                table = csv.DictWriter(stream, names, delimiter=delimiter, restval="")
                table.writeheader()
                yield lambda values: table.writerow(flat(values))


@contextmanager
def _parquet_writer(path: Path, model: Model, names: Sequence[str]) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fixed = _arrow_types(model)
    state: dict[str, Any] = {"writer": None, "rows": []}

    def flush() -> None:
        rows = state["rows"]
        if not rows and state["writer"] is not None:
            return
        try:
            if state["writer"] is None:
                types = {name: fixed.get(name) or pa.array([row.get(name) for row in rows]).type for name in names}
                schema = pa.schema([(n, pa.string() if pa.types.is_null(t) else t) for n, t in types.items()])
                state["writer"] = pq.ParquetWriter(path, schema)
            state["writer"].write_table(pa.Table.from_pylist(rows, schema=state["writer"].schema))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise InputError(
                f"the input's columns change their type on the way ({error}); write .jsonl instead of .parquet"
            ) from error
        state["rows"] = []

    def write(values: dict[str, Any]) -> None:
        state["rows"].append({**values, "id": str(values["id"])})
        if len(state["rows"]) >= _PARQUET_ROWS:
            flush()

    try:
        yield write
        flush()
    finally:
        if state["writer"] is not None:
            state["writer"].close()


def _arrow_types(model: Model) -> dict[str, Any]:
    import pyarrow as pa

    chances = pa.map_(pa.string(), pa.float64())
    evidence = pa.struct(
        [
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("text", pa.string()),
            ("probabilities", chances),
            ("weight", pa.float64()),
        ]
    )
    types = {name: pa.string() for name in output_columns(model)}
    types |= {"start": pa.int64(), "end": pa.int64(), "probability": pa.float64(), "evidence": pa.list_(evidence)}
    types |= {f"prob_{label}": pa.float64() for label in model.labels}
    if model.task.is_multi:
        types["prediction"] = pa.list_(pa.string())
    return types
