"""One split scored: points, intervals, tables and pictures together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conflictnlp.config import EvaluationConfig
from conflictnlp.data.example import Example
from conflictnlp.evaluation.metrics import FEW_CASES, Outcome, score
from conflictnlp.evaluation.selective import risk_coverage
from conflictnlp.evaluation.uncertainty import Interval, bootstrap_intervals, calibration_interval
from conflictnlp.inference.model import Model
from conflictnlp.task import Task


@dataclass(frozen=True)
class Evaluation:
    """A model's scores on one set of examples.

    Attributes:
        outcome: gold and predicted labels.
        scores: point scores by name.
        intervals: by score name.
        coarser: scores of the codings that follow from the labels, by name.
    """

    outcome: Outcome
    scores: dict[str, float]
    intervals: dict[str, Interval]
    coarser: dict[str, Evaluation] = field(default_factory=dict)

    @property
    def named(self) -> list[str]:
        """Labels that are scored."""
        return [self.outcome.labels[n] for n in self.outcome.scored]

    @property
    def rare(self) -> list[str]:
        """Labels scored on fewer than ten cases."""
        support = self.outcome.support
        return [self.outcome.labels[n] for n in self.outcome.scored if support[n] < FEW_CASES]

    def metrics(self, prefix: str) -> dict[str, float]:
        """Return scores and interval ends under MLflow names, for instance test/macro_f1 and test/macro_f1_low."""
        named = {f"{prefix}/{name}": value for name, value in self.scores.items()}
        for name in ("macro_f1", "accuracy", "ece"):
            if name in self.intervals:
                named[f"{prefix}/{name}_low"] = self.intervals[name].low
                named[f"{prefix}/{name}_high"] = self.intervals[name].high
        for coding, scored in self.coarser.items():
            named |= {k: v for k, v in scored.metrics(f"{prefix}/{coding}").items() if "macro_f1" in k or "/f1/" in k}
        return named

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values: dict[str, Any] = {
            "n": len(self.outcome.gold),
            "clusters": len(set(self.outcome.clusters)),
            "scores": self.scores,
            "intervals": {name: [interval.low, interval.high] for name, interval in self.intervals.items()},
            "under_ten_cases": self.rare,
        }
        if self.coarser:
            values["coarser"] = {coding: scored.to_dict() for coding, scored in self.coarser.items()}
        return values

    def to_text(self) -> str:
        """Return a table for a terminal."""
        lines = [f"{'':24}{'precision':>10}{'recall':>8}{'F1':>8}{'95% interval':>18}{'cases':>8}"]
        support = self.outcome.support
        for number in self.outcome.scored:
            label = self.outcome.labels[number]
            name = label + (" *" if label in self.rare else "")
            lines.append(
                f"{name:24}{self.scores[f'precision/{label}']:>10.3f}{self.scores[f'recall/{label}']:>8.3f}"
                f"{self.scores[f'f1/{label}']:>8.3f}{self._interval(f'f1/{label}'):>18}{support[number]:>8}"
            )
        lines.append(
            f"{'macro':24}{self.scores['macro_precision']:>10.3f}{self.scores['macro_recall']:>8.3f}"
            f"{self.scores['macro_f1']:>8.3f}{self._interval('macro_f1'):>18}{len(self.outcome.gold):>8}"
        )
        others = ["accuracy", "micro_f1", "subset_accuracy", "log_loss", "ece", "aurc"]
        told = (f"{name} {self.scores[name]:.3f} {self._interval(name)}" for name in others if name in self.scores)
        lines.append("   ".join(map(str.rstrip, told)))
        if self.rare:
            lines.append(f"* under {FEW_CASES} cases")
        for coding, scored in self.coarser.items():
            classes = ", ".join(f"{label} {scored.scores[f'f1/{label}']:.3f}" for label in scored.named)
            macro = f"macro-F1 {scored.scores['macro_f1']:.3f} {scored._interval('macro_f1')}".rstrip()
            lines.append(f"{coding}, by sums of probabilities: {macro} ({classes})")
        return "\n".join(lines)

    def draw(self, folder: Path, bins: int) -> list[Path]:
        """Draw the pictures into a folder and return their paths."""
        from conflictnlp.evaluation.plots import draw_all

        return draw_all(self.outcome, self.scores, self.intervals, folder, bins)

    def _interval(self, name: str) -> str:
        interval = self.intervals.get(name)
        return f"[{interval.low:.3f}, {interval.high:.3f}]" if interval else ""


def gold_targets(examples: Sequence[Example], task: Task) -> NDArray[np.int64]:
    """Return class numbers (n,), or for multi-label an indicator matrix (n, n_labels)."""
    column = {label: number for number, label in enumerate(task.label_names)}
    if not task.is_multi:
        return np.array([column[example.label or ""] for example in examples], dtype=np.int64)
    matrix = np.zeros((len(examples), len(column)), dtype=np.int64)
    for row, example in enumerate(examples):
        for label in example.labels or ():
            matrix[row, column[label]] = 1
    return matrix


def evaluate_model(model: Model, examples: Sequence[Example], config: EvaluationConfig) -> Evaluation:
    """Score a loaded model on labelled examples.

    Args:
        model: as inference loads it, calibration included.
        examples: labelled, each of which the model can read.
        config: bins and resamples.

    Returns:
        the evaluation.
    """
    probabilities = model.probabilities(model.logits(examples))
    if model.task.is_multi:
        predicted = (probabilities >= model.thresholds()).astype(np.int64)
    else:
        predicted = probabilities.argmax(axis=1)
    gold = gold_targets(examples, model.task)
    outcome = Outcome(model.labels, gold, predicted, probabilities, [example.cluster for example in examples])
    return evaluate_outcome(outcome, config, model.task.coarser)


def evaluate_outcome(
    outcome: Outcome, config: EvaluationConfig, coarser: Mapping[str, Mapping[str, Sequence[str]]] | None = None
) -> Evaluation:
    """Score gold and predicted labels.

    Args:
        outcome: the labels.
        config: bins and resamples.
        coarser: codings that follow from the labels (`Task.coarser`), which are scored too.

    Returns:
        the evaluation.
    """
    scores = score(outcome, config.bins)
    if not outcome.is_multi:
        scores |= risk_coverage(outcome).scores()
    intervals = bootstrap_intervals(outcome, config.bootstrap, config.confidence)
    if calibration := calibration_interval(outcome, config.bins, config.bootstrap, config.confidence):
        intervals["ece"] = calibration
    followed = {
        coding: evaluate_outcome(outcome.summed(classes), config) for coding, classes in (coarser or {}).items()
    }
    return Evaluation(outcome, scores, intervals, followed)
