"""Training rows of other tasks, which an encoder learns beside its own; never scored."""

from __future__ import annotations

import logging
import random
from collections import Counter

from conflictnlp.composition import load_data, load_task
from conflictnlp.config import DataConfig
from conflictnlp.data.beside import is_late, label_column, without_faults, without_leaks
from conflictnlp.data.check import label_counts
from conflictnlp.data.example import Example, parse_row
from conflictnlp.data.sources import INVENTED, named_for, read_rows
from conflictnlp.data.splits import AuxiliarySet, Splits
from conflictnlp.errors import InputError
from conflictnlp.task import Task

log = logging.getLogger(__name__)


def add_auxiliary(splits: Splits, config: DataConfig) -> None:
    """Add the sets of `data.auxiliary`, without rows that tell of what is scored.

    Left out are faulty rows, rows whose text stands in validation or test, and under `extra_before` rows that are not
    dated before it; of the others at most `auxiliary_limit` are drawn, by `split.seed`.

    Args:
        splits: the data's own splits, complete; `auxiliary` and the report are changed.
        config: names the sets.

    Raises:
        InputError: a task or set is unknown or named twice, is not for one label a text, or no row of it can be used.
    """
    named = Counter(name if "@" in name else f"{name}@{name}" for name in config.auxiliary)
    if twice := [name for name, times in named.items() if times > 1]:
        raise InputError(f"data.auxiliary={config.auxiliary}: {twice[0]} is named twice; name each set once")
    for name in config.auxiliary:
        task, examples, dropped = _read(name, config)
        drawn = examples
        if config.auxiliary_limit is not None and len(examples) > config.auxiliary_limit:
            drawn = random.Random(config.split.seed).sample(examples, config.auxiliary_limit)
        scored = {"validation": splits.validation, "test": splits.test}
        kept, leaks, _ = without_leaks(name, drawn, scored, config.near_duplicate)
        dropped += leaks
        if len({example.label for example in kept}) < 2:
            raise InputError(f"data.auxiliary={name}: {len(kept)} rows can be used, of one class or none")
        splits.auxiliary = [*splits.auxiliary, AuxiliarySet(name, task, tuple(kept))]
        report = splits.report
        report.rows[name], report.labels[name] = len(kept), label_counts(kept, task)
        if dropped:
            report.dropped[name] = dict(dropped)
        log.info("data.auxiliary: %d rows of %s", len(kept), name)


def _read(name: str, config: DataConfig) -> tuple[Task, list[Example], Counter[str]]:
    """Read the training rows of `TASK@SET`; counts what is left out by kind of fault."""
    told, _, chosen = name.partition("@")
    try:
        task, data = load_task(told), load_data(chosen or told)
    except InputError as error:
        raise InputError(f"data.auxiliary={name}: {error}; write TASK@SET, for instance topic@topic") from error
    if task.is_multi:
        raise InputError(f"data.auxiliary={name}: its texts bear several labels or none; take a task with one label")
    if data.tasks and task.name not in data.tasks:
        raise InputError(f"data.auxiliary={name}: {chosen} has no labels for {told}, but for {', '.join(data.tasks)}")
    own = data.train if isinstance(data.train, list) else [data.train]
    if data.root == "" or None in own:
        need = "the environment variable CONFLICTNLP_DATA" if data.root == "" else "a set that ships with its files"
        raise InputError(f"data.auxiliary={name}: cannot be read without {need}")
    examples, late = [], 0
    # What was invented for a task tells of nothing real, so it may be learnt wherever the task is.
    for source in [*own, *(extra for extra in data.extra if extra.startswith(INVENTED))]:
        for row in read_rows(named_for(source, task), data.root):
            if is_late(row, source, config):
                late += 1
            else:
                named = label_column(row, source, task, data.columns.label or data.tasks.get(task.name))
                examples.append(parse_row(row, task, data.columns, named))
    kept, faults = without_faults(name, examples, task, data.long_words)
    return task, kept, Counter(late=late) + faults
