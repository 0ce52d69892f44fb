"""What is learnt of predict's input before the model starts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflictnlp.commands.prediction_columns import ColumnTypes
from conflictnlp.commands.prediction_output import Table
from conflictnlp.config import ColumnsConfig
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.inference.model import Model
from conflictnlp.inference.records import check_columns, output_columns, questions

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Survey:
    """What an input holds.

    Attributes:
        rows: their number.
        table: the columns of the output.
        finds: whether the model is to find the actors.
        digest: SHA-256 of all rows and their places.
        unnamed: stated actors that no row names.
    """

    rows: int
    table: Table
    finds: bool
    digest: str
    unnamed: tuple[str, ...] = ()


def survey(
    rows: Iterable[Row],
    model: Model,
    columns: ColumnsConfig,
    asked: Sequence[Sequence[str]],
    source: str,
    typed: bool = False,
    given: pa.Schema | None = None,
) -> Survey:
    """Read every row once: a fault in the last one shall not cost the hours that the others took.

    Args:
        rows: the input, which is read to its end.
        model: tells the marked roles and the output's columns.
        columns: names of the input's columns.
        asked: names of the actors that the user asks about.
        source: what to call the input in messages.
        typed: whether the output's columns have types.
        given: the types of the input's columns where its format tells them.

    Returns:
        what the input holds.

    Raises:
        InputError: a column is missing or in the way, or no row is there.
    """
    names: dict[str, None] = {}
    types = ColumnTypes(model, columns, given) if typed else None
    digest = hashlib.sha256()
    total = 0
    named: set[str] = set()
    for row in rows:
        # Looked at for whom it names alone: a fault of its own becomes the row's error later.
        for question in questions(row, model, columns, asked) if asked else ():
            named |= {span.names[0] for _, span in question.spans if span.mentions}
        names.update(dict.fromkeys(row.values))
        if types is not None:
            types.add(row.values)
        digest.update(json.dumps([row.where, row.values], default=str).encode() + b"\n")
        total += 1
    if not total:
        raise InputError(f"{source}: holds no rows")
    told = f"the columns are {', '.join(names)}"
    if columns.text not in names:
        raise InputError(f"{source}: no column {columns.text!r}; {told}; name the text's with --text-column")
    if columns.id not in names and columns.id != ColumnsConfig.id:
        raise InputError(f"{source}: no column {columns.id!r}; {told}; correct --id-column")
    finds = _check_roles(model, names, columns, bool(asked), source)
    check_columns(model, names, bool(asked) or finds)
    written = list(dict.fromkeys([*names, *output_columns(model)]))
    table = Table(written, types.schema(written) if types is not None else None)
    unnamed = tuple(actor[0] for actor in asked if actor[0] not in named)
    return Survey(total, table, finds, digest.hexdigest(), unnamed)


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
