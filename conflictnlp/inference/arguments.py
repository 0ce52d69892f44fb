"""What Python callers give to `predict`, as examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conflictnlp.data.example import Example, Span
from conflictnlp.errors import InputError
from conflictnlp.task import Task


def make_examples(task: Task, texts: str | Sequence[str], marks: Mapping[str, Any]) -> list[Example]:
    """Turn the arguments of `Model.predict` into examples.

    Args:
        task: tells the roles that texts are read for.
        texts: a text, or a list of them; a missing one (None, NaN) is an empty text.
        marks: `actor`, `source`, `target` and `title` for all texts, or `actors`, … one for each.

    Returns:
        the examples in the order of the texts.

    Raises:
        InputError: the texts are a table, a value is no str, an argument is unknown or missing, or a list is of another
            length.
    """
    one = isinstance(texts, str)
    texts = [text or "" for text in _strings([texts] if isinstance(texts, str) else _listed(texts), "text")]
    marks = dict(marks)
    columns: dict[str, list[str | None]] = {}
    for role in ("actor", "source", "target", "title"):
        single, several = marks.pop(role, None), marks.pop(f"{role}s", None)
        if single is not None and several is not None:
            raise InputError(f"predict: give {role} or {role}s, not both")
        if single is not None and not isinstance(single, str):
            raise InputError(
                f"predict: {role} is a {type(single).__name__}, not a str; {role}s= is for lists, "
                f"one {role} for each text"
            )
        if several is not None:
            values = [several] if isinstance(several, str) else list(several)
            if len(values) != len(texts):
                raise InputError(f"predict: {len(texts)} texts but {len(values)} {role}s")
            columns[role] = _strings(values, role)
        elif single is not None:
            columns[role] = [single] * len(texts)
        elif role in task.spans and role not in task.optional_spans:
            given = f"{role}=..." if one else f"{role}s=[...]"
            raise InputError(f"predict: task {task.name} reads a text for one {role}; give {given}")
    if marks:
        raise InputError(f"predict: unknown argument {', '.join(marks)}")
    return [
        Example(
            where=f"text {number + 1}",
            id=str(number),
            text=text,
            title=columns["title"][number] or "" if "title" in columns else "",
            spans=tuple(
                (role, Span(words))
                for role in task.spans
                if role in columns and (words := columns[role][number]) is not None
            ),
        )
        for number, text in enumerate(texts)
    ]


def is_missing(value: Any) -> bool:
    """Return whether a value is None or what other libraries put for it: NaN, pandas' NA and NaT."""
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ in _MISSING


_MISSING = frozenset({"NAType", "NaTType"})


def _listed(texts: Any) -> list[Any]:
    """List the texts; a table, whose iteration would give the names of its columns or its rows, is refused."""
    kind = type(texts).__name__
    if hasattr(texts, "columns") or hasattr(texts, "column_names"):
        raise InputError(f"predict: texts is a {kind}; give predict_frame the table, or predict one column of it")
    if isinstance(texts, bytes | Mapping) or not isinstance(texts, Iterable):
        raise InputError(f"predict: texts is a {kind}; give a str or a list of them")
    return list(texts)


def _strings(values: Sequence[Any], what: str) -> list[str | None]:
    """Check that each value is a text; a missing one becomes None."""
    found = [None if is_missing(value) else value for value in values]
    for number, value in enumerate(found, 1):
        if value is not None and not isinstance(value, str):
            raise InputError(f"predict: {what} {number} is a {type(value).__name__}, not a str")
    return found
