"""doccano's exports (JSONL, or JSON of a text classification): labels, and marked words.

Source: `backend/data_export/pipeline/factories.py`, `formatters.py` and `models.py` at
https://github.com/doccano/doccano: `label` is a list of names (classification) or of [start, end, name] (sequence
labelling); with relations `entities` is a list of objects with start_offset and end_offset; intent detection has
`cats` and `entities`. Earlier versions call the text `data` and the labels `labels`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conflictnlp.data.importers.annotations import Coded, Marked, carried, locate, rows_of
from conflictnlp.data.importers.documents import read_objects
from conflictnlp.data.importers.record import Fault, Format, Imported, Note, Options
from conflictnlp.errors import InputError

_CODES = ("label", "labels", "cats", "entities")


def read(path: Path, options: Options) -> Iterator[Imported]:
    """Read texts with their labels and marked words.

    Args:
        path: the export of one annotator or of a shared project.
        options: `multi`; `text_field`, text or data without; `control`, the field (cats, entities) whose codes are
            the labels.

    Yields:
        rows as `annotations.rows_of` makes them.

    Raises:
        InputError: the file cannot be read or is of another format, or an option is needed.
    """
    if options.control not in (None, *_CODES):
        raise InputError(f"{path}: --control {options.control}: doccano's fields of codes are {', '.join(_CODES)}")
    texts: list[Coded | Fault | Note] = []
    for number, row in enumerate(read_objects(path)):
        values = row.values
        name = options.text_field or ("text" if "text" in values else "data")
        if not number and not (name in values and any(code in values for code in _CODES)):
            hint = "; this is an export with the labels' numbers" if "annotations" in values and name == "text" else ""
            raise InputError(
                f"{row.where}: no {name!r} with one of {', '.join(_CODES)}, which a JSONL export of doccano has; "
                f"the fields are {', '.join(values)}{hint}"
            )
        if isinstance(values.get(name), str):
            texts.append(_coded(row.where, {**carried(values), "text": values[name]}, values, options))
        else:
            texts.append(Fault(row.where, f"the field {name!r} holds no text"))
    yield from rows_of(texts, path, options)


def _coded(where: str, known: dict[str, Any], values: dict[str, Any], options: Options) -> Coded | Fault:
    choices: list[str] = []
    spans: list[Marked] = []
    for field in _CODES:
        codes = values.get(field)
        codes = [codes] if isinstance(codes, str) else codes or []
        if not isinstance(codes, list):
            return Fault(where, f"{field} {codes!r} is no list")
        for code in codes:
            if isinstance(code, str):
                if options.control in (None, field):
                    choices.append(code)
                continue
            place, label = _span(code, known["text"])
            if isinstance(place, str):
                return Fault(where, f"{field}: {place}")
            spans.append(Marked(*place, (label,)))
    return Coded(where, known, tuple(choices), tuple(sorted(spans, key=lambda span: (span.start, span.end))))


def _span(code: Any, text: str) -> tuple[tuple[int, int] | str, str]:
    if isinstance(code, dict) and {"start_offset", "end_offset", "label"} <= code.keys():
        code = [code["start_offset"], code["end_offset"], code["label"]]
    if isinstance(code, list) and len(code) == 3 and isinstance(code[2], str):
        return locate(text, code[0], code[1], None), code[2]
    return f"{code!r} is neither a name nor [start, end, name]", ""


FORMAT = Format(
    "doccano",
    "doccano's JSONL: classes become labels, marked words actors",
    read,
    frozenset({"multi", "text_field", "control"}),
)
