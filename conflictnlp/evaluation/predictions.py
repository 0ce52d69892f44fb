"""Gold labels and predictions of a split as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conflictnlp.errors import InputError
from conflictnlp.evaluation.metrics import Outcome
from conflictnlp.files import atomic_path

_PROBABILITY = "prob_"
_OTHERS = ("id", "group", "text", "gold", "prediction")
# Of pooled folds alone.
_FOLD = "fold"


@dataclass(frozen=True)
class Predictions:
    """What `write_predictions` wrote of a split.

    Attributes:
        ids: the rows' ids.
        texts: the rows' texts.
        spans: the marked actor's words by role, a list of one a row; None where a row has none.
        outcome: gold and predicted labels, probabilities and clusters.
    """

    ids: list[str]
    texts: list[str]
    spans: dict[str, list[str | None]]
    outcome: Outcome

    def names(self, row: Any) -> str | list[str]:
        """Return the label, or labels, of a row of `outcome.gold` or `outcome.predicted`."""
        return label_names(self.outcome.labels, row, self.outcome.is_multi)

    def difference(self, other: Predictions) -> str | None:
        """Say in what way the rows of another file are not the same rows, or None if they are.

        Args:
            other: whose rows are held against these.

        Returns:
            what differs first.
        """
        ours, theirs = self.outcome, other.outcome
        if list(ours.labels) != list(theirs.labels) or ours.is_multi != theirs.is_multi:
            return f"the labels are {', '.join(ours.labels)} here and {', '.join(theirs.labels)} there"
        if len(self.ids) != len(other.ids):
            return f"{len(self.ids)} rows here and {len(other.ids)} there"
        if self.spans.keys() != other.spans.keys():
            return f"{sorted(self.spans)} are marked here and {sorted(other.spans)} there"
        columns: dict[str, tuple[Sequence[Any], Sequence[Any]]] = {}
        columns |= {
            "text": (self.texts, other.texts),
            "id": ([_own(i) for i in self.ids], [_own(i) for i in other.ids]),
        }
        columns |= {role: (self.spans[role], other.spans[role]) for role in self.spans}
        columns |= {"gold": (ours.gold.tolist(), theirs.gold.tolist()), "group": (ours.clusters, theirs.clusters)}
        for name, (here, there) in columns.items():
            for number, pair in enumerate(zip(here, there, strict=True)):
                if pair[0] != pair[1]:
                    return f"row {number + 1} ({self.ids[number]} here, {other.ids[number]} there) has another {name}"
        return None


def predictions_file(split: str = "test") -> str:
    """Return the name of the file in which a run keeps the predictions of a split."""
    return f"{split}_predictions.parquet"


def label_names(labels: Sequence[str], row: Any, multi: bool) -> str | list[str]:
    """Return the label, or labels, of a class number or an indicator row."""
    return [labels[n] for n in row.nonzero()[0]] if multi else labels[int(row)]


def _own(identity: str) -> str:
    """Return an id without folders: the id of a row that has none is its file's path and its line."""
    return identity.replace("\\", "/").rpartition("/")[2]


def write_predictions(path: Path, model: Any, examples: Sequence[Any], outcome: Any) -> None:
    """Write gold labels and predictions of a split as Parquet.

    Args:
        path: the file.
        model: tells labels and spans.
        examples: the split.
        outcome: gold, predicted and probabilities, in the same order.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = model.labels
    columns: dict[str, Any] = {
        "id": [example.id for example in examples],
        "group": [example.cluster for example in examples],
        "text": [example.text for example in examples],
    }
    for role in model.task.spans:
        columns[role] = [dict(e.spans)[role].names[0] if role in dict(e.spans) else None for e in examples]
    columns["gold"] = [label_names(labels, row, outcome.is_multi) for row in outcome.gold]
    columns["prediction"] = [label_names(labels, row, outcome.is_multi) for row in outcome.predicted]
    for number, label in enumerate(labels):
        columns[f"{_PROBABILITY}{label}"] = outcome.probabilities[:, number]
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(columns), temporary)


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Args:
        path: the Parquet file.

    Returns:
        its rows.

    Raises:
        InputError: the file is damaged, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: is no Parquet file that could be read ({str(error).splitlines()[0]})") from error
    labels = [name.removeprefix(_PROBABILITY) for name in table.column_names if name.startswith(_PROBABILITY)]
    missing = [name for name in _OTHERS if name not in table.column_names]
    if missing or not labels or not table.num_rows:
        raise InputError(f"{path}: holds no predictions (it lacks {', '.join(missing) or 'probabilities or rows'})")
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    outcome = Outcome(
        labels,
        _numbers(columns["gold"], labels, path),
        _numbers(columns["prediction"], labels, path),
        np.column_stack([columns[_PROBABILITY + label] for label in labels]).astype(float),
        columns["group"],
    )
    roles = [name for name in table.column_names if name not in (*_OTHERS, _FOLD) and not name.startswith(_PROBABILITY)]
    return Predictions(columns["id"], columns["text"], {role: columns[role] for role in roles}, outcome)


def _numbers(values: list[Any], labels: list[str], path: Path) -> Any:
    """Return class numbers (n,), or for lists of labels an indicator matrix (n, n_labels)."""
    number = {label: place for place, label in enumerate(labels)}
    try:
        if not isinstance(values[0], list):
            return np.array([number[value] for value in values], dtype=np.int64)
        matrix = np.zeros((len(values), len(labels)), dtype=np.int64)
        for row, names in enumerate(values):
            matrix[row, [number[name] for name in names]] = 1
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: the label {error} has no column of probabilities") from error
    return matrix


def pool_predictions(files: Sequence[Path], target: Path) -> Outcome:
    """Join the predictions of several folds into one file, and return them as one outcome.

    Args:
        files: as `write_predictions` wrote them, one a fold.
        target: the file; a column `fold` counts from 1.

    Returns:
        gold, predicted and probabilities of all rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for number, path in enumerate(files, start=1):
        table = pq.read_table(path)
        tables.append(table.add_column(0, _FOLD, pa.array([number] * len(table))))
    # A column that is empty in one fold has no type of its own there.
    whole = pa.concat_tables(tables, promote_options="permissive")
    with atomic_path(target) as temporary:
        pq.write_table(whole, temporary)
    return read_predictions(target).outcome
