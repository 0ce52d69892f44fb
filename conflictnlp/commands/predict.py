"""`conflictnlp predict`: files in, predictions out, in bounded memory."""

from __future__ import annotations

import csv
import json
import logging
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example
from conflictnlp.data.read import Row, read_file, read_json_lines, suffix_of, text_stream
from conflictnlp.errors import InputError
from conflictnlp.files import atomic_path, open_text
from conflictnlp.inference.found import found_questions
from conflictnlp.inference.model import NO_ACTOR, Model
from conflictnlp.inference.records import check_columns, flat, output_columns, questions, record

log = logging.getLogger(__name__)
OUTPUTS = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
_PARQUET_ROWS = 2000


@dataclass(frozen=True)
class PredictResult:
    """How a run of predict went.

    Attributes:
        rows: records written.
        errors: of them, how many carry an error.
    """

    rows: int
    errors: int


def predict(
    model: Model,
    source: str,
    output: str | None = None,
    actors: Sequence[str] = (),
    columns: ColumnsConfig | None = None,
    abstain_below: float | None = None,
) -> PredictResult:
    """Classify every record of a file, a folder of texts or standard input.

    Args:
        model: a loaded model.
        source: `.txt`, `.jsonl`, `.csv`, `.tsv`, `.parquet` (or `.gz`), a folder of `.txt`, or `-`.
        output: a file whose suffix tells the format; None for JSON lines to stdout.
        actors: `NAME|ALIAS|…`, each asked of every text; empty to take the input's own columns, or where it has none
            the actors that the model finds.
        columns: names of the input's columns.
        abstain_below: see `Model.predict`.

    Returns:
        how many records were written, and how many with an error.

    Raises:
        InputError: the input cannot be used; no output is left.
    """
    columns = columns or ColumnsConfig()
    asked = [[name.strip() for name in actor.split("|") if name.strip()] for actor in actors]
    if any(not names for names in asked):
        raise InputError("--actor: an empty name")
    if asked and model.task.spans != ("actor",):
        raise InputError(f"--actor: task {model.task.name} does not read a text for one actor")
    rows, single = open_input(source, columns)
    if source == "-":
        rows = iter(kept := list(rows))
    names, total, finds = _survey(rows, model, columns, asked, source)
    rows = iter(kept) if source == "-" else open_input(source, columns)[0]
    if finds:
        pairs = found_questions(rows, model, columns)
    else:
        pairs = ((row, question) for row in rows for question in questions(row, model, columns, asked))
    written = errors = 0
    bar = tqdm(total=total, desc="predict", unit=" texts", file=sys.stderr, disable=not sys.stderr.isatty())
    with _writer(output, model, names) as write, bar:
        for row, example, prediction in _answers(model, pairs, abstain_below):
            if single and prediction.error:
                asked_for = f" ({prediction.actor or 'none is found'})" if prediction.error == NO_ACTOR else ""
                raise InputError(f"{row.where}: {prediction.error}{asked_for}; nothing to predict")
            write(record(model, row.values, example, prediction))
            written += 1
            errors += prediction.error is not None
            bar.update()
    if errors:
        log.warning("%d of %d records carry an error", errors, written)
    return PredictResult(written, errors)


def open_input(source: str, columns: ColumnsConfig) -> tuple[Iterator[Row], bool]:
    """Open an input as records.

    Args:
        source: see `predict`.
        columns: the text's column takes a plain text.

    Returns:
        the records, and whether the input is one single text.

    Raises:
        InputError: it is missing or of an unknown format.
    """
    if source == "-":
        text = text_stream(sys.stdin.buffer.read(), "standard input").read()
        if text.lstrip().startswith("{"):
            # Not splitlines: JSON texts may hold its other line ends, such as U+2028.
            return read_json_lines(text.split("\n"), "standard input"), False
        _refuse_zero_byte(text, "standard input")
        return iter([Row("standard input", {columns.id: "-", columns.text: text})]), True
    path = Path(source).expanduser()
    if path.is_dir():
        found = sorted(path.glob("*.txt"))
        if not found:
            raise InputError(f"{path}: a folder without .txt files")
        return (_text_row(name, columns) for name in found), False
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if suffix_of(path) == ".txt":
        return iter([_text_row(path, columns)]), True
    return read_file(path), False


def _text_row(path: Path, columns: ColumnsConfig) -> Row:
    try:
        with open_text(path) as stream:
            text = stream.read()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); is it a binary file?") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    _refuse_zero_byte(text, str(path))
    return Row(str(path), {columns.id: path.name, columns.text: text})


def _refuse_zero_byte(text: str, where: str) -> None:
    if "\x00" in text:
        raise InputError(f"{where}: holds a zero byte; this is not a text file")


def _survey(
    rows: Iterable[Row], model: Model, columns: ColumnsConfig, asked: Sequence[Sequence[str]], source: str
) -> tuple[list[str], int | None, bool]:
    """Read every row once: a fault in the last one shall not cost the hours that the others took.

    Args:
        rows: the input, which is read to its end.
        model: tells the marked roles and the output's columns.
        columns: names of the input's columns.
        asked: names of the actors that the user asks about.
        source: what to call the input in messages.

    Returns:
        all columns in the order they appear, the number of records to come (None if unknown), and whether the model
        is to find the actors.
    """
    names: dict[str, None] = {}
    total = 0
    finds = False
    for row in rows:
        if not names:
            finds = _check_roles(model, row.values, columns, bool(asked), source)
        if columns.text not in row.values:
            raise InputError(
                f"{row.where}: no column {columns.text!r}; the columns are {', '.join(row.values)}; "
                "name the text's with --text-column"
            )
        total += 0 if finds else sum(1 for _ in questions(row, model, columns, asked))
        names.update(dict.fromkeys(row.values))
    if not names:
        raise InputError(f"{source}: holds no rows")
    if columns.id not in names and columns.id != ColumnsConfig.id:
        raise InputError(f"{source}: no column {columns.id!r}; the columns are {', '.join(names)}; correct --id-column")
    check_columns(model, names, bool(asked))
    return list(names), None if finds else total, finds


def _check_roles(model: Model, names: Iterable[str], columns: ColumnsConfig, asked: bool, source: str) -> bool:
    """Refuse rows that do not say whom the model is asked about; return whether it can find the actors itself."""
    if asked:
        return False
    if model.finds_actors and columns.actor not in names:
        return True
    for role in model.task.spans:
        column = getattr(columns, role)
        if column not in names and role not in model.task.optional_spans:
            how = "--actor NAME" if role == "actor" else f"a column {column!r}"
            raise InputError(
                f"{source}: task {model.task.name} reads a text for one {role}: give {how}"
                + (f", or a column {column!r} in the input" if role == "actor" else "")
            )
    return False


def _answers(
    model: Model, pairs: Iterable[tuple[Row, Example]], abstain_below: float | None
) -> Iterator[tuple[Row, Example, Any]]:
    """Keep each row beside its prediction while the model reads ahead in chunks."""
    waiting: list[tuple[Row, Example]] = []

    def examples() -> Iterator[Example]:
        for pair in pairs:
            waiting.append(pair)
            yield pair[1]

    for prediction in model.predict_examples(examples(), abstain_below):
        row, example = waiting.pop(0)
        yield row, example, prediction


@contextmanager
def _writer(output: str | None, model: Model, names: Sequence[str]) -> Iterator[Any]:
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
