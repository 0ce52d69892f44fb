"""How an encoder with a classification head is fine-tuned: stages, checkpoints, validation."""

from __future__ import annotations

import logging
import random
import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from transformers import EarlyStoppingCallback

from conflictnlp import processes
from conflictnlp.models.amounts import batch_for, examples_for, passes
from conflictnlp.models.auxiliary import AuxiliaryTask, side_by_side
from conflictnlp.models.averaging import average_last
from conflictnlp.models.base import TextClassifier
from conflictnlp.models.batching import TrainingWindow
from conflictnlp.models.checkpoints import last_checkpoint
from conflictnlp.models.cpu_layers import fast_on_cpu
from conflictnlp.models.device import resolve_device
from conflictnlp.models.encoders import quiet, training_arguments
from conflictnlp.models.encoding import EncodedWindow
from conflictnlp.models.head import widened
from conflictnlp.models.lora import LowRankUpdates, require_peft
from conflictnlp.models.objectives import Objective, balanced_weights, validation_metrics
from conflictnlp.models.progress import LogFunction, ProgressBar
from conflictnlp.models.trainer import ClassificationTrainer
from conflictnlp.models.weights import find_encoder
from conflictnlp.text import Passage, invent_name, rename

log = logging.getLogger(__name__)


class FineTuning(TextClassifier):
    """The part of an estimator that learns; its parameters are those of `TransformerClassifier`."""

    encoder: str
    revision: str | None
    renamed_copies: int
    learning_rate: float
    lora_rank: int | None
    epochs: float | None
    examples_seen: int | None
    min_epochs: int
    max_epochs: int
    finish_epochs: float
    finish_rate: float
    max_steps: int
    batch_size: int | None
    gradient_accumulation: int
    weight_decay: float
    warmup: float
    schedule: str
    max_grad_norm: float
    loss: str
    focal_gamma: float
    class_weights: str | None
    label_smoothing: float
    layer_decay: float
    r_drop: float
    adversarial: float
    dropout_samples: int
    auxiliary_epochs: float
    contrastive_epochs: float
    average_last: int
    metric: str
    patience: int | None
    precision: str
    seed: int
    device: str
    checkpoints: str | Path | None
    resume: bool
    log: LogFunction | None
    # transformers' own types refuse `model.to(device)`.
    model_: Any
    pad_id_: int

    @abstractmethod
    def _start(self, folder: Path, beside: Sequence[str]) -> LowRankUpdates | None:
        """Read an encoder, give it a head, and fix what is not to be trained; roles that are marked beside ours."""

    @abstractmethod
    def _windows_of(self, passages: Sequence[Passage], spans: Sequence[str] | None = None) -> list[list[EncodedWindow]]:
        """Tokenise passages, each into its windows; they mark these roles, None for ours."""

    def _fit(
        self,
        passages: list[Passage],
        targets: NDArray[Any],
        validation: tuple[list[Passage], NDArray[np.int64]] | None,
        extra: tuple[list[Passage], NDArray[Any]] | None,
        auxiliary: Sequence[AuxiliaryTask] = (),
    ) -> None:
        with processes.agreed():
            require_peft(self.lora_rank)
            device = resolve_device(self.device)
            transformers.set_seed(self.seed)
            beside = [role for task in auxiliary for role in task.spans]
            updates = self._start(find_encoder(self.encoder, self.revision), beside)
        encoded = self._windows_of(passages)
        split = [(own[0].start, own[0].end) != (0, len(p.text)) for own, p in zip(encoded, passages, strict=True)]
        self.windowed_share_ = sum(split) / len(split)
        self.steps_ = 0
        encoded += self._windows_of(self._renamed(passages))
        targets = np.tile(targets, (1 + self.renamed_copies, *[1] * (targets.ndim - 1)))
        size = len(passages) + (0 if extra is None else len(extra[0]))
        self.batch_size_ = each = self.batch_size or batch_for(size)
        if (count := processes.count()) > 1 and processes.rank() == 0:
            log.info("%d processes: a batch is %d windows (%d each)", count, count * each, each)
        folder = Path(self.checkpoints) if self.checkpoints else Path(tempfile.mkdtemp(prefix="conflictnlp-"))
        last = folder / "finish"
        try:
            finishes = extra is not None and self.finish_epochs > 0
            # With checkpoints of a later stage, the earlier ones are done.
            if not (finishes and self._resume_from(last)):
                rows, wanted = encoded, targets
                if extra is not None:
                    rows, wanted = rows + self._windows_of(extra[0]), self._joined(wanted, extra[1])
                begins = not self._resume_from(folder)
                if auxiliary and self.auxiliary_epochs and begins:
                    self._learn_beside(rows, wanted, auxiliary, folder / "auxiliary", device)
                if self.contrastive_epochs and begins:
                    contrast, objective = folder / "contrast", Objective(contrastive=True)
                    self._train(rows, wanted, None, contrast, device, self.contrastive_epochs, 1.0, objective)
                self._train(rows, wanted, validation, folder, device, self._epochs(size), 1.0)
            if finishes:
                self._train(encoded, targets, validation, last, device, self.finish_epochs, self.finish_rate)
        finally:
            if self.checkpoints is None:
                shutil.rmtree(folder, ignore_errors=True)
        if updates is not None:
            updates.merge()
        self.model_.eval()

    def _learn_beside(
        self,
        encoded: Sequence[Sequence[EncodedWindow]],
        targets: NDArray[Any],
        auxiliary: Sequence[AuxiliaryTask],
        folder: Path,
        device: torch.device,
    ) -> None:
        """Learn further tasks beside ours, from all their texts together, each with a part of the head for itself."""
        own = targets if targets.ndim == 2 else np.eye(len(self.classes_), dtype=np.float32)[targets]
        parts = [own, *(task.targets() for task in auxiliary)]
        every, tasks = side_by_side(parts)
        rows = [*encoded]
        for task in auxiliary:
            rows += self._windows_of(task.passages, task.spans)
        objective = replace(self._objective(targets), widths=tuple(part.shape[1] for part in parts))
        with widened(self.model_, every.shape[1]):
            self._train(rows, every, None, folder, device, self.auxiliary_epochs, 1.0, objective, tasks)

    def _train(
        self,
        encoded: Sequence[Sequence[EncodedWindow]],
        targets: NDArray[Any],
        validation: tuple[list[Passage], NDArray[np.int64]] | None,
        folder: Path,
        device: torch.device,
        epochs: float,
        rate: float,
        objective: Objective | None = None,
        tasks: NDArray[np.int64] | None = None,
    ) -> None:
        """Train one stage, from the weights as they are, at a share of the learning rate; None takes our objective."""
        tasks = np.zeros(len(encoded), dtype=np.int64) if tasks is None else tasks
        windows = [
            TrainingWindow(window.ids, target, 1.0 / len(own), int(task))
            for own, target, task in zip(encoded, targets, tasks, strict=True)
            for window in own
        ]
        resume_from = self._resume_from(folder)
        if resume_from is not None:
            log.info("resuming from %s", resume_from.name)
        trainer = ClassificationTrainer(
            model=self.model_,
            args=self._arguments(folder, device, epochs, rate, validation is not None),
            windows=windows,
            pad_id=self.pad_id_,
            objective=objective or self._objective(targets),
            layer_decay=self.layer_decay,
            adversarial=self.adversarial,
            validate=self._validator(validation),
            callbacks=[ProgressBar(self.log, self.steps_), *self._early_stopping(validation is not None)],
        )
        with quiet(), fast_on_cpu(self.model_, device):
            trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
        if self.average_last > 1 and objective is None:
            log.info("mean weights of the last %d epochs", average_last(self.model_, folder, self.average_last))
        self.steps_ += trainer.state.global_step

    def _objective(self, targets: NDArray[Any]) -> Objective:
        return Objective(
            multi=self.multi,
            class_weights=balanced_weights(targets, len(self.classes_), self.multi) if self.class_weights else None,
            focal_gamma=self.focal_gamma if self.loss == "focal" else None,
            label_smoothing=self.label_smoothing,
            r_drop=self.r_drop,
            dropout_samples=self.dropout_samples,
        )

    def _resume_from(self, folder: Path) -> Path | None:
        return processes.led(lambda: last_checkpoint(folder) if self.resume else None)

    def _renamed(self, passages: list[Passage]) -> list[Passage]:
        generator = random.Random(self.seed)
        return [rename(passage, 0, invent_name(generator)) for _ in range(self.renamed_copies) for passage in passages]

    def _epochs(self, examples: int) -> float:
        if self.epochs is not None:
            return self.epochs
        seen = self.examples_seen or examples_for(self.batch_size_ * self.gradient_accumulation)
        return passes(examples, seen, self.min_epochs, self.max_epochs)

    def _arguments(
        self, folder: Path, device: torch.device, epochs: float, rate: float, validated: bool
    ) -> transformers.TrainingArguments:
        return training_arguments(
            folder,
            device,
            self.precision,
            self.seed,
            num_train_epochs=epochs,
            max_steps=self.max_steps,
            per_device_train_batch_size=self.batch_size_,
            gradient_accumulation_steps=self.gradient_accumulation,
            learning_rate=self.learning_rate * rate,
            weight_decay=self.weight_decay,
            warmup_steps=self.warmup,
            lr_scheduler_type=self.schedule,
            max_grad_norm=self.max_grad_norm,
            eval_strategy="epoch" if validated else "no",
            save_strategy="epoch",
            # The best epoch's is kept beside those that are averaged.
            save_total_limit=1 if self.average_last == 1 else self.average_last + 1,
            load_best_model_at_end=validated and self.average_last == 1,
            metric_for_best_model=f"eval_{self.metric}",
            greater_is_better=self.metric != "loss",
            restore_callback_states_from_checkpoint=True,
            logging_steps=20,
            logging_nan_inf_filter=False,
        )

    def _early_stopping(self, validated: bool) -> list[transformers.TrainerCallback]:
        if not validated or self.patience is None:
            return []
        return [EarlyStoppingCallback(early_stopping_patience=self.patience)]

    def _validator(self, validation: tuple[list[Passage], NDArray[np.int64]] | None) -> Any:
        if validation is None:
            return None
        passages, targets = validation

        def validate() -> dict[str, float]:
            training = self.model_.training
            self.model_.eval()
            logits = self.decision_function(passages)
            self.model_.train(training)
            return validation_metrics(logits, targets, self.multi)

        return validate
