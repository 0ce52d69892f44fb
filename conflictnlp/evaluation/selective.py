"""What is gained by leaving the least certain cases to a person."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conflictnlp.evaluation.metrics import Outcome, confidence
from conflictnlp.files import atomic_path, open_text
from conflictnlp.models.base import Matrix

CURVE = "risk_coverage.csv"
# The share of cases for which runs tell the accuracy and the threshold.
_TOLD = 0.8


@dataclass(frozen=True)
class RiskCoverage:
    """Errors among the cases that a model keeps, by how many it keeps.

    Attributes:
        coverage: share of the cases that are kept, the most certain first, array (n_thresholds,), rising.
        risk: share of the kept ones that are wrong.
        threshold: lowest confidence that is kept: what `--abstain-below` would be.
        cases: how many are kept.
    """

    coverage: Matrix
    risk: Matrix
    threshold: Matrix
    cases: Matrix

    @property
    def area(self) -> float:
        """Area under the curve: mean risk over all coverages; lower is better."""
        steps = np.diff(self.coverage, prepend=0.0)
        return float((steps * self.risk).sum())

    def accuracy_at(self, coverage: float) -> float:
        """Return the accuracy on the most certain share of the cases."""
        return float(1 - self.risk[self._place(coverage)])

    def threshold_at(self, coverage: float) -> float:
        """Return the highest threshold that keeps at least this share of the cases."""
        return float(self.threshold[self._place(coverage)])

    def scores(self) -> dict[str, float]:
        """Return the numbers that runs record."""
        told = f"at_{100 * _TOLD:.0f}_coverage"
        return {
            "aurc": self.area,
            f"accuracy_{told}": self.accuracy_at(_TOLD),
            f"threshold_{told}": self.threshold_at(_TOLD),
        }

    def _place(self, coverage: float) -> int:
        return min(int(np.searchsorted(self.coverage, coverage)), len(self.coverage) - 1)


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
    return RiskCoverage((kept / len(kept))[cuts], (wrong / kept)[cuts], ranked[cuts], kept[cuts])


def write_curves(path: Path, outcomes: Mapping[str, Outcome]) -> None:
    """Write the curves of single-label outcomes as CSV: split, threshold, coverage, risk, cases kept.

    Thresholds are told in full: of a rounded one, `--abstain-below` might leave out the case that it stands for.

    Args:
        path: the file; none is written where every outcome has several labels.
        outcomes: by split, for instance `val`.
    """
    curves = {split: risk_coverage(outcome) for split, outcome in outcomes.items() if not outcome.is_multi}
    if not curves:
        return
    with atomic_path(path) as temporary, open_text(temporary, "wt") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["split", "threshold", "coverage", "risk", "cases"])
        for split, curve in curves.items():
            columns = (curve.threshold, curve.coverage, curve.risk, curve.cases)
            table.writerows((split, *row) for row in zip(*(column.tolist() for column in columns), strict=True))
