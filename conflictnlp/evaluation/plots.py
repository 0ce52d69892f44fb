"""Pictures for a paper: confusion matrix, reliability diagram, risk and coverage, per-class bars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from conflictnlp.evaluation.metrics import FEW_CASES, Outcome, calibration_bins, confidence
from conflictnlp.evaluation.selective import risk_coverage
from conflictnlp.evaluation.uncertainty import Interval

BLUE, GREY = "#2b6ca3", "#8a8f98"
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "figure.dpi": 110,
}


def draw_all(
    outcome: Outcome, scores: Mapping[str, float], intervals: Mapping[str, Interval], folder: Path, bins: int
) -> list[Path]:
    """Draw every picture as PNG (200 dpi) and SVG.

    Args:
        outcome: gold and predicted labels.
        scores: as `metrics.score` returned them.
        intervals: as `bootstrap_intervals` returned them.
        folder: where the files go.
        bins: of the reliability diagram.

    Returns:
        the files.
    """
    with matplotlib.rc_context(STYLE):
        figures = {
            "confusion_matrix": _confusion(outcome),
            "reliability": _reliability(outcome, scores["ece"], bins),
            "per_class_f1": _per_class(outcome, scores, intervals),
        }
        if not outcome.is_multi:
            figures["risk_coverage"] = _risk_coverage(outcome)
        return save_figures(figures, folder)


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Save figures as PNG (200 dpi) and SVG, and close them.

    Args:
        figures: by the name of the file.
        folder: where the files go; it is made.

    Returns:
        the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in figures.items():
        for suffix in ("png", "svg"):
            path = folder / f"{name}.{suffix}"
            figure.savefig(path, dpi=200, bbox_inches="tight")
            paths.append(path)
        plt.close(figure)
    return paths


def _confusion(outcome: Outcome) -> Figure:
    if outcome.is_multi:
        return _confusion_multi(outcome)
    numbers = np.arange(len(outcome.labels))
    matrix = np.zeros((len(numbers), len(numbers)), dtype=int)
    np.add.at(matrix, (outcome.gold, outcome.predicted), 1)
    # A label that is neither in the gold nor predicted would only be an empty line.
    shown = numbers[(matrix.sum(axis=0) + matrix.sum(axis=1)) > 0]
    matrix = matrix[np.ix_(shown, shown)]
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = max(3.2, 0.42 * len(shown) + 1.8)
    figure, axes = plt.subplots(figsize=(side + 0.6, side))
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    small = len(shown) > 16
    for row in range(len(shown)):
        for column in range(len(shown)):
            if matrix[row, column]:
                colour = "white" if share[row, column] > 0.55 else "black"
                axes.text(
                    column, row, matrix[row, column], ha="center", va="center", color=colour, fontsize=6 if small else 8
                )
    names = [outcome.labels[number] for number in shown]
    axes.set_xticks(range(len(shown)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(shown)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold")
    axes.set_title("Confusion matrix (cases; shade: share of the gold label)")
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, fraction=0.04, pad=0.03)
    return figure


def _confusion_multi(outcome: Outcome) -> Figure:
    width = min(4, len(outcome.labels))
    height = -(-len(outcome.labels) // width)
    figure, grid = plt.subplots(height, width, figsize=(2.1 * width, 2.3 * height), squeeze=False, layout="constrained")
    for number, axes in enumerate(grid.ravel()):
        if number >= len(outcome.labels):
            axes.axis("off")
            continue
        gold, predicted = outcome.gold[:, number], outcome.predicted[:, number]
        matrix = np.array([[((gold == g) & (predicted == p)).sum() for p in (0, 1)] for g in (0, 1)])
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row in (0, 1):
            for column in (0, 1):
                colour = "white" if share[row, column] > 0.55 else "black"
                axes.text(column, row, matrix[row, column], ha="center", va="center", color=colour)
        axes.set_xticks([0, 1], ["no", "yes"])
        axes.set_yticks([0, 1], ["no", "yes"])
        axes.set_title(outcome.labels[number])
        axes.spines[:].set_visible(False)
    figure.supxlabel("predicted")
    figure.supylabel("gold")
    return figure


def _reliability(outcome: Outcome, error: float, bins: int) -> Figure:
    stated, right = confidence(outcome)
    parts = calibration_bins(stated, right, bins)
    figure, (axes, below) = plt.subplots(
        2, 1, figsize=(3.8, 4.6), sharex=True, height_ratios=[3, 1], layout="constrained"
    )
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="perfect")
    axes.plot([mean for mean, _, _ in parts], [share for _, share, _ in parts], marker="o", color=BLUE, label="model")
    axes.set_ylabel("share that came true")
    axes.set_title(f"Reliability (ECE {error:.3f}, {len(parts)} bins of equal mass)")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, loc="upper left")
    below.hist(stated, bins=25, range=(0, 1), color=GREY)
    below.set_ylabel("cases")
    below.set_xlabel("stated probability")
    return figure


def _risk_coverage(outcome: Outcome) -> Figure:
    curve = risk_coverage(outcome)
    figure, axes = plt.subplots(figsize=(3.8, 3.2), layout="constrained")
    axes.plot(curve.coverage, curve.risk, color=BLUE, drawstyle="steps-post", label="model")
    axes.axhline(curve.risk[-1], color=GREY, linewidth=1, linestyle="--", label="all cases kept")
    # Among a handful of cases the curve only jumps about.
    for wanted in (0.5, 0.7, 0.9):
        place = int(np.searchsorted(-curve.threshold, -wanted, side="right")) - 1
        if place >= 0:
            axes.plot(curve.coverage[place], curve.risk[place], marker="o", color=BLUE, markersize=4)
            at = (curve.coverage[place], curve.risk[place])
            # The curve rises to the right: below it there is room.
            axes.annotate(f"P ≥ {wanted}", at, (7, -3), textcoords="offset points", va="top")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, None)
    axes.set_xlabel("share of cases kept, the most certain first")
    axes.set_ylabel("share of those that are wrong")
    axes.set_title(f"Risk and coverage (area {curve.area:.3f})")
    axes.legend(frameon=False, loc="lower right")
    return figure


def _per_class(outcome: Outcome, scores: Mapping[str, float], intervals: Mapping[str, Interval]) -> Figure:
    numbers = outcome.scored
    names = [outcome.labels[number] for number in numbers]
    values = np.array([scores[f"f1/{name}"] for name in names])
    figure, axes = plt.subplots(figsize=(5.2, 0.32 * len(names) + 1.3))
    rare = outcome.support[numbers] < FEW_CASES
    places = np.arange(len(names))
    axes.barh(places, values, color=[GREY if few else BLUE for few in rare], height=0.62)
    for place, name in enumerate(names):
        if interval := intervals.get(f"f1/{name}"):
            axes.plot([interval.low, interval.high], [place, place], color="black", linewidth=1)
    axes.axvline(scores["macro_f1"], color="black", linewidth=0.8, linestyle=":")
    axes.set_yticks(
        places, [f"{name} (n={outcome.support[number]})" for name, number in zip(names, numbers, strict=True)]
    )
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("F1 (line: 95% interval; dotted: macro-F1)")
    title = "F1 by class"
    axes.set_title(title + (f"; grey: under {FEW_CASES} cases" if rare.any() else ""))
    return figure
