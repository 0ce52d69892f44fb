"""Invented reports with momentum codes, written for this package as further training (DATA_CARD.md tells how)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from conflictnlp.data.reports.passages import article_passages
from conflictnlp.errors import InputError
from conflictnlp.text import find_mentions

THEATRES = (
    *("cities", "hills", "fronts", "statements", "borders", "articles"),
    *("agency", "press", "outcomes", "dispatches", "features", "releases"),
)


def report_texts(theatre: str = "all") -> Iterator[dict[str, Any]]:
    """Read the reports, one record a text.

    Args:
        theatre: one of `THEATRES`, or `all`.

    Yields:
        id, group, text, actors [{names, label}]; the first name is the fullest. An article of several passages gives
        a record for each, of one group.

    Raises:
        InputError: there is no such theatre.
    """
    if theatre not in (*THEATRES, "all"):
        raise InputError(f"reports:{theatre}: no such reports; there are all, {', '.join(THEATRES)}")
    for name in THEATRES if theatre == "all" else (theatre,):
        content = resources.files(__name__).joinpath(f"{name}.jsonl").read_text(encoding="utf-8")
        for number, line in enumerate(content.splitlines(), 1):
            record = json.loads(line)
            group = f"{name}-{number:03d}"
            if "sentences" not in record:
                yield {"id": group, "group": group, **record}
                continue
            for part, passage in enumerate(article_passages(record, number)):
                yield {"id": f"{group}-{part}", "group": group, **passage}


def report_rows(theatre: str) -> Iterator[dict[str, Any]]:
    """Read the reports as rows of the data contract, one a (text, actor) pair.

    Args:
        theatre: as for `report_texts`.

    Yields:
        rows with id, text, actor, start, end, label and group.

    Raises:
        InputError: there is no such theatre.
    """
    for record in report_texts(theatre):
        for number, actor in enumerate(record["actors"]):
            start, end = find_mentions(record["text"], actor["names"][:1])[0]
            yield {
                "id": f"{record['id']}-{number}",
                "text": record["text"],
                "group": record["group"],
                "actor": "|".join(actor["names"]),
                "start": start,
                "end": end,
                "label": actor["label"],
            }
