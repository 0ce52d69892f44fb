"""Point scores of predictions against gold labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_recall_fscore_support

from conflictnlp.models.scores import Matrix

FEW_CASES = 10


@dataclass(frozen=True)
class Outcome:
    """Gold labels and what a model said.

    Attributes:
        labels: names in declared order.
        gold: class numbers (n,), or an indicator matrix (n, n_labels) for multi-label.
        predicted: of the same shape.
        probabilities: array (n, n_labels).
        clusters: what makes rows dependent (group or text), one a row.
    """

    labels: Sequence[str]
    gold: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: Matrix
    clusters: Sequence[str]

    @property
    def is_multi(self) -> bool:
        """Whether rows may bear several labels."""
        return self.gold.ndim == 2

    @property
    def support(self) -> NDArray[np.int64]:
        """Gold cases of each label."""
        return self.gold.sum(axis=0) if self.is_multi else np.bincount(self.gold, minlength=len(self.labels))

    @property
    def scored(self) -> NDArray[np.int64]:
        """Numbers of the labels that macro averages cover: those in the gold data, or for multi-label all."""
        return np.arange(len(self.labels)) if self.is_multi else np.flatnonzero(self.support)

    def summed(self, classes: Mapping[str, Sequence[str]]) -> Outcome:
        """Return the same rows in coarser classes, whose probabilities are the sums of their labels'.

        Args:
            classes: the labels of each class; every label stands in one.

        Returns:
            gold and the likeliest class of each row; of one label a row.
        """
        number = {label: n for n, labels in enumerate(classes.values()) for label in labels}
        of = np.array([number[label] for label in self.labels])
        chances = np.stack([self.probabilities[:, of == n].sum(axis=1) for n in range(len(classes))], axis=1)
        return Outcome(list(classes), of[self.gold], chances.argmax(axis=1), chances, self.clusters)


def score(outcome: Outcome, bins: int = 10) -> dict[str, float]:
    """Compute all point scores.

    Macro averages cover the declared labels that stand in the gold data (multi-label: all declared), with 0 for a
    label never predicted, as `sklearn.metrics.f1_score(average="macro", zero_division=0)`.

    Args:
        outcome: gold and predicted labels.
        bins: equal-mass bins of the calibration error.

    Returns:
        scores by name: accuracy, macro_f1, macro_precision, macro_recall, log_loss, ece, and f1/<label>,
        precision/<label>, recall/<label>; for multi-label also micro_f1 and subset_accuracy.
    """
    numbers = outcome.scored
    gold, predicted, columns = outcome.gold, outcome.predicted, np.arange(len(outcome.labels))
    if outcome.is_multi and len(columns) == 1:
        # scikit-learn reads an indicator of one column as the classes 0 and 1.
        gold, predicted, columns = gold[:, 0], predicted[:, 0], np.array([1])
    precision, recall, f1, _ = precision_recall_fscore_support(gold, predicted, labels=columns, zero_division=0)
    scores = {
        "accuracy": float((outcome.gold == outcome.predicted).mean()),
        "macro_f1": float(f1[numbers].mean()),
        "macro_precision": float(precision[numbers].mean()),
        "macro_recall": float(recall[numbers].mean()),
        "log_loss": log_loss(outcome),
        "ece": expected_calibration_error(outcome, bins),
    }
    if outcome.is_multi:
        scores["micro_f1"] = float(f1_score(gold, predicted, labels=columns, average="micro", zero_division=0))
        scores["subset_accuracy"] = float((outcome.gold == outcome.predicted).all(axis=1).mean())
    for number in numbers:
        label = outcome.labels[number]
        scores[f"f1/{label}"] = float(f1[number])
        scores[f"precision/{label}"] = float(precision[number])
        scores[f"recall/{label}"] = float(recall[number])
    return scores


def log_loss(outcome: Outcome) -> float:
    """Return the mean negative log-probability of the truth (multi-label: over rows and labels)."""
    chances = outcome.probabilities
    if outcome.is_multi:
        right = np.where(outcome.gold == 1, chances, 1 - chances)
    else:
        right = chances[np.arange(len(outcome.gold)), outcome.gold]
    return float(-np.log(np.clip(right, 1e-12, 1.0)).mean())


def confidence(outcome: Outcome) -> tuple[Matrix, Matrix]:
    """Return stated confidence and whether it came true.

    Single-label: the highest probability and whether that label is right, (n,). Multi-label: every label's
    probability and whether it applies, (n * n_labels,).
    """
    if outcome.is_multi:
        return outcome.probabilities.ravel(), outcome.gold.ravel().astype(float)
    best = outcome.probabilities.argmax(axis=1)
    return outcome.probabilities.max(axis=1), (best == outcome.gold).astype(float)


def calibration_bins(stated: Matrix, right: Matrix, bins: int) -> list[tuple[float, float, int]]:
    """Part cases into bins of equal mass by stated confidence.

    Args:
        stated: confidence of each case.
        right: 1 where it came true.
        bins: how many.

    Returns:
        (mean confidence, share that came true, cases) of each bin that holds any.
    """
    order = np.argsort(stated, kind="stable")
    return [
        (float(stated[part].mean()), float(right[part].mean()), len(part))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def expected_calibration_error(outcome: Outcome, bins: int = 10) -> float:
    """Return the mean gap between confidence and accuracy over equal-mass bins.

    Source: Naeini et al. 2015; Nguyen and O'Connor 2015 for bins of equal mass.
    """
    stated, right = confidence(outcome)
    parts = calibration_bins(stated, right, bins)
    return sum(count * abs(mean - share) for mean, share, count in parts) / max(1, len(stated))
