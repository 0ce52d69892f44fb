"""An encoder with a classification head, fine-tuned by the transformers Trainer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from conflictnlp.errors import BundleError, InputError
from conflictnlp.models.base import WindowScores
from conflictnlp.models.classifier import new_classifier, read_classifier, read_tokenizer
from conflictnlp.models.device import resolve_device
from conflictnlp.models.encoders import quiet, reach_of, window_logits
from conflictnlp.models.encoding import EncodedWindow, WindowEncoder, weigh_windows
from conflictnlp.models.fine_tuning import FineTuning
from conflictnlp.models.lora import ALL_LINEAR, LowRankUpdates
from conflictnlp.models.pooling import read_marks, reads_mean
from conflictnlp.models.progress import LogFunction
from conflictnlp.text import Passage

_MINILM = "sentence-transformers/all-MiniLM-L6-v2"


class TransformerClassifier(FineTuning):
    """Fine-tune an encoder; texts longer than its window are read in overlapping windows and pooled.

    Args:
        encoder: hub name or folder.
        revision: of the hub repository.
        labels: the classes in order; None learns them, sorted, from y.
        multi: whether a text may bear several labels or none.
        spans: roles that the passages mark, each mention between markers.
        max_length: tokens of a window, at most what the encoder reads.
        overlap: tokens that a window may repeat of its predecessor.
        split_length: tokens of the windows of a text that does not fit one; None for `max_length`.
        mask: what the encoder reads in place of the marked names, for labels that must not depend on them; None for the
            names themselves.
        background: the label of a window that says nothing of the question; it holds for a text if all windows say so,
            and the others share the rest (`WindowScores.pooled`). None weighs windows by their length.
        pooling: what the head reads: `first` token; the mean of the `marks` where the task marks spans, else the first;
            or that `mean`, of all tokens where nothing is marked.
        renamed_copies: copies of each training passage in which its first role bears an invented name, for labels
            that must not depend on names.
        learning_rate: peak learning rate.
        freeze_embeddings: leave the word embeddings as they are.
        lora_rank: fix the encoder and train low-rank updates of this rank beside its weights, merged into them in the
            end (see `models.lora`; needs the extra `lora`); None trains the weights themselves.
        lora_alpha: an update counts lora_alpha / lora_rank.
        lora_dropout: share of an update's inputs that are dropped while training.
        lora_targets: `all-linear`, or names of linear layers that get an update, separated by commas.
        epochs: passes over the data, its renamed copies and the rows of other sets; None takes `examples_seen` / size
            (without copies), within min_epochs and max_epochs.
        examples_seen: see epochs; None takes 20,000, or 8,000 where a step is of 8 windows or fewer.
        min_epochs: see epochs.
        max_epochs: see epochs.
        finish_epochs: further passes over the data and its renamed copies alone, after rows of other sets; 0 for none.
        finish_rate: learning rate of those, as a share of `learning_rate`.
        max_steps: stop after this many optimiser steps; -1 for no limit.
        batch_size: windows of a training batch; None takes 8 for up to 4,000 rows (those of other sets too), 16 for up
            to 10,000, else 32.
        eval_batch_size: windows of a scoring batch.
        gradient_accumulation: batches to one optimiser step.
        weight_decay: of AdamW.
        warmup: share of the steps in which the learning rate rises.
        schedule: of the learning rate after that.
        max_grad_norm: gradients are clipped to this norm.
        loss: cross_entropy or focal.
        focal_gamma: exponent of the focal loss.
        class_weights: "balanced" or None.
        label_smoothing: share of the target given to all classes.
        layer_decay: of the learning rate from each layer of the encoder to the one below; 1 for the same everywhere.
        r_drop: weight of the disagreement between two passes of each batch under different dropout; 0 makes one pass.
        adversarial: length of a disturbance of the word embeddings, under which each batch is learnt once more; 0 for
            none.
        dropout_samples: times that the last layer answers each window of a batch, each under a dropout of its own.
        auxiliary_epochs: passes before all others over our texts and those of auxiliary tasks together, where `fit` is
            given such.
        contrastive_epochs: passes before the training proper in which the encoder learns to put texts of a class side
            by side.
        average_last: end with the mean weights of so many last epochs instead of the best epoch's; 1 takes the best.
        metric: validation metric that chooses the epoch: macro_f1, accuracy or loss.
        patience: epochs without improvement before stopping; None never stops early.
        precision: auto, float32 or bfloat16.
        gradient_checkpointing: trade time for memory.
        seed: seeds weights, dropout and order.
        device: auto, cpu, cuda, cuda:N or mps.
        checkpoints: folder for checkpoints; None for a temporary one.
        resume: go on from the last complete checkpoint in `checkpoints`.
        log: takes (metrics, step) while training.
    """

    def __init__(
        self,
        encoder: str = _MINILM,
        revision: str | None = None,
        labels: Sequence[str] | None = None,
        multi: bool = False,
        spans: Sequence[str] = (),
        max_length: int = 256,
        overlap: int = 32,
        split_length: int | None = None,
        mask: str | None = None,
        background: str | None = None,
        pooling: str = "first",
        renamed_copies: int = 0,
        learning_rate: float = 2e-4,
        freeze_embeddings: bool = False,
        lora_rank: int | None = None,
        lora_alpha: float = 32,
        lora_dropout: float = 0.05,
        lora_targets: str = ALL_LINEAR,
        epochs: float | None = None,
        examples_seen: int | None = None,
        min_epochs: int = 2,
        max_epochs: int = 20,
        finish_epochs: float = 0,
        finish_rate: float = 0.25,
        max_steps: int = -1,
        batch_size: int | None = None,
        eval_batch_size: int = 64,
        gradient_accumulation: int = 1,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        schedule: str = "linear",
        max_grad_norm: float = 1.0,
        loss: str = "cross_entropy",
        focal_gamma: float = 2.0,
        class_weights: str | None = None,
        label_smoothing: float = 0.0,
        layer_decay: float = 1.0,
        r_drop: float = 0.0,
        adversarial: float = 0.0,
        dropout_samples: int = 1,
        auxiliary_epochs: float = 2.0,
        contrastive_epochs: float = 0.0,
        average_last: int = 1,
        metric: str = "macro_f1",
        patience: int | None = 4,
        precision: str = "auto",
        gradient_checkpointing: bool = False,
        seed: int = 1,
        device: str = "auto",
        checkpoints: str | Path | None = None,
        resume: bool = False,
        log: LogFunction | None = None,
    ) -> None:
        self.encoder = encoder
        self.revision = revision
        self.labels = labels
        self.multi = multi
        self.spans = spans
        self.max_length = max_length
        self.overlap = overlap
        self.split_length = split_length
        self.mask = mask
        self.background = background
        self.pooling = pooling
        self.renamed_copies = renamed_copies
        self.learning_rate = learning_rate
        self.freeze_embeddings = freeze_embeddings
        self.lora_rank = lora_rank
        self.lora_alpha = lora_alpha
        self.lora_dropout = lora_dropout
        self.lora_targets = lora_targets
        self.epochs = epochs
        self.examples_seen = examples_seen
        self.min_epochs = min_epochs
        self.max_epochs = max_epochs
        self.finish_epochs = finish_epochs
        self.finish_rate = finish_rate
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.gradient_accumulation = gradient_accumulation
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.schedule = schedule
        self.max_grad_norm = max_grad_norm
        self.loss = loss
        self.focal_gamma = focal_gamma
        self.class_weights = class_weights
        self.label_smoothing = label_smoothing
        self.layer_decay = layer_decay
        self.r_drop = r_drop
        self.adversarial = adversarial
        self.dropout_samples = dropout_samples
        self.auxiliary_epochs = auxiliary_epochs
        self.contrastive_epochs = contrastive_epochs
        self.average_last = average_last
        self.metric = metric
        self.patience = patience
        self.precision = precision
        self.gradient_checkpointing = gradient_checkpointing
        self.seed = seed
        self.device = device
        self.checkpoints = checkpoints
        self.resume = resume
        self.log = log

    def save(self, folder: Path) -> None:
        """Write `model.safetensors`, `config.json` and the tokenizer, readable by transformers alone."""
        with quiet():
            self.model_.save_pretrained(folder, safe_serialization=True)
        self.tokenizer_.save_pretrained(folder)

    def load_weights(self, folder: Path) -> Self:
        """Read what `save` wrote.

        Args:
            folder: the bundle.

        Returns:
            the estimator itself, ready to score.

        Raises:
            BundleError: the weights or the labels in them do not fit.
        """
        assert self.labels is not None
        self.classes_ = np.array(list(self.labels), dtype=object)
        try:
            self.model_ = read_classifier(folder, self._label_names(), self.multi)
            self._prepare(folder, self.spans)
        except InputError:
            raise
        except Exception as error:
            # transformers and safetensors raise many kinds for damaged files.
            reason = str(error).partition("\n")[0]
            raise BundleError(f"{folder}: the weights cannot be read ({reason})") from error
        self.model_.eval()
        return self

    def _start(self, folder: Path, beside: Sequence[str]) -> LowRankUpdates | None:
        """Read an encoder, give it a head, and fix what is not to be trained; roles that are marked beside ours."""
        self.model_, new = new_classifier(folder, self._label_names(), self.multi)
        self._prepare(folder, dict.fromkeys([*self.spans, *beside]))
        if self.gradient_checkpointing:
            # The reentrant kind gives no gradient to what follows fixed embeddings.
            self.model_.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        if self.freeze_embeddings:
            self.model_.get_input_embeddings().requires_grad_(False)
        if self.lora_rank is None:
            return None
        return LowRankUpdates(self.model_, new, self.lora_rank, self.lora_alpha, self.lora_dropout, self.lora_targets)

    def _label_names(self) -> list[str]:
        names = [str(name) for name in self.classes_]
        if self.background is not None and (self.multi or self.background not in names):
            raise InputError(f"model.background={self.background}: must be a label of a single-label task, or null")
        return names

    def _prepare(self, folder: Path, roles: Iterable[str]) -> None:
        """Read the tokenizer, and let the head read what it shall: the marks of these roles, where ours are marked."""
        self.tokenizer_ = read_tokenizer(folder)
        if reads_mean(self.pooling, self.spans):
            read_marks(self.model_, self.tokenizer_.backend_tokenizer, list(roles))
        self.pad_id_ = self.tokenizer_.pad_token_id if self.tokenizer_.pad_token_id is not None else 0
        self.encoder_windows_ = self._window_encoder(self.spans, self.mask)

    def _window_encoder(self, spans: Sequence[str], mask: str | None) -> WindowEncoder:
        return WindowEncoder(
            self.tokenizer_.backend_tokenizer,
            spans,
            min(self.max_length, reach_of(self.model_)),
            self.overlap,
            self.split_length,
            mask,
        )

    def _windows_of(self, passages: Sequence[Passage], spans: Sequence[str] | None = None) -> list[list[EncodedWindow]]:
        return (self.encoder_windows_ if spans is None else self._window_encoder(spans, None)).encode(passages)

    def _place(self) -> None:
        device = resolve_device(self.device)
        if next(self.model_.parameters()).device != device:
            self.model_.to(device)

    def _score(self, passages: list[Passage]) -> Iterator[WindowScores]:
        self._place()
        encoded = self._windows_of(passages)
        flat = [window for windows in encoded for window in windows]
        device = next(self.model_.parameters()).device
        rows = window_logits(self.model_, [window.ids for window in flat], self.pad_id_, self.eval_batch_size, device)
        logits = np.array(rows, dtype=np.float64)
        background = None if self.background is None else list(self.classes_).index(self.background)
        yield from weigh_windows(encoded, logits, background)
