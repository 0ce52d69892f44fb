"""What more training rows would bring: an inverse power law through a learning curve, with its doubts."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conflictnlp.evaluation.power_law import PowerLaw, fit_power_law
from conflictnlp.evaluation.uncertainty import Interval, resample_weights
from conflictnlp.models.base import Matrix

FACTORS = (2, 4)
FEWEST_SIZES = 4
FEW_SEEDS = 5
# A prediction that is less sure than this says nothing that a researcher could plan with (macro-F1, whole width).
WIDEST = 0.1
# Further than this times the present rows a curve of a few points is not to be trusted.
FARTHEST = 10.0
# A fall below this is no sign of anything (macro-F1).
_SMALL_FALL = 0.01
# A fit that misses a mean by less than this will do (macro-F1).
_SMALL_MISS = 0.03


@dataclass(frozen=True)
class Forecast:
    """The score that is expected of more rows.

    Attributes:
        factor: times the present rows.
        size: training rows.
        score: macro-F1.
        interval: of the score.
    """

    factor: int
    size: int
    score: float
    interval: Interval


@dataclass(frozen=True)
class Need:
    """The rows that a target score takes.

    Attributes:
        target: macro-F1.
        size: training rows in all, or None where none within ten times the present rows reach it.
        more: rows beyond the present ones, or None as for `size`.
        low: the fewest rows that the interval allows, or None.
        high: the most, or None where the interval has no end within ten times the present rows.
        statement: the same in words.
    """

    target: float
    size: int | None
    more: int | None
    low: int | None
    high: int | None
    statement: str


@dataclass(frozen=True)
class Extrapolation:
    """A fitted curve, what it foretells, and why it should not be believed.

    Attributes:
        law: the fit, or None where there is none.
        rmse: root mean squared distance of the observed scores from it, or None.
        ceiling: interval of the score that it levels off at, or None.
        forecasts: for more rows; none where the fit is unusable.
        need: for the target; None without one, or where the fit is unusable.
        reasons: why the fit is unusable; none where it can be used.
        notes: what to keep in mind.
    """

    law: PowerLaw | None = None
    rmse: float | None = None
    ceiling: Interval | None = None
    forecasts: list[Forecast] = field(default_factory=list)
    need: Need | None = None
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether the forecasts may be planned with."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "usable": self.usable}


def extrapolate(
    sizes: Matrix,
    scores: Matrix,
    target: float | None = None,
    level: float = 0.95,
    resamples: int = 500,
    seed: int = 1,
) -> Extrapolation:
    """Fit a learning curve and say what it foretells; percentile intervals from a bootstrap of the seeds.

    A seed is drawn with all its sizes, since its training rows are nested and its scores depend on one another.

    Args:
        sizes: training rows, (n_sizes, n_seeds), growing down the rows.
        scores: macro-F1, (n_sizes, n_seeds).
        target: the score whose number of rows is asked for.
        level: coverage of the intervals.
        resamples: draws.
        seed: of the draws.

    Returns:
        fit and forecasts, or the reasons why there are none.
    """
    reasons, notes = _doubts(sizes, scores)
    if len(np.unique(sizes.mean(axis=1).round())) < FEWEST_SIZES:
        return Extrapolation(reasons=reasons, notes=notes)
    law = fit_power_law(sizes.ravel(), scores.ravel())
    misses = scores - np.array([[law.score(size) for size in row] for row in sizes])
    rmse = float(np.sqrt((misses**2).mean()))
    reasons += _misfit(sizes, misses)
    if scores.shape[1] < 2:
        return Extrapolation(law, rmse, reasons=reasons, notes=notes)
    present = int(sizes.mean(axis=1).max().round())
    laws, weights = _resampled(sizes, scores, resamples, seed)
    forecasts = []
    for factor in FACTORS:
        values = np.array([one.score(factor * present) for one in laws])
        forecasts.append(
            Forecast(factor, factor * present, law.score(factor * present), _interval(values, weights, level))
        )
    near = forecasts[0]
    width = near.interval.high - near.interval.low
    if width > WIDEST:
        reasons.append(
            f"the interval for {near.factor} times the rows is {width:.2f} wide "
            f"({near.interval.low:.2f} to {near.interval.high:.2f})"
        )
    ceiling = _interval(np.array([one.a for one in laws]), weights, level)
    if reasons:
        return Extrapolation(law, rmse, ceiling, reasons=reasons, notes=notes)
    notes += [
        f"the interval for {one.factor} times the rows is {one.interval.high - one.interval.low:.2f} wide"
        for one in forecasts[1:]
        if one.interval.high - one.interval.low > WIDEST
    ]
    need = None
    if target is not None:
        spread = _interval(np.array([one.size(target) for one in laws]), weights, level)
        need = _need(target, law, spread, ceiling, present)
    return Extrapolation(law, rmse, ceiling, forecasts, need, reasons, notes)


def _doubts(sizes: Matrix, scores: Matrix) -> tuple[list[str], list[str]]:
    reasons, notes = [], []
    seeds = scores.shape[1]
    distinct = len(np.unique(sizes.mean(axis=1).round()))
    if distinct < FEWEST_SIZES:
        reasons.append(f"{distinct} sizes; a curve of three parameters needs {FEWEST_SIZES} or more")
    if seeds < 2:
        reasons.append("one seed; without a second nothing is known of chance")
    elif seeds < FEW_SEEDS:
        notes.append(f"{seeds} seeds: the intervals of the fit come out too narrow with fewer than {FEW_SEEDS}")
    means = scores.mean(axis=1)
    for number in range(1, len(means)):
        best = int(means[:number].argmax())
        fall = float(means[best] - means[number])
        error = 0.0
        if seeds > 1:
            # Within a seed, since the rows of one size hold those of the other.
            error = float((scores[best] - scores[number]).std(ddof=1)) / math.sqrt(seeds)
        if fall > max(_SMALL_FALL, 2 * error):
            reasons.append(
                f"macro-F1 falls from {means[best]:.3f} at {sizes[best].mean():.0f} rows to {means[number]:.3f} at "
                f"{sizes[number].mean():.0f}, more than the seeds explain; the law only grows"
            )
            break
    return reasons, notes


def _misfit(sizes: Matrix, misses: Matrix) -> list[str]:
    """Tell the size at which the law misses the mean score most, if chance does not explain it."""
    means = misses.mean(axis=1)
    spread = misses.std(axis=1, ddof=1) if misses.shape[1] > 1 else np.zeros(len(misses))
    beyond = np.abs(means) - np.maximum(_SMALL_MISS, 2 * spread / math.sqrt(misses.shape[1]))
    worst = int(beyond.argmax())
    if beyond[worst] <= 0:
        return []
    return [
        f"the curve has another shape: at {sizes[worst].mean():.0f} rows the fit misses macro-F1 by "
        f"{abs(means[worst]):.3f} (larger shares alone may fit)"
    ]


def _resampled(sizes: Matrix, scores: Matrix, resamples: int, seed: int) -> tuple[list[PowerLaw], NDArray[np.float64]]:
    """Return the fits of resampled seeds, and how often each draw came up."""
    draws = resample_weights(scores.shape[1], resamples, seed).astype(int)
    # Few seeds allow few different draws: each is fitted once.
    unique, counts = np.unique(draws, axis=0, return_counts=True)
    laws = []
    for draw in unique:
        chosen = np.repeat(np.arange(scores.shape[1]), draw)
        laws.append(fit_power_law(sizes[:, chosen].ravel(), scores[:, chosen].ravel()))
    return laws, counts.astype(np.float64)


def _interval(values: Matrix, weights: NDArray[np.float64], level: float) -> Interval:
    """Return percentiles of weighted values, some of which may be infinite."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    ends = [
        float(values[order][np.searchsorted(reached, share - 1e-12)]) for share in ((1 - level) / 2, (1 + level) / 2)
    ]
    return Interval(*ends)


