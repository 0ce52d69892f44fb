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
