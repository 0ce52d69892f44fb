"""Tab-separated files as the public sets have them: some quote, some do not, some do both."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from conflictnlp.data.importers.record import Fault
from conflictnlp.data.read import Row, read_lines
from conflictnlp.errors import InputError


def read_records(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Read tab-separated records.

    A field counts as quoted only if it is so from end to end with its own quotes doubled; any other quote is a
    sign of the text, which a CSV reader would drop, or take for the beginning of a field of many lines.

    Args:
        path: the file.

    Yields:
        (file and line, fields); empty lines are left out.

    Raises:
        InputError: the file cannot be read.
    """
    # Articles exceed csv's default limit of 131,072 characters a field.
    csv.field_size_limit(1 << 30)
    lines = list(read_lines(path))
    widths = Counter(line.count("\t") + 1 for line in lines if "\t" in line)
    width = widths.most_common(1)[0][0] if widths else 1
    position = 0
    while position < len(lines):
        where = f"{path}:{position + 1}"
        line = lines[position].rstrip("\r\n")
        fields, used = [_unquoted(field) for field in line.split("\t")], 1
        if len(fields) != width and '"' in line:
            # A quoted field with a tab or an end of line in it.
            reader = csv.reader(itertools.islice(lines, position, None), delimiter="\t")
            record = next(reader)
            if len(record) == width:
                fields, used = record, reader.line_num
        position += used
        if line.strip():
            yield where, fields


def _unquoted(field: str) -> str:
    inner = field[1:-1]
    if len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return field


def read_table(path: Path, needed: Sequence[str], what: str) -> Iterator[Row | Fault]:
    """Read tab-separated records under a header.

    Args:
        path: the file.
        needed: columns that must be there.
        what: what to call the format in messages.

    Yields:
        the rows; a fault for one with too few or too many fields.

    Raises:
        InputError: the file cannot be read, or lacks a column.
    """
    records = read_records(path)
    _, header = next(records, ("", []))
    missing = [name for name in needed if name not in header]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(map(repr, missing))}, which {what} has; the columns are "
            f"{', '.join(header) or '(none: the file is empty)'}"
        )
    for where, fields in records:
        if len(fields) != len(header):
            yield Fault(where, f"{len(fields)} fields where the header names {len(header)}")
        else:
            yield Row(where, dict(zip(header, fields, strict=True)))
