"""What Python callers give to `predict`, as examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conflictnlp.data.example import Example, Span
from conflictnlp.errors import InputError
from conflictnlp.task import Task


def make_examples(task: Task, texts: str | Sequence[str], marks: Mapping[str, Any]) -> list[Example]:
    """Turn the arguments of `Model.predict` into examples.

    Args:
        task: tells the roles that texts are read for.
        texts: a text, or a list of them.
        marks: `actor`, `source`, `target` and `title` for all texts, or `actors`, … one for each.

    Returns:
        the examples in the order of the texts.

    Raises:
        InputError: a text is no str, an argument is unknown or missing, or a list has another length.
    """
    one = isinstance(texts, str)
    texts = [texts] if isinstance(texts, str) else list(texts)
    marks = dict(marks)
    for number, text in enumerate(texts, 1):
        if not isinstance(text, str):
            raise InputError(f"predict: text {number} is a {type(text).__name__}, not a str")
    columns: dict[str, list[Any]] = {}
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
            columns[role] = values
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
                (role, Span(str(columns[role][number])))
                for role in task.spans
                if role in columns and columns[role][number] is not None
            ),
        )
        for number, text in enumerate(texts)
    ]
