"""`conflictnlp data check`: what is wrong with labelled data, before anything is trained on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from conflictnlp.composition import compose, shipped
from conflictnlp.config import ColumnsConfig, Config
from conflictnlp.data.check import FAULTS, LEAKS, DataReport
from conflictnlp.data.load import load_splits
from conflictnlp.data.read import find_files
from conflictnlp.data.sources import read_rows
from conflictnlp.errors import InputError
from conflictnlp.task import Label, Task

_MOST_LABELS = 200


def check(source: str, overrides: Sequence[str] = ()) -> tuple[DataReport, list[str]]:
    """Check a named data set or a file.

    Args:
        source: a name in conf/data, or a file (or glob) that becomes `data.train`.
        overrides: Hydra's words: `task=…`, `data.test=FILE`, `data.columns.text=…`. Without a task, a named set's
            first task is taken, and a file's labels and actors are read off the file.

    Returns:
        the report, and the policies (`data.on_fault=error`, …) by which training would stop.

    Raises:
        InputError: the data cannot be read at all.
    """
    words = list(overrides)
    named = shipped("data")
    has_task = any(word.startswith("task=") for word in words)
    task: Task | None = None
    if source in named:
        words.insert(0, f"data={source}")
        tasks = named[source].get("tasks") or {}
        if not has_task and tasks:
            words.insert(0, f"task={next(iter(tasks))}")
    else:
        find_files(source)
        words[:0] = ["data=files", f"data.train={json.dumps(str(Path(source).absolute()))}"]
    config, _ = compose(words)
    if source not in named and not has_task:
        task = _read_off(source, config.data.columns)
    report = load_splits(config.data, task or config.to_task(), strict=False).report
    return report, _stopping(config, report)


def _stopping(config: Config, report: DataReport) -> list[str]:
    stops = []
    for kinds, policy, key in ((FAULTS, config.data.on_fault, "on_fault"), (LEAKS, config.data.on_leak, "on_leak")):
        if policy == "error" and report.of(kinds):
            stops.append(f"data.{key}={'drop' if key == 'on_fault' else 'drop_train'}")
    return stops


def _read_off(source: str, columns: ColumnsConfig) -> Task:
    """Make a task of the labels and actors that a file bears."""
    found: dict[str, None] = {}
    spans: set[str] = set()
    multi = False
    for row in read_rows(source):
        column = columns.label or next((name for name in ("label", "labels") if name in row.values), None)
        if column is None or column not in row.values:
            raise InputError(
                f"{row.where}: no column 'label' or 'labels'; the columns are {', '.join(row.values)}; "
                "name it with data.columns.label=..."
            )
        value = row.values[column]
        multi = multi or isinstance(value, list) or column == "labels"
        for label in value if isinstance(value, list) else [value]:
            if label is not None:
                found.setdefault(str(label))
        spans |= {role for role in ("actor", "source", "target") if row.values.get(getattr(columns, role))}
        if len(found) > _MOST_LABELS:
            raise InputError(
                f"{row.where}: over {_MOST_LABELS} different labels in {column!r}; name the task: task=..."
            )
    roles = ("actor",) if "actor" in spans else tuple(role for role in ("source", "target") if role in spans)
    if not multi and len(found) < 2:
        raise InputError(f"{source}: a single class ({', '.join(found) or 'none'}); two labels or more are needed")
    labels = tuple(Label(name, "") for name in found)
    return Task("unnamed", "multi" if multi else "single", labels, roles, optional_spans=roles)
