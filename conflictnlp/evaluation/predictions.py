"""Gold labels and predictions of a split as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


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

    from conflictnlp.files import atomic_path

    labels = model.labels

    def names(row: Any) -> Any:
        return [labels[n] for n in row.nonzero()[0]] if outcome.is_multi else labels[int(row)]

    columns: dict[str, Any] = {
        "id": [example.id for example in examples],
        "group": [example.cluster for example in examples],
        "text": [example.text for example in examples],
    }
    for role in model.task.spans:
        columns[role] = [dict(e.spans)[role].names[0] if role in dict(e.spans) else None for e in examples]
    columns["gold"] = [names(row) for row in outcome.gold]
    columns["prediction"] = [names(row) for row in outcome.predicted]
    for number, label in enumerate(labels):
        columns[f"prob_{label}"] = outcome.probabilities[:, number]
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(columns), temporary)


def pool_predictions(files: Sequence[Path], target: Path, task: Any) -> Any:
    """Join the predictions of several folds into one file, and return them as one outcome.

    Args:
        files: as `write_predictions` wrote them, one a fold.
        target: the file; a column `fold` counts from 1.
        task: labels in order.

    Returns:
        gold, predicted and probabilities of all rows.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from conflictnlp.evaluation.metrics import Outcome
    from conflictnlp.files import atomic_path

    tables = []
    for number, path in enumerate(files, start=1):
        table = pq.read_table(path)
        tables.append(table.add_column(0, "fold", pa.array([number] * len(table))))
    # A column that is empty in one fold has no type of its own there.
    whole = pa.concat_tables(tables, promote_options="permissive")
    with atomic_path(target) as temporary:
        pq.write_table(whole, temporary)
    column = {label: number for number, label in enumerate(task.label_names)}

    def targets(name: str) -> Any:
        values = whole.column(name).to_pylist()
        if not task.is_multi:
            return np.array([column[value] for value in values], dtype=np.int64)
        matrix = np.zeros((len(values), len(column)), dtype=np.int64)
        for row, labels in enumerate(values):
            matrix[row, [column[label] for label in labels]] = 1
        return matrix

    probabilities = np.column_stack([whole.column(f"prob_{label}").to_numpy() for label in task.label_names])
    clusters = whole.column("group").to_pylist()
    return Outcome(task.label_names, targets("gold"), targets("prediction"), probabilities, clusters)
