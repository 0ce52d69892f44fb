"""How good a model is, how sure that is, and pictures of it."""

from conflictnlp.evaluation.metrics import Outcome, calibration_bins, expected_calibration_error, score
from conflictnlp.evaluation.report import Evaluation, evaluate_outcome
from conflictnlp.evaluation.uncertainty import Interval, bootstrap_intervals

__all__ = [
    "Evaluation",
    "Interval",
    "Outcome",
    "bootstrap_intervals",
    "calibration_bins",
    "evaluate_outcome",
    "expected_calibration_error",
    "score",
]
