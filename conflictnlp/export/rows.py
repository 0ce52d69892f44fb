"""Rows on which an exported model is compared with its source: the user's, a data set's, or the embedded sample's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conflictnlp.composition import compose, shipped
from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example, Span, parse_row
from conflictnlp.data.load import read_split
from conflictnlp.data.read import find_files
from conflictnlp.data.sample import COUNTRIES, sample_texts
from conflictnlp.data.sources import read_rows
from conflictnlp.errors import InputError
from conflictnlp.task import Task
from conflictnlp.text import find_mentions, sentence_spans

log = logging.getLogger(__name__)
SAMPLE = "sample"
# Rows of the sample's check: its whole texts, filled up with sentences of them.
_ROWS = 1200
# A model knows its training rows: on them it is surer, and rounding changes less.
_SPLITS = ("validation", "test")


def check_rows(task: Task, source: str | None = None, least: int = 0) -> tuple[str, list[Example]]:
    """Read what an exported model is checked on; labels are not needed, and kept where there are any.

    Args:
        task: tells the marked roles.
        source: a name in conf/data, whose validation and test rows are taken, or a file (or glob) with a column `text`
            and those of the roles; None for the embedded sample.
        least: where there are fewer rows that can be answered, rows of the sample are added.

    Returns:
        what to call the data, and its rows; those of the sample are made for any task, and have no labels.

    Raises:
        InputError: the data cannot be read or do not fit the task.
    """
    if source is None or source == SAMPLE:
        return "the embedded sample and its sentences", _sample_rows(task, _ROWS)
    name, rows = _named_rows(task, source) if source in shipped("data") else _rows_of_file(task, source)
    short = least - sum(_can_be_answered(row, task) for row in rows)
    if short > 0:
        log.warning("--check %s: %d rows of the embedded sample are added, to compare %d", source, short, least)
        return f"{name} and {short} of the embedded sample", [*rows, *_sample_rows(task, short)]
    return name, rows


def _named_rows(task: Task, source: str) -> tuple[str, list[Example]]:
    config, _ = compose([f"task={task.name}", f"data={source}"])
    rows = [example for split in _SPLITS for example in read_split(config.data, task, split)]
    if not rows:
        raise InputError(f"--check {source}: has neither validation nor test rows; name a file of rows")
    return source, rows


def _rows_of_file(task: Task, source: str) -> tuple[str, list[Example]]:
    find_files(source)
    columns, rows = ColumnsConfig(), list(read_rows(source))
    if not rows:
        raise InputError(f"--check {source}: holds no rows")
    labelled = all(not row.values.keys().isdisjoint({"label", "labels"}) for row in rows)
    try:
        examples = [parse_row(row, task, columns, None, labelled) for row in rows]
    except InputError as error:
        if not labelled:
            raise
        log.warning("--check: its labels are left out (%s)", error)
        examples = [parse_row(row, task, columns, None, labelled=False) for row in rows]
    return Path(source).name, examples


def _can_be_answered(row: Example, task: Task) -> bool:
    marked = zip(task.spans, row.passage(task).spans, strict=True)
    return bool(row.text.strip()) and all(spans or role in task.optional_spans for role, spans in marked)


def _sample_rows(task: Task, wanted: int) -> list[Example]:
    records = [record for split in COUNTRIES for record in sample_texts(split)]
    whole = [example for record in records for example in _questions(task, record, record["text"])]
    sentences = [
        example
        for record in records
        for start, end in sentence_spans(record["text"])
        for example in _questions(task, {**record, "title": ""}, record["text"][start:end])
    ]
    whole = _spread(whole, wanted)
    return whole + _spread(sentences, wanted - len(whole))


def _spread(rows: list[Example], wanted: int) -> list[Example]:
    """Return as many rows as are wanted, or all, from all over."""
    wanted = min(wanted, len(rows))
    return [rows[number * len(rows) // wanted] for number in range(wanted)]


def _questions(task: Task, record: dict[str, Any], text: str) -> Iterator[Example]:
    """Yield a text once, or for every choice of the task's roles among the actors it names."""
    shared = {"where": record["id"], "id": record["id"], "text": text, "title": record["title"] or ""}
    if not task.spans:
        yield Example(**shared)
        return
    names = [[actor["actor"], *actor["aliases"]] for actor in record["actors"]]
    named = [own for own in names if find_mentions(f"{shared['title']}\n{text}", own)]
    for number in range(len(named)):
        chosen = [named[(number + place) % len(named)] for place in range(len(task.spans))]
        marks = [(role, Span("|".join(own))) for role, own in zip(task.spans, chosen, strict=True)]
        if len(named) < len(task.spans):
            marks = [mark for mark in marks if mark[0] not in task.optional_spans] or marks[:1]
        yield Example(**shared, spans=tuple(marks))
