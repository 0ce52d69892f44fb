"""An inverse power law: how scores usually grow with the number of training rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from conflictnlp.models.base import Matrix

_EXPONENTS = (0.01, 2.0)
_CEILINGS = (0.0, 1.0)


@dataclass(frozen=True)
class PowerLaw:
    """Score as a function of the number n of training rows: a - b * n ** -c.

    Attributes:
        a: the score that the curve levels off at.
        b: how much is missing at one row.
        c: how quickly it shrinks.
    """

    a: float
    b: float
    c: float

    def score(self, size: float) -> float:
        """Return the score at a number of rows."""
        return float(self.a - self.b * size**-self.c)

    def size(self, score: float) -> float:
        """Return the number of rows at which a score is reached; infinite where the curve levels off below it."""
        if score >= self.a:
            return math.inf
        if self.b == 0:
            return 0.0
        # By logarithms, since a flat curve needs numbers beyond any float.
        exponent = (math.log(self.b) - math.log(self.a - score)) / self.c
        return math.exp(exponent) if exponent < 700 else math.inf


def fit_power_law(sizes: Matrix, scores: Matrix) -> PowerLaw:
    """Fit a - b * n ** -c by least squares, with 0 <= a <= 1, b >= 0 and 0.01 <= c <= 2.

    Source: Viering and Loog 2021, "The Shape of Learning Curves: a Review", who find this form the most widely
    borne out and warn that curves may also dip and cross.

    Args:
        sizes: training rows of each observation, (n,).
        scores: macro-F1 of each, (n,).

    Returns:
        the fit.
    """
    from scipy.optimize import curve_fit

    # In units of the largest size b is what is missing there, and lies between 0 and 1 like the scores.
    largest = float(sizes.max())
    scaled = sizes / largest
    start = _start(scaled, scores)
    lower, upper = (_CEILINGS[0], 0.0, _EXPONENTS[0]), (_CEILINGS[1], 1.0, _EXPONENTS[1])
    try:
        found, _ = curve_fit(
            _form, scaled, scores, p0=start, bounds=(lower, upper), jac=_slopes, max_nfev=200, ftol=1e-10, xtol=1e-10
        )
    except RuntimeError:
        found = start  # Along a flat curve the exponent says nothing, and no step improves it.
    a, b, c = map(float, found)
    return PowerLaw(a, b * largest**c, c)


def _form(n: Matrix, a: float, b: float, c: float) -> Matrix:
    return np.asarray(a - b * n**-c)


def _slopes(n: Matrix, a: float, b: float, c: float) -> Matrix:
    power = n**-c
    return np.stack([np.ones_like(n), -power, b * power * np.log(n)], axis=1)


def _start(scaled: Matrix, scores: Matrix) -> tuple[float, float, float]:
    """Return the best of a grid of exponents; for each, a and b are a straight line's."""
    best, least = (float(np.clip(scores.mean(), *_CEILINGS)), 0.0, 0.5), math.inf
    for c in np.geomspace(0.05, 1.9, 25):
        power = scaled**-c
        moved = power - power.mean()
        b = float(np.clip(-(moved @ scores) / (moved @ moved), 0.0, 1.0))
        a = float(np.clip((scores + b * power).mean(), *_CEILINGS))
        loss = float(((_form(scaled, a, b, c) - scores) ** 2).sum())
        if loss < least:
            best, least = (a, b, float(c)), loss
    return best
