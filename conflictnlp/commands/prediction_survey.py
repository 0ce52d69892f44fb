"""What is learnt of predict's input before the model starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.inference.model import Model
from conflictnlp.inference.records import check_columns, questions


def survey(
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
