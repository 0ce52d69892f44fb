"""ConfliBERT's data sets: a text and its classes as numbers, separated by tabs, without a header.

Source: `data/*/{train,dev,test}.tsv` and how `finetune_data.py` reads them, at
https://github.com/eventdata/ConfliBERT (Hu et al., ConfliBERT, NAACL 2022). The tasks "binary" and "multiclass" have
one column with the number of the class, "multilabel" has a column of 0 or 1 for each label.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from conflictnlp.data.importers.record import Fault, Format, Imported, Options, class_name, stem
from conflictnlp.data.importers.tables import read_records
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError


def read(path: Path, options: Options) -> Iterator[Imported]:
    """Read a single-label or multi-label file; the number of columns tells which.

    Args:
        path: the file.
        options: `labels` names the classes or the label columns; `c0`, `c1`, … without.

    Yields:
        rows with id, text and label or labels.

    Raises:
        InputError: the file cannot be read, or the names of its labels are too few or too many.
    """
    width = 0
    for where, (text, *numbers) in read_records(path):
        if not width:
            if not numbers:
                raise InputError(f"{where}: no tab; a file of ConfliBERT has a text and its classes, separated by tabs")
            width = len(numbers)
            if options.labels and width > 1 and len(options.labels) != width:
                raise InputError(f"{where}: {width} label columns, but --labels names {len(options.labels)}")
        if len(numbers) != width:
            yield Fault(where, f"{len(numbers)} columns behind the text where the first row has {width}")
        elif not text.strip():
            yield Fault(where, "the text is empty")
        else:
            labels = _single(numbers[0], options.labels) if width == 1 else _multi(numbers, options.labels)
            row_id = f"{stem(path)}-{where.rpartition(':')[2]}"
            yield (
                Fault(where, labels) if isinstance(labels, str) else Row(where, {"id": row_id, "text": text, **labels})
            )


def _single(cell: str, names: tuple[str, ...]) -> dict[str, str] | str:
    """Return the label, or what is wrong with its number."""
    number = cell.strip()
    if not (number.isascii() and number.isdigit()):
        return f"class {cell!r} is not a number from 0 on"
    name = class_name(int(number), names)
    return f"class {number}, but --labels names {len(names)} (counted from 0)" if name is None else {"label": name}


def _multi(cells: list[str], names: tuple[str, ...]) -> dict[str, list[str]] | str:
    """Return the labels, or what is wrong with their columns."""
    flags = [cell.strip() for cell in cells]
    wrong = next((cell for cell, flag in zip(cells, flags, strict=True) if flag not in ("0", "1")), None)
    if wrong is not None:
        return f"label column with {wrong!r}, where 0 or 1 is needed"
    return {"labels": [str(class_name(number, names)) for number, flag in enumerate(flags) if flag == "1"]}


FORMAT = Format(
    "conflibert",
    "ConfliBERT's TSV: text and class number, or text and a 0/1 column a label",
    read,
    frozenset({"labels"}),
)
