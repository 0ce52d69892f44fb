"""Scores over seeds: mean, standard deviation and a t interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

COVERS = (
    "The interval is Student's t interval of the mean over the seeds that were run (it takes scores to be about "
    "normal, and wants three seeds or more). It covers what the seed decides: initial weights, the order of batches, "
    "and the splits that the seed draws, if any. It does not cover the choice of the test set and its sampling (see "
    "each run's bootstrap interval), a split that was given, the labels' own errors, nor the choice of settings."
)


@dataclass(frozen=True, slots=True)
class Spread:
    """Scores of one configuration over its seeds.

    Attributes:
        values: one a seed.
        mean: their mean.
        sd: sample standard deviation (n - 1); None for one seed.
        low: lower end of the t interval of the mean; None for one seed.
        high: upper end.
    """

    values: tuple[float, ...]
    mean: float
    sd: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"values": list(self.values), "mean": self.mean, "sd": self.sd, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        if self.sd is None:
            return f"{self.mean:.3f}"
        return f"{self.mean:.3f} ± {self.sd:.3f} [{self.low:.3f}, {self.high:.3f}]"


def spread(values: Sequence[float], level: float = 0.95) -> Spread:
    """Summarise scores over seeds.

    Args:
        values: one a seed, at least one.
        level: coverage of the interval.

    Returns:
        mean, sample standard deviation and the two-sided t interval of the mean, n - 1 degrees of freedom.
    """
    from scipy.stats import t

    mean = fmean(values)
    if len(values) < 2:
        return Spread(tuple(values), mean, None, None, None)
    sd = stdev(values)
    half = float(t.ppf((1 + level) / 2, len(values) - 1)) * sd / math.sqrt(len(values))
    return Spread(tuple(values), mean, sd, mean - half, mean + half)


def spread_table(rows: Mapping[str, Mapping[str, Spread]], level: float = 0.95) -> str:
    """Return a Markdown table: a row a configuration, a column a score.

    Args:
        rows: spreads by configuration and score.
        level: coverage of the intervals, for the heading.

    Returns:
        Markdown.
    """
    names = list(dict.fromkeys(name for scores in rows.values() for name in scores))
    lines = [f"Mean ± standard deviation over seeds [{level:.0%} t interval of the mean].", ""]
    lines += ["| configuration | seeds | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for label, scores in rows.items():
        seeds = max((len(found.values) for found in scores.values()), default=0)
        cells = [str(scores[name]) if name in scores else "" for name in names]
        lines.append(f"| {label} | {seeds} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
