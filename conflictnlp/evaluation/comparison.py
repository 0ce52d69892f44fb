"""Tests of differences between models, and between configurations that were trained with several seeds.

Everything is computed from counts of hits, false alarms and misses in each cluster (group, or text with several rows),
since rows of one cluster depend on one another: clusters are drawn, or swapped, as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from conflictnlp.evaluation.uncertainty import Interval, f1_of_counts, resample_weights
from conflictnlp.models.base import Matrix

MIN_SEEDS = 3
# Cells of the largest array of draws that is held at once (32 MB).
_CELLS = 4_000_000
# Two scores that differ by less are equal but for the order of additions.
_EQUAL = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A score, or a difference of scores, of macro-F1 (first) and of each label's F1.

    Attributes:
        value: array (1 + n_labels,).
        low: lower ends of the intervals, of the same shape.
        high: upper ends.
        p: two-sided, of the hypothesis that the value is 0.
    """

    value: Matrix
    low: Matrix
    high: Matrix
    p: Matrix

    def interval(self, place: int = 0) -> Interval | None:
        """Return the interval of macro-F1 (0) or of a label (its number + 1); None where it is NaN."""
        low, high = float(self.low[place]), float(self.high[place])
        return None if np.isnan(low) else Interval(low, high)


def f1_scores(counts: Matrix, multi: bool) -> Matrix:
    """Return macro-F1 and each label's F1 as one array.

    Args:
        counts: array (..., n_labels, 3), summed over clusters.
        multi: whether rows may bear several labels.

    Returns:
        array (..., 1 + n_labels).
    """
    macro, f1 = f1_of_counts(counts, multi)
    return np.concatenate([macro[..., None], f1], axis=-1)


def cluster_draws(counts: Matrix, multi: bool, resamples: int, seed: int) -> Matrix:
    """Score every model on the same draws of clusters.

    Source: Field and Welsh 2007 for the cluster bootstrap. Since all models are scored on one draw, differences of
    their scores are a paired bootstrap.

    Args:
        counts: array (n_models, n_clusters, n_labels, 3).
        multi: whether rows may bear several labels.
        resamples: draws.
        seed: of the draws.

    Returns:
        array (resamples, n_models, 1 + n_labels).
    """
    models, clusters, labels, kinds = counts.shape
    flat = counts.transpose(1, 0, 2, 3).reshape(clusters, -1)
    draws = np.empty((resamples, models, 1 + labels))
    for number, part in enumerate(_blocks(resamples, max(flat.shape))):
        weights = resample_weights(clusters, part.stop - part.start, (seed, number))
        draws[part] = f1_scores((weights @ flat).reshape(-1, models, labels, kinds), multi)
    return draws


