"""Joint records as JSON lines, Parquet or a page to read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conflictnlp.commands.prediction_columns import chances_type, evidence_type
from conflictnlp.data.example import Example
from conflictnlp.data.write import parquet_writer, refuse_overwriting
from conflictnlp.errors import InputError
from conflictnlp.files import atomic_path, open_text
from conflictnlp.inference.page import render_page

OUTPUTS = (".jsonl", ".jsonl.gz", ".parquet", ".html")
Write = Callable[[dict[str, Any], Example], object]
_PARQUET_ROWS = 500


def check_output(output: str | None, source: str) -> None:
    """Refuse a file that no record could be written to.

    Args:
        output: its name, or None for stdout.
        source: the input, which must not be overwritten.

    Raises:
        InputError: the format is unknown, or it is a folder or the input.
    """
    if output is None:
        return
    if not output.endswith(OUTPUTS):
        raise InputError(f"--output {output}: unknown format; use one of {', '.join(OUTPUTS)}")
    if Path(output).is_dir():
        raise InputError(f"--output {output}: is a folder; name a file")
    try:
        refuse_overwriting(output, source)
    except InputError as error:
        raise InputError(f"--output {error}") from error


@contextmanager
def record_writer(output: str | None) -> Iterator[Write]:
    """Open a file for joint records; it appears whole or not at all.

    Args:
        output: a file of one of `OUTPUTS`; None for JSON lines to stdout.

    Yields:
        a function that takes a record and its article.
    """
    if output is None:
        yield lambda record, _: print(json.dumps(record, ensure_ascii=False))
        sys.stdout.flush()
        return
    with atomic_path(output) as temporary:
        if output.endswith(".parquet"):
            with parquet_writer(temporary, _schema(), _PARQUET_ROWS) as write:
                yield lambda record, _: write({**record, "models": _used(record["models"])})
            return
        with open_text(temporary, "wt") as stream:
            if output.endswith(".html"):
                kept: list[tuple[dict[str, Any], Example]] = []
                yield lambda record, article: kept.append((record, article))
                stream.write(render_page(kept))
            else:
                yield lambda record, _: stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def _used(models: dict[str, Any]) -> dict[str, Any]:
    return {task: model for task, model in models.items() if model}


def _schema() -> Any:
    import pyarrow as pa

    text, number, chance = pa.string(), pa.int64(), pa.float64()
    ranked = pa.struct([("label", text), ("probability", chance)])
    actor = pa.struct(
        [
            ("name", text),
            ("mentions", pa.list_(pa.list_(number))),
            ("label", text),
            ("probability", chance),
            ("probabilities", chances_type()),
            ("evidence", evidence_type()),
        ]
    )
    used = pa.struct([("model", text), ("bundle", text)])
    return pa.schema(
        [
            ("id", text),
            ("date", text),
            ("topic", ranked),
            ("event_types", pa.list_(ranked)),
            ("actors", pa.list_(actor)),
            ("models", pa.map_(text, used)),
            ("error", text),
        ]
    )
