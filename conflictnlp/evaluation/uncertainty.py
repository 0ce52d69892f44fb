"""Bootstrap intervals that respect that rows of one text depend on one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conflictnlp.evaluation.metrics import Outcome, confidence
from conflictnlp.models.scores import Matrix


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval.

    Attributes:
        low: its lower end.
        high: its upper end.
    """

    low: float
    high: float


def cluster_counts(outcome: Outcome) -> Matrix:
    """Count hits, false alarms and misses of each label in each cluster.

    Args:
        outcome: gold and predicted labels.

    Returns:
        array (n_clusters, n_labels, 4): true positives, false positives, false negatives, and in the last the
        rows (single-label: right rows in label 0, rows in label 1).
    """
    # An array of strings would give each as much room as the longest, and a cluster's name may be a whole text.
    numbers = {name: number for number, name in enumerate(sorted(set(outcome.clusters)))}
    cluster = np.array([numbers[name] for name in outcome.clusters])
    width = len(outcome.labels)
    gold, predicted = outcome.gold, outcome.predicted
    if not outcome.is_multi:
        gold, predicted = np.eye(width, dtype=np.int64)[gold], np.eye(width, dtype=np.int64)[predicted]
    counts = np.zeros((len(numbers), width, 4))
    for place, values in enumerate((gold & predicted, (1 - gold) & predicted, gold & (1 - predicted))):
        np.add.at(counts[:, :, place], cluster, values)
    right = (gold == predicted).mean(axis=1) if outcome.is_multi else (outcome.gold == outcome.predicted).astype(float)
    np.add.at(counts[:, 0, 3], cluster, right)
    np.add.at(counts[:, min(1, width - 1), 3], cluster, 1.0 if width > 1 else 0.0)
    return counts


def f1_of_counts(counts: Matrix, multi: bool) -> tuple[Matrix, Matrix]:
    """Compute F1 from summed counts.

    Args:
        counts: array (..., n_labels, 3 or more): true positives, false positives, false negatives.
        multi: whether macro-F1 covers all labels, or those that stand in the gold data of these counts.

    Returns:
        macro-F1, array (...), and each label's F1, array (..., n_labels).
    """
    hits, alarms, misses = counts[..., 0], counts[..., 1], counts[..., 2]
    f1 = 2 * hits / np.maximum(2 * hits + alarms + misses, 1e-12)
    # A draw may miss a rare label altogether; macro-F1 then covers the labels in its own gold, as it always does.
    present = np.ones_like(f1, dtype=bool) if multi else hits + misses > 0
    return (f1 * present).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1), f1


def resample_weights(clusters: int, resamples: int, seed: int | Sequence[int]) -> NDArray[np.float64]:
    """Draw clusters with replacement.

    Args:
        clusters: how many there are.
        resamples: how many draws.
        seed: makes them repeatable; several numbers are one seed together.

    Returns:
        array (resamples, clusters): how often each cluster was drawn.
    """
    generator = np.random.default_rng(seed)
    return generator.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples).astype(np.float64)


def bootstrap_intervals(
    outcome: Outcome, resamples: int = 1000, level: float = 0.95, seed: int = 1
) -> dict[str, Interval]:
    """Compute percentile intervals of accuracy, macro-F1 and each label's F1.

    Whole clusters (groups, or texts with several rows) are drawn with replacement, so that an interval is not
    narrowed by rows that repeat one another. Source: Field and Welsh 2007 for the cluster bootstrap.

    Args:
        outcome: gold and predicted labels.
        resamples: draws.
        level: coverage, for instance 0.95.
        seed: of the draws.

    Returns:
        intervals by score name; none if `resamples` is 0 or there is one cluster.
    """
    counts = cluster_counts(outcome)
    if resamples <= 0 or len(counts) < 2:
        return {}
    weights = resample_weights(len(counts), resamples, seed)
    drawn = (weights @ counts.reshape(len(counts), -1)).reshape(resamples, *counts.shape[1:])
    macro, f1 = f1_of_counts(drawn, outcome.is_multi)
    intervals = {"macro_f1": _interval(macro, level)}
    if len(outcome.labels) > 1:
        intervals["accuracy"] = _interval(drawn[:, 0, 3] / drawn[:, 1, 3], level)
    for number in outcome.scored:
        intervals[f"f1/{outcome.labels[number]}"] = _interval(f1[:, number], level)
    return intervals


def calibration_interval(
    outcome: Outcome, bins: int, resamples: int = 1000, level: float = 0.95, seed: int = 1
) -> Interval | None:
    """Compute a percentile interval of the expected calibration error, drawing whole clusters.

    The error of a draw is never negative, so that for a well calibrated model the interval lies above the point.

    Args:
        outcome: gold labels and probabilities.
        bins: equal-mass bins.
        resamples: draws.
        level: coverage.
        seed: of the draws.

    Returns:
        the interval; None if `resamples` is 0 or there is one cluster.
    """
    numbers = {name: number for number, name in enumerate(sorted(set(outcome.clusters)))}
    if resamples <= 0 or len(numbers) < 2:
        return None
    stated, right = confidence(outcome)
    each = len(stated) // len(outcome.clusters)
    cluster = np.repeat([numbers[name] for name in outcome.clusters], each)
    order = np.argsort(stated, kind="stable")
    gaps, cluster = (stated - right)[order], cluster[order]
    errors = np.empty(resamples)
    for draw, drawn in enumerate(resample_weights(len(numbers), resamples, seed)):
        weights = drawn[cluster]
        mass = np.cumsum(weights)
        # A case lies in the bin where the middle of its mass falls.
        place = np.minimum(((mass - weights / 2) / mass[-1] * bins).astype(int), bins - 1)
        errors[draw] = np.abs(np.bincount(place, weights * gaps, bins)).sum() / mass[-1]
    return _interval(errors, level)


def _interval(values: NDArray[np.float64], level: float) -> Interval:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
