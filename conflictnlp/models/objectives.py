"""What training minimises and validation measures: losses, class weights, the metrics that choose an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from conflictnlp.models.base import class_numbers, sigmoid, softmax
from conflictnlp.models.scores import Matrix

# A label of very few cases would otherwise outweigh all others.
_LARGEST_WEIGHT = 20


@dataclass(frozen=True)
class Objective:
    """What a training minimises.

    Attributes:
        multi: whether targets are indicator rows.
        class_weights: weight of each class, or of each label's positive cases for `multi`; None for equal ones.
        focal_gamma: exponent of focal loss (Lin et al. 2017); None for cross-entropy.
        label_smoothing: share of the target given to all classes.
        r_drop: weight of the disagreement between two passes under different dropout; 0 makes one pass.
        dropout_samples: times that the last layer answers each window, each under a dropout of its own (Inoue 2019);
            1 answers once, under the encoder's dropout alone.
        contrastive: the encoder learns to put windows of a class side by side (Khosla et al. 2020), the head nothing.
        widths: numbers of labels of several tasks that are learnt together, ours first; each has its own columns of
            logits and targets, and a window counts in those of its task. () for ours alone.
    """

    multi: bool = False
    class_weights: torch.Tensor | None = None
    focal_gamma: float | None = None
    label_smoothing: float = 0.0
    r_drop: float = 0.0
    dropout_samples: int = 1
    contrastive: bool = False
    widths: tuple[int, ...] = ()

    def losses(self, logits: torch.Tensor, targets: torch.Tensor, tasks: torch.Tensor) -> torch.Tensor:
        """Return the loss of each window.

        Args:
            logits: array (n, columns).
            targets: as `window_losses` takes them; with `widths` an array (n, columns).
            tasks: number of each window's task, (n,).

        Returns:
            array (n,).
        """
        weights = None if self.class_weights is None else self.class_weights.to(targets.device)
        if not self.widths:
            return window_losses(logits, targets, self.multi, weights, self.label_smoothing, self.focal_gamma)
        losses = logits.new_zeros(len(logits))
        for number, rows, columns in self._parts(tasks):
            own = (self.multi, weights) if number == 0 else (False, None)
            answers, wanted = logits[rows, columns], targets[rows, columns]
            losses[rows] = window_losses(answers, wanted, *own, self.label_smoothing, self.focal_gamma)
        return losses

    def disagreement(self, one: torch.Tensor, other: torch.Tensor, tasks: torch.Tensor) -> torch.Tensor:
        """Return how much two answers to each window differ, (n,): see `disagreement`; arguments as for `losses`."""
        if not self.widths:
            return disagreement(one, other, self.multi)
        apart = one.new_zeros(len(one))
        for number, rows, columns in self._parts(tasks):
            apart[rows] = disagreement(one[rows, columns], other[rows, columns], self.multi and number == 0)
        return apart

    def _parts(self, tasks: torch.Tensor) -> Iterator[tuple[int, torch.Tensor, slice]]:
        """Yield each task that the windows are of: its number, the windows' rows, and its columns."""
        first = 0
        for number, width in enumerate(self.widths):
            rows = (tasks == number).nonzero().squeeze(1)
            if len(rows):
                yield number, rows, slice(first, first + width)
            first += width


def window_losses(
    logits: torch.Tensor,
    targets: torch.Tensor,
    multi: bool,
    weight: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
    focal_gamma: float | None = None,
) -> torch.Tensor:
    """Return the loss of each window.

    Args:
        logits: array (n, n_labels).
        targets: class numbers (n,), probabilities (n, n_labels), or for `multi` indicator rows.
        multi: whether a window may bear several labels or none.
        weight: of each class, or of each label's positive cases for `multi`.
        label_smoothing: share of the target given to all classes.
        focal_gamma: exponent of focal loss (Lin et al. 2017); None for cross-entropy.

    Returns:
        array (n,).
    """
    if multi:
        wanted = targets.float()
        soft = wanted * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = functional.binary_cross_entropy_with_logits(logits, soft, pos_weight=weight, reduction="none")
        if focal_gamma is not None:
            right = torch.where(wanted > 0.5, torch.sigmoid(logits), torch.sigmoid(-logits))
            losses = losses * (1 - right) ** focal_gamma
        return losses.mean(dim=1)
    losses = functional.cross_entropy(logits, targets, weight=weight, label_smoothing=label_smoothing, reduction="none")
    if focal_gamma is not None:
        chances = logits.softmax(dim=1)
        if targets.is_floating_point():
            right = (chances * targets).sum(dim=1)
        else:
            right = chances.gather(1, targets[:, None]).squeeze(1)
        losses = losses * (1 - right) ** focal_gamma
    return losses


