"""Predictions as flat records: the columns that files and frames get beside their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING, Any, Protocol

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example, Span, parse_row
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.inference.asking import ask_about
from conflictnlp.inference.prediction import Prediction
from conflictnlp.task import Task

if TYPE_CHECKING:
    import pandas as pd


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

    Raises:
        InputError: the text's column is missing or not a text.
    """
    task = model.task
    if not actors or task.spans != ("actor",):
        yield parse_row(_with_roles(row, task, columns), task, columns, None, labelled=False)
        return
    plain = article_of(row, task, columns)
    nobody = replace(plain, spans=(("actor", Span("; ".join(names[0] for names in actors), mentions=())),))
    yield from ask_about(plain, actors) or [nobody]


def _with_roles(row: Row, task: Task, columns: ColumnsConfig) -> Row:
    """Let a row that names nobody be answered with an error of its own, as one whose actor is not in the text."""
    values = dict(row.values)
    for role in task.spans:
        column = getattr(columns, role)
        words = values.get(column)
        if (words is None or not str(words).strip()) and role not in task.optional_spans:
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

    Raises:
        InputError: the text's column is missing or not a text.
    """
    values = {key: value for key, value in row.values.items() if key not in (columns.start, columns.end)}
    return parse_row(Row(row.where, {**values, columns.actor: ""}), task, columns, None, labelled=False)


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
    result["id"] = values["id"] if values.get("id") is not None else example.id
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
    result["evidence"] = prediction.to_dict()["evidence"]
    result["model"] = model.ref
    result["bundle"] = model.fingerprint
    result["version"] = metadata.version("conflictnlp")
    return result


def frame_with_predictions(model: Predictor, frame: pd.DataFrame, abstain_below: float | None) -> pd.DataFrame:
    """Classify the rows of a data frame; see `Model.predict_frame`."""
    import pandas as pd

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
        empty = {key for key, value in values.items() if pd.api.types.is_scalar(value) and pd.isna(value)}
        cleaned = {str(key): None if key in empty else value for key, value in values.items()}
        cleaned.setdefault("id", str(label))
        row = _with_roles(Row(f"row {label}", cleaned), model.task, columns)
        examples.append(parse_row(row, model.task, columns, None, labelled=False))
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
    """Return a record for formats without nesting: lists become JSON strings."""
    return {
        key: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for key, value in result.items()
    }
