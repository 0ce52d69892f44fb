"""Momentum codes of texts that users have from elsewhere: ids, offsets and labels, no text (DATA_CARD.md tells how)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from conflictnlp.data.read import find_files, read_file
from conflictnlp.errors import InputError


def coded_texts(name: str, texts: str, root: str | Path | None = None) -> Iterator[dict[str, Any]]:
    """Join packaged codes with the texts they stand for.

    Args:
        name: the codes, for instance `momentum`.
        texts: the file of the texts, with the columns `id` and `text`.
        root: the folder that a relative path starts from.

    Yields:
        the text's own columns and `actors` [[start, end, label]], in the texts' order.

    Raises:
        InputError: there are no such codes, the file is missing, or its texts are not those that were coded.
    """
    path = resources.files(__name__).joinpath(f"{name}.jsonl")
    if not path.is_file():
        raise InputError(f"codes:{name}: no such codes ship with this package")
    codes = {entry["id"]: entry["actors"] for entry in map(json.loads, path.read_text(encoding="utf-8").splitlines())}
    found = 0
    for file in find_files(texts, root):
        for row in read_file(file):
            if (actors := codes.get(str(row.values.get("id")))) is not None:
                if not isinstance(row.values.get("text"), str):
                    raise InputError(f"{row.where}: no column 'text' with the text that codes:{name} is about")
                found += 1
                yield {**row.values, "actors": actors}
    if not found:
        raise InputError(f"{texts}: holds none of the texts that codes:{name} is about")


def coded_rows(name: str, texts: str, root: str | Path | None = None) -> Iterator[dict[str, Any]]:
    """Read packaged codes as rows of the data contract, one a (text, actor) pair.

    Args:
        name: as for `coded_texts`.
        texts: as for `coded_texts`.
        root: as for `coded_texts`.

    Yields:
        rows with id, text, date, actor, start, end, label and group.

    Raises:
        InputError: as `coded_texts`, or offsets lie outside their text.
    """
    for record in coded_texts(name, texts, root):
        for number, (start, end, label) in enumerate(record["actors"]):
            if end > len(record["text"]):
                raise InputError(f"{texts}: the text of {record['id']} is not the one that codes:{name} is about")
            yield {
                "id": f"{record['id']}-{number}",
                "text": record["text"],
                "date": record.get("date"),
                "group": record["id"],
                "actor": record["text"][start:end],
                "start": start,
                "end": end,
                "label": label,
            }