def disagreement(one: torch.Tensor, other: torch.Tensor, multi: bool) -> torch.Tensor:
    """Return how much two answers to each window differ, in nats: the symmetric Kullback-Leibler divergence of R-Drop.

    Source: Liang et al. (2021), "R-Drop: Regularized Dropout for Neural Networks".

    Args:
        one: logits (n, n_labels).
        other: logits of the same windows under another dropout.
        multi: whether a window may bear several labels or none; the mean over labels is then taken.

    Returns:
        array (n,).
    """
    if multi:
        # Each label is a question with two answers.
        one, other = (torch.stack([logits, torch.zeros_like(logits)], dim=-1) for logits in (one, other))
    first, second = one.log_softmax(dim=-1), other.log_softmax(dim=-1)
    both = ((first.exp() - second.exp()) * (first - second)).sum(dim=-1) / 2
    return both.mean(dim=-1) if multi else both


def contrastive_losses(features: torch.Tensor, classes: torch.Tensor, temperature: float = 0.1) -> torch.Tensor:
    """Return how far each window is from its own class, among the windows of a batch.

    Source: Khosla et al. (2020), "Supervised Contrastive Learning" (their L_out).

    Args:
        features: what the last layer reads, (n, width).
        classes: class numbers (n,).
        temperature: of the cosine similarities.

    Returns:
        array (n,), in nats; 0 for a window whose class no other window of the batch bears.
    """
    directions = functional.normalize(features, dim=1)
    others = ~torch.eye(len(features), dtype=torch.bool, device=features.device)
    alike = (classes[:, None] == classes[None, :]) & others
    near = (directions @ directions.T / temperature).masked_fill(~others, float("-inf"))
    surprise = -near.log_softmax(dim=1).masked_fill(~alike, 0.0)
    return surprise.sum(dim=1) / alike.sum(dim=1).clamp(min=1)


def balanced_weights(targets: NDArray[Any], classes: int, multi: bool) -> torch.Tensor:
    """Return weights that let rare classes count as much as frequent ones.

    Args:
        targets: as for `window_losses`.
        classes: their number.
        multi: whether a window may bear several labels or none.

    Returns:
        array (n_labels,); classes without a case weigh 1.
    """
    if multi:
        positive = targets.sum(axis=0).clip(min=1)
        return torch.tensor((len(targets) - positive) / positive, dtype=torch.float32).clamp(max=_LARGEST_WEIGHT)
    numbers = class_numbers(targets)
    present = np.unique(numbers)
    weights = np.ones(classes)
    weights[present] = compute_class_weight("balanced", classes=present, y=numbers)
    return torch.tensor(weights, dtype=torch.float32)


def validation_metrics(logits: Matrix, targets: NDArray[np.int64], multi: bool) -> dict[str, float]:
    """Score validation passages.

    Args:
        logits: array (n, n_labels).
        targets: class numbers (n,), or for `multi` indicator rows.
        multi: whether a passage may bear several labels or none.

    Returns:
        macro_f1 (over classes that occur), accuracy and loss (negative log-likelihood in nats).
    """
    if multi:
        chances = sigmoid(logits)
        found = (chances >= 0.5).astype(int)
        score = f1_score(targets, found, average="macro", zero_division=0)
        right = np.where(targets == 1, chances, 1 - chances)
    else:
        chances = softmax(logits)
        found = chances.argmax(axis=1)
        score = f1_score(targets, found, average="macro", labels=np.unique(targets), zero_division=0)
        right = chances[np.arange(len(targets)), targets]
    return {
        "macro_f1": float(score),
        "accuracy": float((found == targets).mean()),
        "loss": float(-np.log(np.clip(right, 1e-12, 1)).mean()),
    }
