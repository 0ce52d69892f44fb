"""What `agree` compares: codes out of predict's tables and of code's joint records, one row a case."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conflictnlp.data.read import Row, find_files, read_file
from conflictnlp.errors import InputError

# The tasks of a joint record that tell one label a case.
JOINT_TASKS = ("momentum", "topic")
_CHANCE = "prob_"


@dataclass(frozen=True)
class ModelCodes:
    """A model's codes.

    Attributes:
        rows: with `prediction`, and `id`, `actor`, `probability`, `text` and `evidence` where they are told.
        labels: in declared order; empty where the file does not tell them.
        task: of a joint record's part; None for what predict wrote.
    """

    rows: list[Row]
    labels: tuple[str, ...]
    task: str | None = None


def read_codes(source: str, task: str | None = None) -> ModelCodes:
    """Read what `predict` or `code` wrote.

    Args:
        source: the file, or a glob.
        task: which part of joint records, momentum if None; None for what predict wrote.

    Returns:
        one row a case.

    Raises:
        InputError: a file cannot be read, lacks predictions, or a cell of it is not what these commands write.
    """
    rows = read_rows(source)
    columns = {name for row in rows for name in row.values}
    if "prediction" not in columns and "actors" in columns:
        task = task or JOINT_TASKS[0]
        told = list(_topics(rows) if task == "topic" else _courses(rows))
        if not told:
            raise InputError(f"{source}: no record holds an actor; compare topics with --task topic")
        chances = (row.values.get("probabilities") for row in told)
        codes = ModelCodes(told, tuple(dict.fromkeys(label for part in chances for label in part or ())), task)
    else:
        need("prediction", rows, source)
        if task is not None:
            raise InputError(f"{source}: --task {task} chooses a part of what code wrote; this is not; leave it out")
        names = dict.fromkeys(name for row in rows for name in row.values if name.startswith(_CHANCE))
        codes = ModelCodes(rows, tuple(name.removeprefix(_CHANCE) for name in names))
    for row in codes.rows:
        row.values["probability"] = _number(row)
    return codes


def read_rows(source: str) -> list[Row]:
    """Read every row of the files that a name or glob stands for.

    Args:
        source: the name.

    Returns:
        the rows.

    Raises:
        InputError: a file cannot be read, or no row is there.
    """
    rows = [row for path in find_files(source) for row in read_file(path)]
    if not rows:
        raise InputError(f"{source}: holds no rows")
    return rows


def need(column: str, rows: list[Row], name: str) -> None:
    """Refuse rows none of which has a column.

    Args:
        column: what is needed.
        rows: a file's.
        name: the file.

    Raises:
        InputError: no row has it; the columns are told.
    """
    columns = {name for row in rows for name in row.values}
    if column not in columns:
        raise InputError(f"{name}: no column {column!r}; the columns are {', '.join(sorted(columns))}")


def heaviest(evidence: Any) -> str | None:
    """Return the words of the stretch that weighed most; None where a case has no evidence.

    Args:
        evidence: what the column holds: a list, its JSON in a CSV file, or anything of somebody else's.

    Returns:
        the words.
    """
    if isinstance(evidence, str):
        try:
            evidence = json.loads(evidence)
        except ValueError:
            return None
    stretches = [part for part in evidence if isinstance(part, dict)] if isinstance(evidence, list) else []
    weighed = [part for part in stretches if isinstance(part.get("weight"), int | float) and part.get("text")]
    return str(max(weighed, key=lambda part: part["weight"])["text"]) if weighed else None


def _courses(rows: list[Row]) -> Iterator[Row]:
    """Yield a row for each actor of each record."""
    for row in rows:
        actors = row.values.get("actors")
        if actors is not None and not isinstance(actors, list):
            raise InputError(f"{row.where}: actors is no list; give the .jsonl or .parquet file that code wrote")
        for actor in actors or ():
            if not isinstance(actor, dict) or "name" not in actor or "label" not in actor:
                raise InputError(f"{row.where}: an actor without name and label; give the file that code wrote")
            values = {
                "id": row.values.get("id"),
                "actor": actor["name"],
                "prediction": actor["label"],
                "probability": actor.get("probability"),
                # Parquet's maps are read as pairs.
                "probabilities": dict(actor.get("probabilities") or {}),
                "evidence": actor.get("evidence"),
            }
            yield Row(f"{row.where} (actor {actor['name']!r})", values)


def _topics(rows: list[Row]) -> Iterator[Row]:
    """Yield a row for each record; an article that could not be coded has no topic."""
    for row in rows:
        topic = row.values.get("topic") or {}
        if not isinstance(topic, dict):
            raise InputError(f"{row.where}: topic is no record; give the .jsonl or .parquet file that code wrote")
        values = {"prediction": topic.get("label"), "probability": topic.get("probability")}
        yield Row(row.where, {"id": row.values.get("id"), **values})


def _number(row: Row) -> float | None:
    value = row.values.get("probability")
    if value is None or value == "" or value != value:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{row.where}: probability {value!r} is no number; correct the cell, or leave it empty")
    return number