def _need(target: float, law: PowerLaw, spread: Interval, ceiling: Interval, present: int) -> Need:
    far = FARTHEST * present
    size = law.size(target)
    low, high = (math.ceil(end) if end <= far else None for end in (spread.low, spread.high))
    if law.a <= target:
        statement = (
            f"macro-F1 {target:g} is not reached: the curve levels off at {law.a:.3f} ({ceiling.low:.3f} to "
            f"{ceiling.high:.3f}); "
        ) + (
            "more articles of this kind do not help this model there"
            if ceiling.high <= target
            else "the interval leaves open whether more articles help"
        )
        return Need(target, None, None, low, None, statement)
    if size > far:
        statement = f"macro-F1 {target:g} takes over {FARTHEST:g} times the present {present} rows, if it is reached"
        return Need(target, None, None, low, None, statement)
    rows = math.ceil(size)
    if rows <= present:
        return Need(target, rows, 0, low, high, f"macro-F1 {target:g} is reached with about {rows} rows, of {present}")
    span = f"{low} to {high}" if high is not None else f"{low} or more; no upper end within {far:.0f}"
    statement = (
        f"macro-F1 {target:g} takes about {rows} rows ({span}): {rows - present} more than the present {present}"
    )
    return Need(target, rows, rows - present, low, high, statement)
