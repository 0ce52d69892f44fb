"""Importers: files as others have them, in the columns that this package reads. One module a format."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from conflictnlp.data.importers import acled, case, conflibert, doccano, label_studio, newsmtsc, plover
from conflictnlp.data.importers.record import Fault, Format, Note, Options
from conflictnlp.data.read import Row, find_files
from conflictnlp.data.write import check_target, row_writer
from conflictnlp.errors import InputError

__all__ = ["FORMATS", "Format", "ImportResult", "Options", "import_file"]

log = logging.getLogger(__name__)
FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT for module in (conflibert, plover, newsmtsc, acled, case, label_studio, doccano)
}
# Columns are written in this order; any other behind them.
_ORDER = (
    *("id", "title", "text", "actor", "start", "end"),
    *("source", "source_start", "source_end", "target", "target_start", "target_end"),
    *("label", "sub_label", "quad", "labels", "date", "group", "split"),
)


@dataclass
class ImportResult:
    """What was imported.

    Attributes:
        rows: how many rows were written.
        columns: their columns.
        labels: count of each label.
        left_out: faulty rows that were left out.
        notes: what else was done, with its number.
    """

    rows: int = 0
    columns: tuple[str, ...] = ()
    labels: Counter[str] = field(default_factory=Counter)
    left_out: list[Fault] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


def import_file(
    format_name: str,
    source: str | Path,
    target: str | Path,
    options: Options | None = None,
    skip_faulty: bool = False,
) -> ImportResult:
    """Convert a file (or the files of a glob) into this package's rows.

    Args:
        format_name: one of `FORMATS`.
        source: a path or a glob.
        target: the file to write; its suffix tells the format. It appears whole or not at all.
        options: what the format needs to be told.
        skip_faulty: leave rows out that cannot be used, instead of stopping at the first.

    Returns:
        what was written and left out.

    Raises:
        InputError: the format is unknown, an option is of no use to it, a file cannot be read, or a row cannot be used.
    """
    options = options or Options()
    if format_name not in FORMATS:
        raise InputError(f"unknown format {format_name!r}; use one of {', '.join(FORMATS)}")
    form = FORMATS[format_name]
    for name in options.given():
        if name not in form.options:
            users = ", ".join(other.name for other in FORMATS.values() if name in other.options)
            raise InputError(f"--{name.replace('_', '-')} is of no use to the format {format_name}; it is for {users}")
    check_target(target)
    paths = find_files(source)
    if Path(target).exists() and any(Path(target).samefile(path) for path in paths):
        raise InputError(f"{target}: is the source too; name another file")
    result = ImportResult()
    names: set[str] = set()
    # The first reading finds the faults and the columns, so that nothing need be held or written before.
    for row in _read(form, paths, options, skip_faulty, result):
        names |= row.values.keys()
        result.rows += 1
        labels = row.values.get("labels")
        result.labels.update(labels if labels is not None else [row.values["label"]])
    if not result.rows:
        first = (
            f"; the first fault is at {result.left_out[0].where}: {result.left_out[0].reason}"
            if result.left_out
            else ""
        )
        raise InputError(f"{source}: holds no row that can be used{first}")
    result.columns = (*(name for name in _ORDER if name in names), *sorted(names.difference(_ORDER)))
    with row_writer(target, result.columns) as write:
        for row in _read(form, paths, options, skip_faulty, ImportResult()):
            write(row.values)
    return result


def _read(form: Format, paths: list[Path], options: Options, skip_faulty: bool, result: ImportResult) -> Iterator[Row]:
    for path in paths:
        for item in form.read(path, options):
            if isinstance(item, Row):
                zero = next((name for name, value in item.values.items() if "\x00" in str(value)), None)
                if zero is None:
                    yield item
                    continue
                item = Fault(item.where, f"{zero} holds a zero byte")
            if isinstance(item, Note):
                result.notes[item.what] += 1
            elif skip_faulty:
                result.left_out.append(item)
            else:
                raise InputError(
                    f"{item.where}: {item.reason}. Correct the row, or leave all such rows out with --skip-faulty"
                )
