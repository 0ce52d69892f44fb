"""Rows that are learnt beside the data's own: not faulty, not late, and none that tells of what is scored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from conflictnlp.config import DataConfig
from conflictnlp.data.check import FAULTS, LEAKS, Finding, check_near_duplicates, check_split
from conflictnlp.data.example import Example
from conflictnlp.data.read import Row
from conflictnlp.data.sources import INVENTED
from conflictnlp.errors import InputError
from conflictnlp.task import Task

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def without_faults(
    name: str, examples: Sequence[Example], task: Task, long_words: int
) -> tuple[list[Example], Counter[str]]:
    """Leave out faulty rows.

    Args:
        name: what the rows are called in findings.
        examples: the rows.
        task: tells the spans.
        long_words: as for `check_split`.

    Returns:
        the others, and how many were left out by kind of fault.
    """
    faulty = {f.index: f.kind for f in check_split(name, examples, task, long_words) if f.kind in FAULTS}
    return [example for index, example in enumerate(examples) if index not in faulty], Counter(faulty.values())


def without_leaks(
    name: str, examples: Sequence[Example], later: Mapping[str, Sequence[Example]], threshold: float
) -> tuple[list[Example], Counter[str], list[Finding]]:
    """Leave out rows whose text, or nearly the same text, stands in one of the data's own splits.

    Args:
        name: what the rows are called in findings.
        examples: the rows.
        later: the splits.
        threshold: as for `check_near_duplicates`.

    Returns:
        the others, how many were left out by kind, and all that was found of the rows.
    """
    every = check_near_duplicates({name: examples, **later}, threshold)
    found = [finding for finding in every if finding.split == name]
    leaks = {finding.index: finding.kind for finding in found if finding.kind in LEAKS}
    return [example for index, example in enumerate(examples) if index not in leaks], Counter(leaks.values()), found


def label_column(row: Row, source: str, task: Task, otherwise: str | None) -> str | None:
    """Name the column of a row's label: what ships with the package has one for each of its tasks.

    Args:
        row: of another set than the data's own.
        source: where it was read.
        task: the task.
        otherwise: the column of other rows, whatever the data's own is called.

    Returns:
        the column; None for the first of `label` and `labels` that is there.
    """
    return task.name if source.startswith(INVENTED) and task.name in row.values else otherwise


def is_late(row: Row, source: str, config: DataConfig) -> bool:
    """Tell whether a row may report of a time that the scored splits cover; what was invented reports nothing real.

    Args:
        row: of another set than the data's own.
        source: where it was read.
        config: `extra_before`, and the column of the date.

    Returns:
        True where its date is missing, no ISO date, or not before `extra_before`.
    """
    if config.extra_before is None or source.startswith(INVENTED):
        return False
    date = row.values.get(config.columns.date)
    # Other notations, such as 31/12/2016, do not sort by time.
    return not date or not _ISO_DATE.match(str(date)) or str(date) >= config.extra_before


def refuse_late(row: Row, source: str, config: DataConfig) -> None:
    """Refuse a row that is late (`is_late`).

    Args:
        row: of another set than the data's own.
        source: where it was read.
        config: `extra_before`, and the column of the date.

    Raises:
        InputError: it is late.
    """
    if is_late(row, source, config):
        date = row.values.get(config.columns.date)
        raise InputError(
            f"{row.where}: date {date or 'missing'}: data={config.name} takes only further rows from before "
            f"{config.extra_before} (YYYY-MM-DD), because later ones tell of what its tests ask (data.extra_before)"
        )
