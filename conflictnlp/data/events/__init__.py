"""Invented sentences with event codes, written for this package as further training (DATA_CARD.md tells how)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

from conflictnlp.composition import load_task
from conflictnlp.errors import InputError

# The codings, each a file, and the task whose labels it bears.
CODINGS = {"plover": "plover", "case21": "event_subtype"}


def event_texts(coding: str) -> Iterator[dict[str, Any]]:
    """Read the sentences, one record a text.

    Args:
        coding: plover (`events` with source, target and root) or case21 (`label`, a sub-type).

    Returns:
        an iterator of records: id, text and its codes.

    Raises:
        InputError: there is no such coding.
    """
    if coding not in CODINGS:
        raise InputError(f"events:{coding}: no such coding; there are {', '.join(CODINGS)}")
    content = resources.files(__name__).joinpath(f"{coding}.jsonl").read_text(encoding="utf-8")
    return ({"id": f"{coding}-{number:04d}", **json.loads(line)} for number, line in enumerate(content.splitlines(), 1))


def event_rows(coding: str) -> Iterator[dict[str, Any]]:
    """Read the sentences as rows of the data contract, with a column for each task that they are coded for.

    Args:
        coding: as for `event_texts`.

    Yields:
        of plover one row an event: id, text, source and target with their offsets (no target: None), plover,
        plover_quad, group; of case21 one row a text: id, text, event_type, event_subtype.

    Raises:
        InputError: there is no such coding.
    """
    texts = event_texts(coding)
    task = load_task(CODINGS[coding])
    for record in texts:
        if not task.spans:
            yield {"id": record["id"], "text": record["text"], **task.codes(record["label"])}
            continue
        for number, event in enumerate(record["events"]):
            row = {"id": f"{record['id']}-{number}", "text": record["text"], "group": record["id"]}
            for role in ("source", "target"):
                start, end = _place(record["text"], event.get(role))
                row |= {role: event.get(role), f"{role}_start": start, f"{role}_end": end}
            yield row | task.codes(event["label"])


def _place(text: str, words: str | None) -> tuple[int | None, int | None]:
    """Return where the words first stand in a text as they are spelt, not within another word."""
    found = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) if words else None
    return found.span() if found else (None, None)
