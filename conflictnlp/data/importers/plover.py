"""Zero-Shot-PLOVER's data sets: a sentence with source and target, its PLOVER root and quad code.

Source: `datasets/PLV_train.tsv` and `PLV_test.tsv` with the codes of `prompts/rootcode_modality.txt`, at
https://github.com/snowood1/Zero-Shot-PLOVER (Hu et al., ACL 2024). `gold_penta` numbers the quad classes from 1. The
repository's AW files bear ACE event types and no roots, so they are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conflictnlp.composition import load_task
from conflictnlp.data.importers.record import Fault, Format, Imported, Note, Options, stem
from conflictnlp.data.importers.tables import read_table
from conflictnlp.data.read import Row
from conflictnlp.text import find_mentions

_COLUMNS = ("sentence_id", "sentence", "source", "target", "gold_root", "gold_penta")
_TAG = re.compile(r"</?[st]>")


def read(path: Path, options: Options) -> Iterator[Imported]:
    """Read sentences with their roots and quad classes.

    Args:
        path: the file.
        options: none is used.

    Yields:
        rows with id, text, source, target, their offsets, label (the root), quad and group (the sentence).

    Raises:
        InputError: the file cannot be read, or lacks a column.
    """
    roots = load_task("plover").label_names
    quads = {str(number): name for number, name in enumerate(load_task("plover_quad").label_names, 1)}
    for row in read_table(path, _COLUMNS, "a PLV file of Zero-Shot-PLOVER"):
        if isinstance(row, Fault):
            yield row
            continue
        values = row.values
        root = values["gold_root"].strip().lower()
        quad = quads.get(values["gold_penta"].strip().removesuffix(".0"))
        if not values["sentence"].strip():
            yield Fault(row.where, "the sentence is empty")
        elif root not in roots:
            yield Fault(row.where, f"gold_root {values['gold_root']!r} is none of {', '.join(roots).upper()}")
        elif quad is None:
            yield Fault(row.where, f"gold_penta {values['gold_penta']!r} is none of {', '.join(quads)}")
        else:
            marks = _places(values)
            if marks.get("source") is None:
                yield Fault(row.where, f"the source {values['source']!r} does not stand in the sentence")
                continue
            if "target" not in marks:
                yield Note("targets that do not stand in their sentence (placeholders), left empty")
            line = row.where.rpartition(":")[2]
            group = f"{stem(path)}-{values['sentence_id'].strip()}"
            known = {"id": f"{stem(path)}-{line}", "text": values["sentence"], **marks}
            yield Row(row.where, {**known, "label": root, "quad": quad, "group": group})


def _places(values: dict[str, str]) -> dict[str, Any]:
    """Return the words and offsets of source and target; none of one that does not stand in the sentence."""
    text = values["sentence"]
    marked = _marked(text, values.get("marked_sentence") or "")
    places: dict[str, Any] = {}
    for role in ("source", "target"):
        words = values[role].strip()
        spans = marked.get(role, [])
        mentions = find_mentions(text, [words])
        # Marks lie around parts of words too ("<t>Serbia</t>n"), and now and then around other words than are named.
        same = [span for span in spans if text[slice(*span)] == words]
        best = [*(span for span in same if span in mentions), *same, *mentions, *spans]
        if best:
            start, end = best[0]
            places |= {role: text[start:end], f"{role}_start": start, f"{role}_end": end}
    return places


def _marked(text: str, marked: str) -> dict[str, list[tuple[int, int]]]:
    """Return the offsets of `<s>…</s>` and `<t>…</t>`, which may nest; none if the sentence differs by more."""
    if _TAG.sub("", marked) != text:
        return {}
    spans: dict[str, list[tuple[int, int]]] = {"source": [], "target": []}
    begun: dict[str, int] = {}
    removed = 0
    for tag in _TAG.finditer(marked):
        place, role = tag.start() - removed, "source" if "s" in tag.group() else "target"
        removed += len(tag.group())
        if not tag.group().startswith("</"):
            begun[role] = place
        elif role in begun:
            start, end = begun.pop(role), place
            words = text[start:end]
            if words.strip():
                spans[role].append((end - len(words.lstrip()), start + len(words.rstrip())))
    return spans


FORMAT = Format("plover", "Zero-Shot-PLOVER's TSV: sentence, source, target, root and quad code", read)
