"""JSON files as annotation tools write them: one object a line, or a list of objects over many lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from conflictnlp.data.read import Row, read_json_lines, read_lines, without_half_characters
from conflictnlp.errors import InputError

_BETWEEN = re.compile(r"[\s,]*")


def read_objects(path: Path) -> Iterator[Row]:
    """Read a file's JSON objects.

    Args:
        path: JSON lines, or one JSON list.

    Yields:
        the objects, each with the line on which it begins.

    Raises:
        InputError: the file cannot be read, or is not JSON; the message says where.
    """
    lines = list(read_lines(path))
    text = "".join(lines)
    if text.lstrip().startswith("["):
        yield from _read_list(text, path)
    else:
        yield from read_json_lines(lines, str(path))


def _read_list(text: str, path: Path) -> Iterator[Row]:
    # One object after the other, so that each is told by the line on which it begins.
    decoder = json.JSONDecoder()
    position = text.index("[") + 1
    line, counted = 1, 0
    while True:
        position = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]
        line, counted = line + text.count("\n", counted, position), position
        if text[position : position + 1] in ("", "]"):
            break
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise InputError(f"{path}:{error.lineno}: not JSON ({error.msg}, column {error.colno})") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{line}: not JSON that can be read ({error})") from error
        if not isinstance(value, dict):
            raise InputError(f"{path}:{line}: a JSON {type(value).__name__} where an object {{...}} is needed")
        half = "\\ud" in text[position:end].lower()
        yield Row(f"{path}:{line}", without_half_characters(value) if half else value)
        position = end
    if text[position:].strip() != "]":
        raise InputError(
            f"{path}:{line}: not JSON (the list is {'cut short' if position >= len(text) else 'followed by more'})"
        )
