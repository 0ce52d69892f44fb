"""The embedded sample: reports and articles written for this package (DATA_CARD.md tells how)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from conflictnlp.errors import InputError

# No conflict stands in two splits: each country belongs to one.
COUNTRIES = {
    "train": ("velmaria", "ostrany", "karthena", "dhalun", "sorrevia", "mbanzura", "tirkesh", "qasmara"),
    "validation": ("lumeira", "bostovia"),
    "test": ("halvenia", "yeldara"),
}


def sample_texts(split: str) -> Iterator[dict[str, Any]]:
    """Read the sample's texts, one record each with all its codes.

    Args:
        split: train, validation or test.

    Yields:
        id, kind, title, date, text, topic, event_type, actors [{actor, aliases, label}], country.

    Raises:
        InputError: there is no such split.
    """
    if split not in COUNTRIES:
        raise InputError(f"sample:{split}: no such split; splits are {', '.join(COUNTRIES)}")
    for country in COUNTRIES[split]:
        content = resources.files(__name__).joinpath(f"{country}.jsonl").read_text(encoding="utf-8")
        for line in content.splitlines():
            yield {**json.loads(line), "country": country}


def sample_rows(split: str) -> Iterator[dict[str, Any]]:
    """Read the sample as rows of the data contract.

    Args:
        split: train, validation or test for one row a text; with `/actors` for one row a (text, actor) pair.

    Yields:
        rows; `group` is the text (pairs of one text depend on one another), `conflict` the country.

    Raises:
        InputError: there is no such split.
    """
    name, slash, unit = split.partition("/")
    if slash and unit != "actors":
        raise InputError(f"sample:{split}: no such rows; use sample:{name} or sample:{name}/actors")
    for record in sample_texts(name):
        row = {key: record[key] for key in ("id", "text", "title", "date", "topic", "event_type")}
        row |= {"group": record["id"], "conflict": record["country"]}
        if unit != "actors":
            yield row
            continue
        for number, actor in enumerate(record["actors"]):
            start = record["text"].find(actor["actor"])
            yield row | {
                "id": f"{record['id']}-{number}",
                "actor": "|".join([actor["actor"], *actor["aliases"]]),
                "start": start,
                "end": start + len(actor["actor"]),
                "label": actor["label"],
            }
