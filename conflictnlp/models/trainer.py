"""The transformers Trainer, told about window weights, batches by length, and our validation score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import dropout
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from conflictnlp import processes
from conflictnlp.models.batching import EpochLoader, LengthGroupedBatches, TrainingWindow, collate
from conflictnlp.models.head import inputs_kept, last_layer
from conflictnlp.models.layer_decay import layer_groups
from conflictnlp.models.objectives import Objective, contrastive_losses

# Share of the last layer's inputs that each sample of its dropout leaves out (Inoue 2019).
_SAMPLED = 0.5


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
    """Trainer whose loss knows window weights and an objective, and which validates whole passages.

    Args:
        model: the encoder with its head.
        args: the Trainer's arguments.
        windows: training windows.
        pad_id: the padding token.
        objective: what is minimised.
        layer_decay: of the learning rate from each layer to the one below; 1 for the same everywhere.
        adversarial: length of a disturbance of the word embeddings along their gradient, which each batch is learnt
            under once more (Miyato et al. 2017); 0 for none.
        validate: returns the validation metrics (`macro_f1`, `loss`, …) of the model as it stands.
        callbacks: further callbacks.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        args: TrainingArguments,
        windows: Sequence[TrainingWindow],
        pad_id: int,
        objective: Objective,
        layer_decay: float = 1.0,
        adversarial: float = 0.0,
        validate: Callable[[], dict[str, float]] | None = None,
        callbacks: Sequence[TrainerCallback] = (),
    ) -> None:
        super().__init__(
            [len(window.ids) for window in windows],
            model=model,
            args=args,
            train_dataset=windows,
            eval_dataset=windows[:1] if validate else None,
            data_collator=lambda batch: collate(batch, pad_id),
            callbacks=list(callbacks),
        )
        self._bare = model
        self._objective = objective
        self._last = last_layer(model) if objective.contrastive or objective.dropout_samples > 1 else None
        self._layer_decay = layer_decay
        self._adversarial = adversarial
        self._validate = validate

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Return the optimiser, whose learning rates fall from layer to layer where that is wanted."""
        if self.optimizer is None and self._layer_decay != 1:
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args, self._bare)
            decayed = self.get_decay_parameter_names(self._bare)
            rate, weight_decay = self.args.learning_rate, self.args.weight_decay
            self.optimizer = kind(layer_groups(self._bare, rate, self._layer_decay, weight_decay, decayed), **settings)
        return super().create_optimizer(model)

    def training_step(self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Add a batch's gradients: of its texts, and of the same under a disturbance if one is wanted."""
        # `compute_loss` takes entries out of what it is given.
        loss = super().training_step(model, dict(inputs), num_items_in_batch)
        if self._adversarial:
            embeddings: Any = self._bare.get_input_embeddings()
            with disturbed(embeddings.weight, self._adversarial):
                super().training_step(model, dict(inputs), num_items_in_batch)
        return loss

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Return the weighted mean loss of a batch of windows."""
        targets, weights, tasks = inputs.pop("targets"), inputs.pop("weights"), inputs.pop("tasks")
        outputs, losses = self._losses(model, inputs, targets, tasks)
        if self._objective.r_drop and not self._objective.contrastive:
            again, others = self._losses(model, inputs, targets, tasks)
            apart = self._objective.disagreement(outputs.logits.float(), again.logits.float(), tasks)
            losses = (losses + others) / 2 + self._objective.r_drop * apart
        loss = (losses * weights).sum() / weights.sum()
        return (loss, outputs) if return_outputs else loss

    def _losses(
        self, model: torch.nn.Module, inputs: dict[str, Any], targets: torch.Tensor, tasks: torch.Tensor
    ) -> tuple[Any, torch.Tensor]:
        """Return one pass's outputs and the loss of each window, (n,)."""
        objective = self._objective
        if self._last is None:
            outputs = model(**inputs)
            return outputs, objective.losses(outputs.logits.float(), targets, tasks)
        with inputs_kept(self._last) as kept:
            outputs = model(**inputs)
        features = kept[0]
        if objective.contrastive:
            classes = targets.argmax(dim=1) if targets.is_floating_point() else targets
            return outputs, contrastive_losses(features.float(), classes)
        answers = [self._last(dropout(features, _SAMPLED)).float() for _ in range(objective.dropout_samples)]
        return outputs, torch.stack([objective.losses(logits, targets, tasks) for logits in answers]).mean(dim=0)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score whole validation passages, as inference will; the leader of several processes scores for all."""
        assert self._validate is not None
        metrics = {f"eval_{name}": value for name, value in processes.led(self._validate).items()}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


@contextmanager
def disturbed(weights: torch.nn.Parameter, length: float) -> Iterator[None]:
    """Move weights along their gradient, and back at the end.

    Args:
        weights: with the gradient of a batch; without one they stay.
        length: Euclidean length of the way.

    Yields:
        nothing.
    """
    gradient = weights.grad
    size = 0.0 if gradient is None else float(gradient.norm())
    # A gradient that is no finite number, or none at all, points nowhere.
    way = None if gradient is None or not 0 < size < float("inf") else gradient * (length / size)
    before = weights.detach().clone() if way is not None else None
    if way is not None:
        weights.data.add_(way)
    try:
        yield
    finally:
        if before is not None:
            weights.data.copy_(before)
