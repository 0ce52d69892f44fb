"""Further tasks that an encoder learns beside its own; their part of the head is gone in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conflictnlp.errors import InputError
from conflictnlp.text import Passage


@dataclass(frozen=True)
class AuxiliaryTask:
    """Labelled texts of another task, one label a text.

    Attributes:
        name: the task's, for messages.
        labels: its classes.
        passages: its texts.
        y: the label of each.
        spans: roles that its passages mark.
    """

    name: str
    labels: tuple[str, ...]
    passages: Sequence[Passage]
    y: Sequence[str]
    spans: tuple[str, ...] = ()

    def targets(self) -> NDArray[np.float32]:
        """Return what training aims at.

        Returns:
            a row for each text with a one at its label, (n, n_labels).

        Raises:
            InputError: a text has a label that is not among the classes.
        """
        column = {label: number for number, label in enumerate(self.labels)}
        if unknown := set(self.y) - set(column):
            raise InputError(f"fit: unknown label {min(unknown)!r} of {self.name}; declared are {', '.join(column)}")
        return np.eye(len(column), dtype=np.float32)[[column[label] for label in self.y]]


def side_by_side(parts: Sequence[NDArray]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Give the targets of each task columns of their own.

    Args:
        parts: targets of each task, (n, n_labels).

    Returns:
        all targets, (rows of all, labels of all), zero outside a row's own task; and the number of each row's task.
    """
    tasks = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    joined = np.zeros((len(tasks), sum(part.shape[1] for part in parts)), dtype=np.float32)
    row = column = 0
    for part in parts:
        joined[row : row + len(part), column : column + part.shape[1]] = part
        row, column = row + len(part), column + part.shape[1]
    return joined, tasks
