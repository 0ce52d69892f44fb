"""The transformers Trainer, told about window weights, batches by length, and our validation score."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler
from tqdm import tqdm
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from conflictnlp import processes
from conflictnlp.models.objectives import window_losses

# Lengths are rounded up to this, which matrix hardware likes.
PAD_TO = 8
LogFunction = Callable[[dict[str, float], int], None]
# Batches are cut from stretches of this many batches sorted by length: little padding, yet still shuffled.
_STRETCH = 50


@dataclass(frozen=True, slots=True)
class TrainingWindow:
    """A window with its passage's target and its share in that passage."""

    ids: list[int]
    target: Any
    weight: float


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
        input_ids and attention_mask (n, length), targets (n,) or (n, n_labels), weights (n,).
    """
    ids, mask = pad([window.ids for window in windows], pad_id, pad_to)
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "targets": torch.tensor(np.array([window.target for window in windows])),
        "weights": torch.tensor([window.weight for window in windows], dtype=torch.float32),
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


class LengthGroupedTrainer(Trainer):
    """Trainer with batches of like length, whose loss is a plain mean and whose news go to our own callbacks alone.

    Args:
        lengths: tokens of each training window.
        **settings: the Trainer's own.
    """

    # A plain mean over the micro-batch must be divided by the accumulation steps.
    loss_is_scaled_for_ga = False

    def __init__(self, lengths: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)
        self._batches = LengthGroupedBatches(
            lengths,
            self.args.per_device_train_batch_size,
            self.args.seed,
            self.args.process_index,
            self.args.world_size,
        )

    def get_train_dataloader(self) -> DataLoader:
        """Return batches of like length, of several processes each its own."""
        return EpochLoader(self.train_dataset, batch_sampler=self._batches, collate_fn=self.data_collator)  # type: ignore[arg-type]


class ClassificationTrainer(LengthGroupedTrainer):
    """Trainer whose loss knows window weights, class weights and focal loss, and which validates whole passages.

    Args:
        model: the encoder with its head.
        args: the Trainer's arguments.
        windows: training windows.
        pad_id: the padding token.
        multi: whether targets are indicator rows.
        class_weights: weight of each class, or of each label's positive cases for `multi`.
        focal_gamma: exponent of focal loss (Lin et al. 2017); None for cross-entropy.
        label_smoothing: share of the target given to all classes.
        validate: returns the validation metrics (`macro_f1`, `loss`, …) of the model as it stands.
        callbacks: further callbacks.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        args: TrainingArguments,
        windows: Sequence[TrainingWindow],
        pad_id: int,
        multi: bool,
        class_weights: torch.Tensor | None,
        focal_gamma: float | None,
        label_smoothing: float,
        validate: Callable[[], dict[str, float]] | None,
        callbacks: list[TrainerCallback],
    ) -> None:
        super().__init__(
            [len(window.ids) for window in windows],
            model=model,
            args=args,
            train_dataset=windows,
            eval_dataset=windows[:1] if validate else None,
            data_collator=lambda batch: collate(batch, pad_id),
            callbacks=callbacks,
        )
        self._multi = multi
        self._class_weights = class_weights
        self._focal_gamma = focal_gamma
        self._label_smoothing = label_smoothing
        self._validate = validate

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Return the weighted mean loss of a batch of windows."""
        targets, weights = inputs.pop("targets"), inputs.pop("weights")
        outputs = model(**inputs)
        weight = self._class_weights.to(targets.device) if self._class_weights is not None else None
        losses = window_losses(
            outputs.logits.float(), targets, self._multi, weight, self._label_smoothing, self._focal_gamma
        )
        loss = (losses * weights).sum() / weights.sum()
        return (loss, outputs) if return_outputs else loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score whole validation passages, as inference will; the leader of several processes scores for all."""
        assert self._validate is not None
        metrics = {f"eval_{name}": value for name, value in processes.led(self._validate).items()}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class ProgressBar(TrainerCallback):
    """A bar on stderr, and every log line handed on (the stock bar writes its logs to stdout).

    Args:
        log: takes (metrics, step); None for nobody.
        before: steps of earlier stages, from which the count goes on.
    """

    def __init__(self, log: LogFunction | None, before: int = 0) -> None:
        self._log = log
        self._before = before
        self._bar: tqdm | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Open the bar where the run stands."""
        self._bar = tqdm(
            total=state.max_steps,
            initial=state.global_step,
            desc="training",
            unit="step",
            file=sys.stderr,
            disable=not (state.is_world_process_zero and sys.stderr.isatty()),
        )

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Move the bar."""
        assert self._bar is not None
        self._bar.update(state.global_step - self._bar.n)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Hand numbers on under the names that runs use: train/… and val/…"""
        if self._log is None or not logs:
            return
        kept = {name: value for name, value in logs.items() if isinstance(value, int | float) and name != "epoch"}
        named = {
            f"val/{name.removeprefix('eval_')}" if name.startswith("eval_") else f"train/{name}": float(value)
            for name, value in kept.items()
            if not name.startswith(("train_", "total_flos"))
        }
        if named:
            self._log(named, self._before + state.global_step)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint, or None.

    The trainer's state is written last, so a checkpoint without a readable one was cut off by a kill.

    Args:
        folder: where checkpoints lie.

    Returns:
        the checkpoint's folder.
    """
    steps = {path: path.name.removeprefix("checkpoint-") for path in folder.glob("checkpoint-*")}
    found = [path for path, step in steps.items() if step.isdecimal()]
    for path in sorted(found, key=lambda path: int(steps[path]), reverse=True):
        try:
            json.loads((path / "trainer_state.json").read_text())
        except (OSError, ValueError):
            continue
        return path
    return None
