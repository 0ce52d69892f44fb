"""Windows into training batches of like length, in an order that seed and epoch alone decide."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

# Lengths are rounded up to this, which matrix hardware likes.
PAD_TO = 8
# Batches are cut from stretches of this many batches sorted by length: little padding, yet still shuffled.
_STRETCH = 50


@dataclass(frozen=True, slots=True)
class TrainingWindow:
    """A window with its passage's target and its share in that passage; task 0 is ours, others are learnt beside it."""

    ids: list[int]
    target: Any
    weight: float
    task: int = 0


def pad(windows: Sequence[Sequence[int]], pad_id: int, pad_to: int = PAD_TO) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad token ids to one length.

    Args:
        windows: one batch.
        pad_id: the padding token.
        pad_to: lengths are rounded up to a multiple of this.

    Returns:
        ids and attention mask, both (n, length).
    """
    length = math.ceil(max(map(len, windows)) / pad_to) * pad_to
    ids = torch.full((len(windows), length), pad_id, dtype=torch.long)
    mask = torch.zeros((len(windows), length), dtype=torch.long)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = torch.tensor(window)
        mask[row, : len(window)] = 1
    return ids, mask


def collate(windows: Sequence[TrainingWindow], pad_id: int, pad_to: int = PAD_TO) -> dict[str, torch.Tensor]:
    """Pad windows to one length.

    Args:
        windows: one batch.
        pad_id: the padding token.
        pad_to: lengths are rounded up to a multiple of this.

    Returns:
        input_ids and attention_mask (n, length), targets (n,) or (n, n_labels), weights and tasks (n,).
    """
    ids, mask = pad([window.ids for window in windows], pad_id, pad_to)
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "targets": torch.tensor(np.array([window.target for window in windows])),
        "weights": torch.tensor([window.weight for window in windows], dtype=torch.float32),
        "tasks": torch.tensor([window.task for window in windows]),
    }


class LengthGroupedBatches(Sampler[list[int]]):
    """Batches of windows of like length, in an order that seed and epoch alone decide.

    Args:
        lengths: tokens of each window.
        batch_size: windows in a batch.
        seed: the run's seed.
        process: which of several processes this is.
        processes: how many there are; each takes every so many-th batch, the last ones of an epoch perhaps twice, so
            that all have as many.
    """

    def __init__(
        self, lengths: Sequence[int], batch_size: int, seed: int, process: int = 0, processes: int = 1
    ) -> None:
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.process = process
        self.processes = processes
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next iteration takes."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(math.ceil(len(self.lengths) / self.batch_size) / self.processes)

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = generator.permutation(len(self.lengths))
        stretch = self.batch_size * _STRETCH
        batches: list[np.ndarray] = []
        for first in range(0, len(order), stretch):
            part = order[first : first + stretch]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += [part[i : i + self.batch_size] for i in range(0, len(part), self.batch_size)]
        shuffled = generator.permutation(len(batches))
        for turn in range(len(self)):
            yield batches[shuffled[(turn * self.processes + self.process) % len(batches)]].tolist()


class EpochLoader(DataLoader):
    """A loader that hands the epoch on to its batches."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next iteration takes."""
        self.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
