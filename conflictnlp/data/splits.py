"""Checked examples by split, and whether they can be learnt from."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from conflictnlp.data.check import DataReport
from conflictnlp.data.example import Example
from conflictnlp.errors import InputError
from conflictnlp.files import sha256_json
from conflictnlp.task import Task

log = logging.getLogger(__name__)
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class AuxiliarySet:
    """Rows of another task.

    Attributes:
        name: `TASK@SET`, as the config names it.
        task: the task.
        examples: its rows, each with one label.
    """

    name: str
    task: Task
    examples: tuple[Example, ...]


@dataclass
class Splits:
    """Checked examples by split.

    Attributes:
        train: examples to learn from.
        validation: examples for early stopping, temperature and thresholds.
        test: examples scored once, at the end.
        report: what the checks found and what was dropped.
        extra: further examples to learn from, of other sets.
        auxiliary: rows of other tasks, which an encoder learns beside its own.
    """

    train: list[Example] = field(default_factory=list)
    validation: list[Example] = field(default_factory=list)
    test: list[Example] = field(default_factory=list)
    report: DataReport = field(default_factory=DataReport)
    extra: list[Example] = field(default_factory=list)
    auxiliary: list[AuxiliarySet] = field(default_factory=list)

    def items(self) -> Iterable[tuple[str, list[Example]]]:
        """Return (name, examples) in the order train, validation, test, then extra if there are any."""
        return [(name, getattr(self, name)) for name in (*SPLITS, *(["extra"] if self.extra else []))]

    @property
    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of each split's texts, spans and labels."""
        prints = {name: sha256_json([example.key() for example in examples]) for name, examples in self.items()}
        return prints | {s.name: sha256_json([example.key() for example in s.examples]) for s in self.auxiliary}


def check_usable(splits: Splits, task: Task) -> None:
    """Refuse splits that nothing can be learnt from, and warn of labels that cannot be learnt.

    Args:
        splits: complete.
        task: tells the labels.

    Raises:
        InputError: a split is empty, or the training rows bear a single class.
    """
    for name, examples in splits.items():
        if not examples:
            raise InputError(f"data: no row is left in {name}; see `conflictnlp data check` for what was dropped")
    present = {label for example in splits.train for label in example.labels or ()}
    if len(present) < (1 if task.is_multi else 2):
        raise InputError(
            f"data: the training rows bear a single class ({', '.join(present) or 'none'}); "
            f"a classifier of {', '.join(task.label_names)} needs two or more"
        )
    if task.is_multi:
        return
    missing = [label for label in task.label_names if label not in present]
    if missing:
        log.warning("data: no training row bears %s; the model cannot learn it", ", ".join(missing))