def percentiles(draws: Matrix, level: float) -> tuple[Matrix, Matrix]:
    """Return the ends of the percentile intervals of draws, array (resamples, ...)."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def permutation_test(one: Matrix, other: Matrix, multi: bool, resamples: int, seed: int) -> float:
    """Test whether two models differ in macro-F1 by swapping their predictions in whole clusters.

    Were the two models alike, it would not matter which of them a cluster's predictions came from. Source: Yeh 2000
    for approximate randomisation of F1; Phipson and Smyth 2010 for counting the observed difference.

    Args:
        one: counts of a model, array (n_clusters, n_labels, 3).
        other: counts of the other on the same rows.
        multi: whether rows may bear several labels.
        resamples: random swaps.
        seed: of the swaps.

    Returns:
        the two-sided p-value.
    """
    width = one.shape[1:]
    total, other_total = one.sum(axis=0), other.sum(axis=0)
    observed = abs(f1_of_counts(total, multi)[0] - f1_of_counts(other_total, multi)[0])
    change = (other - one).reshape(len(one), -1)
    # Clusters with the same change are interchangeable: how many of them are swapped is binomial.
    changes, sizes = np.unique(change[change.any(axis=1)], axis=0, return_counts=True)
    if not len(changes):
        return 1.0
    generator = np.random.default_rng(seed)
    as_large = 0
    for part in _blocks(resamples, max(changes.shape)):
        swapped = generator.binomial(sizes, 0.5, size=(part.stop - part.start, len(sizes)))
        moved = (swapped @ changes).reshape(-1, *width)
        gap = f1_of_counts(total + moved, multi)[0] - f1_of_counts(other_total - moved, multi)[0]
        as_large += int((np.abs(gap) >= observed - _EQUAL).sum())
    return (1 + as_large) / (1 + resamples)


def hierarchical_bootstrap(
    points: Sequence[Matrix], draws: Sequence[Matrix], clusters: int, level: float, seed: int
) -> Estimate:
    """Estimate a configuration's mean score, or the difference of two, over seeds and over clusters.

    Each resample draws clusters (the same for every model) and, of each configuration's n seeds, n - 1 with
    replacement: n would make the spread of few seeds too small (Rao and Wu 1988). The seeds' deviations are first
    shrunk by what chance in the clusters alone makes them differ, which the draws of clusters hold already (Davison and
    Hinkley 1997, section 3.8). The interval is the resamples' standard deviation times Student's t, whose degrees
    of freedom come from both levels (Satterthwaite 1946): percentiles would be too narrow with three seeds.

    Args:
        points: scores of each configuration's models, arrays (n_seeds, 1 + n_labels); one configuration, or two.
        draws: of each configuration, arrays (resamples, n_seeds, 1 + n_labels) of the same draws of clusters.
        clusters: how many there are.
        level: coverage, for instance 0.95.
        seed: of the draws of seeds.

    Returns:
        the estimate: the first configuration's mean, less the second's.
    """
    generator = np.random.default_rng(seed)
    signs = (1.0, -1.0)[: len(points)]
    value = sum(sign * part.mean(axis=0) for sign, part in zip(signs, points, strict=True))
    resampled = sum(sign * part.mean(axis=1) for sign, part in zip(signs, draws, strict=True))
    doubt = resampled.var(axis=0) ** 2 / max(1, clusters - 1)
    for sign, scores, drawn in zip(signs, points, draws, strict=True):
        seeds = len(scores)
        between = scores.var(axis=0, ddof=1)
        by_chance = (drawn - drawn.mean(axis=1, keepdims=True)).var(axis=0).sum(axis=0) / (seeds - 1)
        kept = np.sqrt(np.maximum(0.0, 1 - by_chance / np.maximum(between, _EQUAL)))
        chosen = generator.integers(0, seeds, size=(len(drawn), seeds - 1))
        resampled = resampled + sign * kept * (scores - scores.mean(axis=0))[chosen].mean(axis=1)
        doubt = doubt + (between / seeds) ** 2 / (seeds - 1)
    error = resampled.std(axis=0)
    few = min(len(scores) for scores in points) - 1
    freedom = np.maximum(few, error**4 / np.maximum(doubt, 1e-300))
    reach = stdtrit(freedom, (1 + level) / 2) * error
    p = np.where(
        error > _EQUAL,
        2 * stdtr(freedom, -np.abs(value) / np.maximum(error, _EQUAL)),
        np.where(np.abs(value) > _EQUAL, 0.0, 1.0),
    )
    return Estimate(value, value - reach, value + reach, p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, so that the chance of any false finding stays below the level.

    Source: Holm 1979.

    Args:
        p_values: of one family of tests.

    Returns:
        corrected p-values in the same order.
    """
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for rank, number in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[number]))
        corrected[number] = largest
    return corrected


def _blocks(resamples: int, width: int) -> list[slice]:
    """Part the resamples so that a block of draws fits into memory."""
    step = max(1, _CELLS // max(1, width))
    return [slice(first, min(first + step, resamples)) for first in range(0, resamples, step)]
