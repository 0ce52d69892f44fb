"""The CASE 2021 shared task: fine-grained event types (task 2), and whether a text reports a protest (task 1).

Source: https://github.com/emerging-welfare/case-2021-shared-task (Hürriyetoğlu et al., CASE at ACL-IJCNLP 2021):
`task2/test_dataset/test_set_final_release_with_labels.tsv` (columns id, EventSnippet, SubType) and
`task1/subtask*/train_sample.json` (JSON lines with id or url, text or sentence, and label 0 or 1). Subtasks 3 and 4
(coreference, extraction) are no classification and are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from conflictnlp.data.importers.documents import read_objects
from conflictnlp.data.importers.event_types import EVENT_TYPE_OF_CODE
from conflictnlp.data.importers.record import Fault, Format, Imported, Options, class_name
from conflictnlp.data.importers.tables import read_table
from conflictnlp.data.read import Row, suffix_of
from conflictnlp.errors import InputError

# Our task `relevance`: other, relevant.
_PROTEST_NEWS = ("other", "relevant")


def read(path: Path, options: Options) -> Iterator[Imported]:
    """Read task 2 (`.tsv`, `.txt`) or subtasks 1 and 2 of task 1 (`.json`, `.jsonl`).

    Args:
        path: the file; its suffix tells the task.
        options: `labels` names task 1's classes 0 and 1; other and relevant without.

    Yields:
        rows with id, text, label and, for task 2, sub_label.

    Raises:
        InputError: the file cannot be read, or is of another format.
    """
    suffix = suffix_of(path)
    if suffix in (".tsv", ".txt"):
        if options.labels:
            raise InputError(f"{path}: --labels names the classes of task 1's JSON files; task 2 has its own names")
        yield from _event_types(path)
    elif suffix in (".json", ".jsonl"):
        yield from _protest_news(path, options.labels or _PROTEST_NEWS)
    else:
        raise InputError(f"{path}: CASE 2021 has .tsv files (task 2) and .json files (task 1)")


def _event_types(path: Path) -> Iterator[Imported]:
    for row in read_table(path, ("id", "EventSnippet", "SubType"), "task 2 of CASE 2021 with its labels"):
        if isinstance(row, Fault):
            yield row
            continue
        code = row.values["SubType"].strip().lower()
        text = row.values["EventSnippet"]
        if not text.strip():
            yield Fault(row.where, "the EventSnippet is empty")
        elif code not in EVENT_TYPE_OF_CODE:
            known = ", ".join(EVENT_TYPE_OF_CODE).upper()
            yield Fault(row.where, f"SubType {row.values['SubType']!r} is none of {known}")
        else:
            row_id = row.values["id"].strip()
            found = {"id": row_id, "text": text, "label": EVENT_TYPE_OF_CODE[code], "sub_label": code}
            yield Row(row.where, found)


def _protest_news(path: Path, names: tuple[str, ...]) -> Iterator[Imported]:
    for row in read_objects(path):
        values = row.values
        if "event_clusters" in values or "sentences" in values:
            raise InputError(f"{row.where}: subtask 3 (coreference) is no classification; import subtask 1 or 2")
        text = values.get("text", values.get("sentence"))
        label = values.get("label")
        if not isinstance(text, str) or not text.strip():
            yield Fault(row.where, "no text (the samples of subtask 1 have addresses alone)")
        elif not isinstance(label, int) or isinstance(label, bool) or label < 0:
            yield Fault(row.where, f"label {label!r} is not 0 or 1")
        elif (name := class_name(label, names)) is None:
            yield Fault(row.where, f"label {label}, but there are names for {len(names)} (counted from 0)")
        else:
            row_id = values.get("id", values.get("url"))
            known = {"id": str(row_id)} if row_id is not None else {}
            yield Row(row.where, {**known, "text": text, "label": name})


FORMAT = Format("case", "CASE 2021: task 2's TSV (event types), task 1's JSON (0 or 1)", read, frozenset({"labels"}))
