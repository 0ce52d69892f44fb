"""One labelled example: what a row becomes once its columns are known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.task import Task
from conflictnlp.text import Passage, find_mentions
from conflictnlp.text.spans import Offsets


@dataclass(frozen=True, slots=True)
class Span:
    """A marked actor: its words and, if known, the offsets of its fullest mention.

    Attributes:
        words: the actor's name; several names of one actor are joined by `|`.
        start: first character in the text, or None.
        end: character after the last, or None.
        mentions: offsets of all its mentions if they are known (negative in the title); None to look for the words.
    """

    words: str
    start: int | None = None
    end: int | None = None
    mentions: tuple[Offsets, ...] | None = None

    @property
    def names(self) -> list[str]:
        """The name and its aliases."""
        return [name.strip() for name in self.words.split("|") if name.strip()]


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its label.

    Attributes:
        where: file and row, for messages.
        id: the row's own id, else its place.
        text: the text.
        labels: the gold labels; a single-label example has one, an unlabelled one None.
        spans: marked actors by role.
        title: the headline, or "".
        group: what must stay in one split, or None.
        date: ISO date, or None.
        split: the split that the row names, or None.
        chances: a teacher's probability of each label of a single-label task, in declared order, or None.
    """

    where: str
    id: str
    text: str
    labels: tuple[str, ...] | None = None
    spans: tuple[tuple[str, Span], ...] = ()
    title: str = ""
    group: str | None = None
    date: str | None = None
    split: str | None = None
    chances: tuple[float, ...] | None = None

    @property
    def label(self) -> str | None:
        """The one label of a single-label example."""
        return self.labels[0] if self.labels else None

    @property
    def cluster(self) -> str:
        """What makes rows dependent: the group, else the text."""
        return self.group if self.group is not None else self.text

    def passage(self, task: Task) -> Passage:
        """Return what a model reads: the title as first line, and every mention of each role.

        Args:
            task: its `spans` tell the roles and their order.

        Returns:
            the passage; a role whose words do not stand in the text has no mentions.
        """
        return make_passage(self.text, self.title, dict(self.spans), task.spans)

    def key(self) -> list[Any]:
        """Return what a fingerprint of the data covers."""
        spans = [[role, span.words, span.start, span.end] for role, span in self.spans]
        key: list[Any] = [self.text, self.title, spans, list(self.labels) if self.labels is not None else None]
        return key if self.chances is None else [*key, list(self.chances)]


def make_passage(text: str, title: str, spans: Mapping[str, Span], roles: tuple[str, ...]) -> Passage:
    """Join title and text and find every mention of each role.

    Args:
        text: the text.
        title: the headline or "".
        spans: marked actors by role.
        roles: the task's roles in order.

    Returns:
        the passage that a model reads.
    """
    head = f"{title.strip()}\n" if title and title.strip() else ""
    whole = head + text
    found = []
    for role in roles:
        span = spans.get(role)
        if span and span.mentions is not None:
            found.append(tuple((start + len(head), end + len(head)) for start, end in span.mentions))
            continue
        mentions = find_mentions(whole, span.names) if span else []
        if span and span.start is not None and span.end is not None and 0 <= span.start < span.end <= len(text):
            given = (span.start + len(head), span.end + len(head))
            # The stated offsets win over matches that overlap them.
            mentions = sorted([m for m in mentions if m[1] <= given[0] or m[0] >= given[1]] + [given])
        found.append(tuple(mentions))
    return Passage(whole, tuple(found), len(head))


