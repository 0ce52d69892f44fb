"""Further training rows from other sets: labelled ones, or a teacher's predictions; never scored."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from conflictnlp.config import DataConfig
from conflictnlp.data.beside import label_column, refuse_late, without_faults, without_leaks
from conflictnlp.data.check import label_counts
from conflictnlp.data.example import Example, parse_row
from conflictnlp.data.sources import named_for, present, read_rows
from conflictnlp.data.splits import Splits
from conflictnlp.errors import InputError
from conflictnlp.task import Task

log = logging.getLogger(__name__)


def add_extra(splits: Splits, config: DataConfig, task: Task) -> None:
    """Add rows of other sets to learn from, without those whose text stands in one of the splits.

    Args:
        splits: the data's own splits, complete; `extra` and the report are changed.
        config: tells the further sets.
        task: the task.

    Raises:
        InputError: a set is missing or faulty, or breaks the rule of `extra_before`.
    """
    extra, faults = read_extra(config, task)
    if not extra and not faults:
        return
    own = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    kept, leaks, found = without_leaks("extra", extra, own, config.near_duplicate)
    report = splits.report
    report.findings.extend(found)
    if dropped := faults + leaks:
        report.dropped["extra"] = dict(dropped)
    report.rows["extra"] = len(kept)
    report.labels["extra"] = label_counts(kept, task)
    splits.extra = kept


def read_extra(config: DataConfig, task: Task) -> tuple[list[Example], Counter[str]]:
    """Read the sets of `data.extra`; a source that ends in `?` is left out where its file is not there.

    A row has a label, or the `prob_<label>` columns that `conflictnlp predict` writes; those become the
    distribution that training aims at (distillation; Hinton et al. 2015).

    Args:
        config: `extra`, `root`, `columns` and `extra_before`.
        task: the task.

    Returns:
        the examples without faulty rows, and how many were left out by kind of fault.

    Raises:
        InputError: a file is missing, a row cannot be used, or it breaks the rule of `extra_before`.
    """
    if config.extra and config.on_leak == "keep":
        raise InputError(
            "data.on_leak=keep: rows of other sets (data.extra) that stand in a scored split are always left out; "
            "drop data.on_leak=keep or set data.extra=[]"
        )
    examples: list[Example] = []
    for name in present(config.extra, config.root, "data.extra"):
        name = named_for(name, task)
        before = len(examples)
        examples.extend(_examples(name, config, task))
        log.info("data.extra: %d rows of %s", len(examples) - before, name)
    return without_faults("extra", examples, task, config.long_words)


def _examples(source: str, config: DataConfig, task: Task) -> Iterator[Example]:
    columns = [f"prob_{label}" for label in task.label_names]
    for row in read_rows(source, config.root):
        refuse_late(row, source, config)
        named = label_column(row, source, task, config.columns.label)
        label = named or ("labels" if task.is_multi else "label")
        if label in row.values or task.is_multi or not set(columns) <= set(row.values):
            yield parse_row(row, task, config.columns, named)
            continue
        chances = [row.values[column] for column in columns]
        if any(chance is None for chance in chances):
            continue  # A row that the teacher could not score.
        try:
            distribution = tuple(float(chance) for chance in chances)
        except (TypeError, ValueError) as error:
            raise InputError(f"{row.where}: {error}; prob_ columns must hold probabilities") from error
        if not 0.98 < sum(distribution) < 1.02 or min(distribution) < 0:
            raise InputError(f"{row.where}: the prob_ columns sum to {sum(distribution):.3f}, not to 1")
        best = task.label_names[max(range(len(distribution)), key=distribution.__getitem__)]
        example = parse_row(row, task, config.columns, None, labelled=False)
        yield replace(example, labels=(best,), chances=distribution)
