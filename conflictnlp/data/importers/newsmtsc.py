"""NewsMTSC: sentences of political news with the sentiment towards each of their targets.

Source: `NewsSentiment/controller_data/datasets/NewsMTSC-dataset/readme.md` at https://github.com/fhamborg/NewsMTSC
(Hamborg and Donnay, EACL 2021): polarity 2, 4 or 6, `to` is the character after the mention's last. The flat form of
its `converter_huggingface.py` (one line a target; `sentence`, polarity -1, 0 or 1) is read as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conflictnlp.data.importers.annotations import locate
from conflictnlp.data.importers.documents import read_objects
from conflictnlp.data.importers.record import Fault, Format, Imported, Options
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError

_NESTED = {2: "negative", 4: "neutral", 6: "positive"}
_FLAT = {-1: "negative", 0: "neutral", 1: "positive"}


def read(path: Path, options: Options) -> Iterator[Imported]:
    """Read one row a target.

    Args:
        path: the file.
        options: none is used.

    Yields:
        rows with id, text, actor, start, end, label and, in the nested form, group (the sentence).

    Raises:
        InputError: the file cannot be read, or is of another format.
    """
    for number, row in enumerate(read_objects(path)):
        values = row.values
        if "sentence_normalized" in values:
            targets = values.get("targets")
            if not isinstance(targets, list) or not targets:
                yield Fault(row.where, "no targets")
                continue
            group = values.get("primary_gid")
            for target in targets:
                if isinstance(target, dict):
                    found = _row(row.where, values["sentence_normalized"], target, target.get("Input.gid"), _NESTED)
                    if isinstance(found, Row) and group:
                        found.values["group"] = str(group)
                    yield found
                else:
                    yield Fault(row.where, f"the target {target!r} is no object")
        elif "sentence" in values and "mention" in values:
            yield _row(row.where, values["sentence"], values, values.get("id"), _FLAT)
        elif not number:
            raise InputError(
                f"{row.where}: neither 'sentence_normalized' with 'targets' nor 'sentence' with 'mention', which "
                f"NewsMTSC has; the fields are {', '.join(values)}"
            )
        else:
            yield Fault(row.where, "no sentence")


def _row(where: str, text: Any, target: dict[str, Any], row_id: Any, labels: dict[int, str]) -> Row | Fault:
    polarity, mention = target.get("polarity"), target.get("mention")
    label = next((name for number, name in labels.items() if number == polarity), None)
    if not isinstance(text, str) or not text.strip():
        return Fault(where, "the sentence is empty")
    if label is None:
        return Fault(where, f"polarity {polarity!r} is none of {', '.join(map(str, labels))}")
    place = locate(text, target.get("from"), target.get("to"), mention)
    if isinstance(place, str):
        return Fault(where, place)
    start, end = place
    known = {"id": str(row_id)} if row_id is not None else {}
    return Row(where, {**known, "text": text, "actor": text[start:end], "start": start, "end": end, "label": label})


FORMAT = Format("newsmtsc", "NewsMTSC's JSON lines: one row a target, negative, neutral or positive", read)
