"""Predictions as flat records: the columns that files and frames get beside their own."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Protocol

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example, Span, parse_row
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.inference.arguments import is_missing
from conflictnlp.inference.asking import ask_about
from conflictnlp.inference.prediction import Prediction
from conflictnlp.task import Task

if TYPE_CHECKING:
    import pandas as pd

_EMPTY = "empty text"


@dataclass(frozen=True, slots=True)
class Unreadable(Example):
    """A row that asks nothing, and is answered with the reason.

    Attributes:
        reason: why it cannot be read.
    """

    reason: str = ""


def text_fault(example: Example) -> str | None:
    """Return why there is no text to read (the reason of an unreadable row, or that it is empty), or None."""
    if isinstance(example, Unreadable):
        return example.reason
    return None if example.text.strip() else _EMPTY


class Predictor(Protocol):
    """What records need of a loaded model."""

    ref: str
    fingerprint: str

    @property
    def task(self) -> Task:
        """The task."""

    @property
    def labels(self) -> list[str]:
        """The labels in their declared order."""

    def predict_examples(self, examples: Iterable[Example], abstain_below: float | None = None) -> Iterator[Prediction]:
        """Classify examples in order."""


def output_columns(model: Predictor) -> list[str]:
    """Return the names of the columns that a prediction adds, in their order."""
    spans = ["actor", "start", "end"] if model.task.spans else []
    chances = [f"prob_{label}" for label in model.labels]
    return ["id", *spans, "prediction", "probability", *chances, "error", "evidence", "model", "bundle", "version"]


def check_columns(model: Predictor, columns: Iterable[str], given_actors: bool) -> None:
    """Refuse input whose columns bear the names that predictions will bear.

    Args:
        model: tells the output columns.
        columns: the input's.
        given_actors: whether actors are named or found apart from the input, so that its `actor`, `start` and `end`
            would be overwritten.

    Raises:
        InputError: a name stands on both sides.
    """
    taken = set(output_columns(model)) - {"id"}
    if not given_actors and "actor" in model.task.spans:
        taken -= {"actor", "start", "end"}
    clash = [column for column in columns if column in taken]
    if clash:
        raise InputError(
            f"the input already has the column(s) {', '.join(clash)}, which predict writes; rename or drop them"
        )


def questions(row: Row, model: Predictor, columns: ColumnsConfig, actors: Sequence[Sequence[str]]) -> Iterator[Example]:
    """Turn an input row into what the model is asked: one example for each actor that the text names.

    Args:
        row: the input's record.
        model: tells which roles are marked.
        columns: names of the input's columns.
        actors: names and aliases of each actor that the user asks about, looked for in one pass; empty to take the
            row's own.

    Yields:
        examples; where none of the actors is named, one with them all, which is not in the text.
    """
    task = model.task
    if not actors or task.spans != ("actor",):
        yield _read(_with_roles(row, task, columns), task, columns)
        return
    plain = article_of(row, task, columns)
    nobody = replace(plain, spans=(("actor", Span("; ".join(names[0] for names in actors), mentions=())),))
    yield from ask_about(plain, actors) or [nobody]


def _read(row: Row, task: Task, columns: ColumnsConfig) -> Example:
    """Read a row; one that cannot be read is answered with an error of its own, so that it does not end the run."""
    values = {key: None if is_missing(value) else value for key, value in row.values.items()}
    try:
        if columns.text not in values:
            raise InputError(f"no column {columns.text!r} in this row")
        return parse_row(Row(row.where, values), task, columns, None, labelled=False)
    except InputError as error:
        words = {role: values.get(getattr(columns, role)) for role in task.spans}
        own = values.get(columns.id)
        return Unreadable(
            where=row.where,
            id=row.where if own is None or own == "" else str(own),
            text="",
            spans=tuple((role, Span(str(name))) for role, name in words.items() if name is not None),
            # The record holds the row itself; its place need not be told again.
            reason=str(error).removeprefix(f"{row.where}: "),
        )


def _with_roles(row: Row, task: Task, columns: ColumnsConfig) -> Row:
    """Let a row that names nobody be answered with an error of its own, as one whose actor is not in the text."""
    values = dict(row.values)
    for role in task.spans:
        column = getattr(columns, role)
        words = values.get(column)
        if (is_missing(words) or not str(words).strip()) and role not in task.optional_spans:
            prefix = "" if role == "actor" else f"{role}_"
            values |= {column: "", getattr(columns, f"{prefix}start"): None, getattr(columns, f"{prefix}end"): None}
    return Row(row.where, values)


def article_of(row: Row, task: Task, columns: ColumnsConfig) -> Example:
    """Read a row as an article that is not yet asked about an actor.

    Args:
        row: the record; an actor or offsets in it are ignored.
        task: reads a text for one actor.
        columns: names of the record's columns.

    Returns:
        the article, its actor without a name.
    """
    values = {key: value for key, value in row.values.items() if key not in (columns.start, columns.end)}
    return _read(Row(row.where, {**values, columns.actor: ""}), task, columns)


def record(model: Predictor, values: Mapping[str, Any], example: Example, prediction: Prediction) -> dict[str, Any]:
    """Join an input row and its prediction.

    Args:
        model: its name, fingerprint and version are told.
        values: the input's columns.
        example: what was asked.
        prediction: what was answered.

    Returns:
        the input's columns, then the prediction's.
    """
    result: dict[str, Any] = dict(values)
    # An input id of its own is kept as it is, number or text.
    result["id"] = example.id if is_missing(values.get("id")) else values["id"]
    if model.task.spans:
        result["actor"] = prediction.actor
        result["start"] = prediction.start
        result["end"] = prediction.end
    if prediction.error or prediction.abstained:
        result["prediction"] = None
    else:
        result["prediction"] = list(prediction.labels) if model.task.is_multi else prediction.label
    result["probability"] = prediction.probability
    for label in model.labels:
        result[f"prob_{label}"] = prediction.probabilities.get(label)
    result["error"] = prediction.error
    result["evidence"] = [item.to_dict() for item in prediction.evidence]
    result["model"] = model.ref
    result["bundle"] = model.fingerprint
    result["version"] = version()
    return result


@cache
def version() -> str:
    """Return the installed version of conflictnlp, which is read from the disk once."""
    return metadata.version("conflictnlp")


def frame_with_predictions(model: Predictor, frame: pd.DataFrame, abstain_below: float | None) -> pd.DataFrame:
    """Classify the rows of a data frame; see `Model.predict_frame`."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        # datasets.Dataset, pyarrow.Table and polars.DataFrame have it.
        if not hasattr(frame, "to_pandas"):
            raise InputError(f"predict_frame: a {type(frame).__name__} is no data frame; predict(texts) takes a list")
        frame = frame.to_pandas()
    check_columns(model, map(str, frame.columns), given_actors=False)
    columns = ColumnsConfig()
    fields = [name for name in vars(columns).values() if name and name in frame.columns]
    needed = [columns.text, *(role for role in model.task.spans if role not in model.task.optional_spans)]
    if missing := [name for name in needed if name not in frame.columns]:
        raise InputError(
            f"predict_frame: no column {missing[0]!r}, which task {model.task.name} needs; "
            f"the columns are {', '.join(map(str, frame.columns))}; rename the one that holds it"
        )
    parts = frame[fields].to_dict("records")
    examples = []
    for label, values in zip(frame.index, parts, strict=True):
        row = Row(f"row {label}", {"id": str(label), **{str(key): value for key, value in values.items()}})
        examples.append(_read(_with_roles(row, model.task, columns), model.task, columns))
    records = [
        record(model, {}, example, prediction)
        for example, prediction in zip(examples, model.predict_examples(examples, abstain_below), strict=True)
    ]
    added = pd.DataFrame(records, index=frame.index, columns=output_columns(model))
    result = frame.copy()
    for name in added.columns:
        if name == "id" and "id" in frame.columns:
            continue
        result[name] = added[name]
    return result


def flat(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record for formats without nesting: lists become JSON strings, NaN is empty."""
    return {
        key: to_json(value) if isinstance(value, list | dict) else None if is_missing(value) else value
        for key, value in result.items()
    }


def to_json(value: Any) -> str:
    """Return a value in one line; NaN and infinities, which JSON lacks, become null, and dates text."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
