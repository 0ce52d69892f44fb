"""The picture of a learning curve: scores against training rows, the fit and what it foretells."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from conflictnlp.evaluation.learning_curve import LearningCurve
from conflictnlp.evaluation.plots import BLUE, GREY, STYLE, save_figures


def draw_learning_curve(curve: LearningCurve, folder: Path) -> list[Path]:
    """Draw scores against training rows, with the fit and its forecasts where it is usable.

    Args:
        curve: the points and what they foretell.
        folder: where learning_curve.png (200 dpi) and .svg go.

    Returns:
        the files.
    """
    with matplotlib.rc_context(STYLE):
        return save_figures({"learning_curve": _figure(curve)}, folder)


def _figure(curve: LearningCurve) -> Figure:
    found = curve.extrapolation
    figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    for point in curve.points:
        for trial in point.trials:
            axes.plot(trial.size, trial.score, marker=".", color=GREY, linestyle="none", alpha=0.7)
        if point.spread.low is not None and point.spread.high is not None:
            axes.plot([point.size] * 2, [point.spread.low, point.spread.high], color=BLUE, linewidth=1)
    sizes = [point.size for point in curve.points]
    axes.plot(
        sizes,
        [point.spread.mean for point in curve.points],
        marker="o",
        color=BLUE,
        markersize=4,
        linestyle="none",
        label="mean",
    )
    if found.law is not None and found.usable:
        grid = np.geomspace(min(sizes), max(forecast.size for forecast in found.forecasts), 200)
        inside = grid <= max(sizes)
        fitted = np.array([found.law.score(size) for size in grid])
        sizes = [*sizes, *(float(forecast.size) for forecast in found.forecasts)]
        axes.plot(grid[inside], fitted[inside], color="black", linewidth=1, label="fit")
        axes.plot(grid[~inside], fitted[~inside], color="black", linewidth=1, linestyle="--", label="extrapolated")
        for number, forecast in enumerate(found.forecasts):
            ends = [forecast.interval.low, forecast.interval.high]
            label = "its interval" if number == 0 else None
            axes.plot([forecast.size] * 2, ends, color="black", linewidth=3, alpha=0.35, label=label)
    if curve.target is not None:
        axes.axhline(curve.target, color=GREY, linewidth=0.8, linestyle=":", label="target")
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, 1)
    axes.set_xlabel("training rows (log scale)")
    axes.set_ylabel(f"test macro-F1 (line: {curve.level:.0%} t interval over seeds)")
    axes.set_title(curve.title + ("" if found.usable else " (no extrapolation)"))
    axes.legend(frameon=False, loc="lower right")
    return figure