def parse_row(row: Row, task: Task, columns: ColumnsConfig, label_column: str | None, labelled: bool = True) -> Example:
    """Turn a row into an example.

    Args:
        row: the record.
        task: tells the labels and the spans.
        columns: the columns' names.
        label_column: the column of the label; None for the first of `label` and `labels` that is there.
        labelled: whether a label is required.

    Returns:
        the example; an empty text or an actor that is not in it is left for the checks.

    Raises:
        InputError: a column is missing, or a value has the wrong type or is an unknown label.
    """
    values = row.values
    if columns.text not in values:
        raise InputError(
            f"{row.where}: no column {columns.text!r}; the columns are {', '.join(map(str, values))}; "
            "name the text's with data.columns.text=..."
        )
    labels = _labels(row, task, label_column) if labelled else None
    spans = tuple((role, span) for role in task.spans if (span := _span(row, role, columns, task)) is not None)
    return Example(
        where=row.where,
        id=_optional(values, columns.id) or row.where,
        text=_text(row, columns.text),
        labels=labels,
        spans=spans,
        title=_text(row, columns.title) if columns.title in values else "",
        group=_optional(values, columns.group),
        date=_optional(values, columns.date),
        split=_optional(values, columns.split),
    )


def without_spans(example: Example) -> Example:
    """Return the example with its text alone, for checks that ignore actors."""
    return replace(example, spans=())


def _text(row: Row, column: str) -> str:
    value = row.values.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{row.where}: {column} is a {type(value).__name__}, not a text")
    return value


def _optional(values: Mapping[str, Any], column: str) -> str | None:
    value = values.get(column)
    # JSON's NaN and an empty text are missing values too; as a group they would tie all rows together.
    return None if value is None or value == "" or value != value else str(value)


def _integer(row: Row, column: str) -> int | None:
    value = row.values.get(column)
    if value is None or value != value:
        return None
    try:
        # CSV and data frames with gaps write offsets as "12.0".
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{row.where}: {column}={value!r} is not a character offset") from error
    if not number.is_integer():
        raise InputError(f"{row.where}: {column}={value!r} is not a character offset")
    return int(number)


def _span(row: Row, role: str, columns: ColumnsConfig, task: Task) -> Span | None:
    words = row.values.get(getattr(columns, role))
    if words is None:
        if role in task.optional_spans:
            return None
        raise InputError(
            f"{row.where}: no {getattr(columns, role)!r}: task {task.name} reads a text for one {role}, "
            f"so each row needs its words (another column: data.columns.{role}=...)"
        )
    prefix = "" if role == "actor" else f"{role}_"
    start = _integer(row, getattr(columns, f"{prefix}start"))
    end = _integer(row, getattr(columns, f"{prefix}end"))
    return Span(str(words), start, end) if start is not None and end is not None else Span(str(words))


def _labels(row: Row, task: Task, column: str | None) -> tuple[str, ...]:
    names = [column] if column else ["labels", "label"] if task.is_multi else ["label", "labels"]
    found = next((name for name in names if name in row.values), None)
    if found is None:
        raise InputError(
            f"{row.where}: no column {' or '.join(map(repr, names))}; the columns are "
            f"{', '.join(map(str, row.values))}; name the label's with data.columns.label=..."
        )
    value = row.values[found]
    if task.is_multi:
        labels = _label_list(value, row, found)
    elif value is None or isinstance(value, list):
        raise InputError(f"{row.where}: {found}={value!r}: task {task.name} needs one label")
    else:
        labels = [str(value)]
    for label in labels:
        if label not in task.label_names:
            raise InputError(
                f"{row.where}: unknown label {label!r} in column {found!r}; task {task.name} declares "
                f"{', '.join(task.label_names)} (correct the row, or declare the label in a task file of your own)"
            )
    return tuple(name for name in task.label_names if name in labels)


def _label_list(value: Any, row: Row, column: str) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        # CSV has no lists: a JSON list, or names separated by | ; or white space.
        if value.strip().startswith("["):
            try:
                value = json.loads(value)
            except json.JSONDecodeError as error:
                raise InputError(f"{row.where}: {column}={value!r} is not a JSON list") from error
        else:
            value = value.replace("|", " ").replace(";", " ").replace(",", " ").split()
    if not isinstance(value, list | tuple):
        raise InputError(f"{row.where}: {column}={value!r}: a list of labels is needed")
    return [str(label) for label in value]
