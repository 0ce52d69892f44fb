"""How far a model's confidence can be trusted: temperature and thresholds, found on validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from conflictnlp.models.scores import Matrix, sigmoid, softmax

_LOWEST, _HIGHEST = 0.05, 20.0


def fit_temperature(logits: Matrix, targets: NDArray[np.int64], multi: bool) -> float:
    """Find the temperature that gives validation the highest likelihood.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks.

    Args:
        logits: pooled, array (n, n_labels).
        targets: class numbers (n,), or an indicator matrix for multi-label.
        multi: which of the two.

    Returns:
        a temperature between 0.05 and 20.
    """
    if len(logits) == 0:
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        if multi:
            right = np.where(targets == 1, sigmoid(scaled), sigmoid(-scaled))
        else:
            right = softmax(scaled)[np.arange(len(targets)), targets]
        return float(-np.log(np.clip(right, 1e-12, 1.0)).mean())

    found = minimize_scalar(loss, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def tune_thresholds(probabilities: Matrix, targets: NDArray[np.int64]) -> list[float]:
    """Find for each label the probability from which it shall count, by F1 on validation.

    Args:
        probabilities: array (n, n_labels).
        targets: indicator matrix of that shape.

    Returns:
        one threshold a label; 0.5 where validation has no case of it, or no probability above 0. Among equals the
        one nearest 0.5.
    """
    thresholds = []
    for column in range(probabilities.shape[1]):
        chances, truth = probabilities[:, column], targets[:, column]
        if truth.sum() == 0:
            thresholds.append(0.5)
            continue
        order = np.argsort(-chances, kind="stable")
        hits = np.cumsum(truth[order])
        f1 = 2 * hits / (np.arange(1, len(order) + 1) + truth.sum())
        ranked = chances[order]
        # A cut lies between two different probabilities.
        following = np.append(ranked[1:], 0.0)
        cuts = (ranked + following) / 2
        allowed = ranked > following
        if not allowed.any():
            thresholds.append(0.5)
            continue
        best = f1[allowed].max()
        options = cuts[allowed][f1[allowed] >= best - 1e-12]
        thresholds.append(float(np.clip(options[np.abs(options - 0.5).argmin()], 0.01, 0.99)))
    return thresholds
