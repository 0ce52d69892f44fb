"""An export of ACLED: the notes on each event with its type.

Source: the columns and the six event and 25 sub-event types of ACLED's codebook (https://acleddata.com), as also
listed by its R package (`R/data.R`, `acled_codebook`, at https://github.com/dtacled/acledR). Dates are written
2023-01-31 by the interface, 31 January 2023 by the export tool, and day first with figures in older files.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from conflictnlp.data.importers.event_types import CODE_OF_ACLED, EVENT_TYPE_OF_CODE, EVENT_TYPES
from conflictnlp.data.importers.record import Fault, Format, Imported, Options
from conflictnlp.data.read import Row, read_file
from conflictnlp.errors import InputError

_DATES = ("%Y-%m-%d", "%d %B %Y", "%d-%B-%Y", "%d/%m/%Y", "%d-%m-%Y")
# `source` is left out: to this package it is an event's actor, to ACLED a newspaper.
_KEPT = ("actor1", "actor2", "country")


def read(path: Path, options: Options) -> Iterator[Imported]:
    """Read the notes with their event types.

    Args:
        path: a `.csv` (`.tsv`, `.jsonl`, `.parquet`) file.
        options: none is used.

    Yields:
        rows with id, text, label (the event type), sub_label, date, actor1, actor2 and country.

    Raises:
        InputError: the file cannot be read, or lacks the columns `notes` and `event_type`.
    """
    for number, row in enumerate(read_file(path)):
        # Older exports write the columns' names in capitals.
        values = {str(name).strip().lower(): value for name, value in row.values.items()}
        if not number and (missing := [name for name in ("notes", "event_type") if name not in values]):
            hint = "; its columns are separated by semicolons: save it with commas" if ";" in "".join(values) else ""
            raise InputError(
                f"{path}: no column {', '.join(map(repr, missing))}, which an export of ACLED has; "
                f"the columns are {', '.join(values)}{hint}"
            )
        found = _values(values)
        yield Fault(row.where, found) if isinstance(found, str) else Row(row.where, found)


def _values(values: dict[str, Any]) -> dict[str, Any] | str:
    """Return a row of ours, or what is wrong with ACLED's."""
    text = str(values["notes"] or "")
    if not text.strip():
        return "the notes are empty"
    label = EVENT_TYPES.get(_name(values["event_type"]))
    if label is None:
        return f"event_type {values['event_type']!r} is none of {', '.join(EVENT_TYPES)}"
    found = {"text": text, "label": label}
    if values.get("event_id_cnty"):
        found["id"] = str(values["event_id_cnty"])
    if values.get("sub_event_type"):
        code = CODE_OF_ACLED.get(_name(values["sub_event_type"]))
        if code is None:
            return f"sub_event_type {values['sub_event_type']!r} is none of {', '.join(CODE_OF_ACLED)}"
        if EVENT_TYPE_OF_CODE[code] != label:
            return f"sub_event_type {values['sub_event_type']!r} does not belong to {values['event_type']!r}"
        found["sub_label"] = code
    if values.get("event_date"):
        date = _iso(str(values["event_date"]))
        if date is None:
            return f"event_date {values['event_date']!r} is not a date (2023-01-31, 31 January 2023, 31/01/2023)"
        found["date"] = date
    return found | {name: str(values[name]) for name in _KEPT if values.get(name)}


def _name(value: Any) -> str:
    return " ".join(str(value or "").lower().split())


def _iso(written: str) -> str | None:
    for form in _DATES:
        try:
            return datetime.strptime(written.strip()[:40], form).date().isoformat()
        except ValueError:
            continue
    return None


FORMAT = Format("acled", "an ACLED export (CSV): notes, event and sub-event types, dates", read)
