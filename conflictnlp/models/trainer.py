"""The transformers Trainer, told about window weights, batches by length, and our validation score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from conflictnlp import processes
from conflictnlp.models.batching import EpochLoader, LengthGroupedBatches, TrainingWindow, collate
from conflictnlp.models.objectives import window_losses


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
