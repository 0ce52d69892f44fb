"""What is gained by leaving the least certain cases to a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conflictnlp.evaluation.metrics import Outcome, confidence
from conflictnlp.models.base import Matrix

# The share of cases for which runs tell the accuracy.
_TOLD = 0.8


@dataclass(frozen=True)
class RiskCoverage:
    """Errors among the cases that a model keeps, by how many it keeps.

    Attributes:
        coverage: share of the cases that are kept, the most certain first, array (n_thresholds,), rising.
        risk: share of the kept ones that are wrong.
        threshold: lowest confidence that is kept: what `--abstain-below` would be.
    """

    coverage: Matrix
    risk: Matrix
    threshold: Matrix

    @property
    def area(self) -> float:
        """Area under the curve: mean risk over all coverages; lower is better."""
        steps = np.diff(self.coverage, prepend=0.0)
        return float((steps * self.risk).sum())

    def accuracy_at(self, coverage: float) -> float:
        """Return the accuracy on the most certain share of the cases."""
        place = int(np.searchsorted(self.coverage, coverage))
        return float(1 - self.risk[min(place, len(self.risk) - 1)])

    def scores(self) -> dict[str, float]:
        """Return the numbers that runs record."""
        return {"aurc": self.area, f"accuracy_at_{_TOLD:.0%}_coverage".replace("%", ""): self.accuracy_at(_TOLD)}


def risk_coverage(outcome: Outcome) -> RiskCoverage:
    """Compute the curve over all thresholds of confidence.

    Source: El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017. Cases of one confidence are kept or left together.

    Args:
        outcome: a single-label task's.

    Returns:
        the curve; it ends at coverage 1.
    """
    stated, right = confidence(outcome)
    order = np.argsort(-stated, kind="stable")
    ranked, wrong = stated[order], np.cumsum(1 - right[order])
    kept = np.arange(1, len(ranked) + 1)
    # Only where the next case is less certain can a threshold lie.
    cuts = np.append(ranked[1:] < ranked[:-1], True)
    return RiskCoverage((kept / len(kept))[cuts], (wrong / kept)[cuts], ranked[cuts])
