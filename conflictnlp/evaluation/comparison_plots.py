"""Forest plots of a comparison: scores and differences with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conflictnlp.evaluation.comparison_report import CONFIGURATIONS, COVERS, MODELS, Comparison, Difference, Score
from conflictnlp.evaluation.plots import BLUE, GREY, STYLE, save_figures

# Rows of one panel: more would make a figure that no page holds.
_MOST = 40


def draw_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw the scores and the differences as PNG (200 dpi) and SVG.

    Args:
        comparison: what was found.
        folder: where the files go.

    Returns:
        the files.
    """
    with matplotlib.rc_context(STYLE):
        figures = {"forest_scores": _scores(comparison), "forest_differences": _differences(comparison)}
        return save_figures(figures, folder)


def _scores(comparison: Comparison) -> Figure:
    def named(score: Score) -> str:
        return f"{score.name} ({score.seeds} seed{'s' if score.seeds > 1 else ''})"

    panels = []
    for question, title, scores in (
        (MODELS, "Models", comparison.models),
        (CONFIGURATIONS, "Configurations", comparison.configurations),
    ):
        largest = sorted(scores, key=lambda score: -score.estimate.value[0])
        panels.append((title, question, [(named(score), score) for score in largest]))
    return _forest(panels, "macro-F1")


def _differences(comparison: Comparison) -> Figure:
    def named(found: Difference) -> str:
        return f"{found.first} - {found.second} ({found.seeds[0]} / {found.seeds[1]} seeds)"

    panels = []
    for question, found in comparison.differences.items():
        largest = sorted(found, key=lambda difference: -abs(difference.estimate.value[0]))
        panels.append((question.capitalize(), question, [(named(difference), difference) for difference in largest]))
    figure = _forest(panels, "difference in macro-F1 (first - second)")
    for axes in figure.axes:
        axes.axvline(0, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    return figure


def _forest(panels: Sequence[tuple[str, str, Sequence[tuple[str, Score | Difference]]]], measure: str) -> Figure:
    heights = [max(1, min(_MOST, len(rows))) for _, _, rows in panels]
    longest = max((len(name) for _, _, rows in panels for name, _ in rows), default=0)
    figure, grid = plt.subplots(
        len(panels),
        1,
        figsize=(4.6 + 0.07 * longest, 0.28 * sum(heights) + 1.1 * len(panels) + 0.4),
        sharex=True,
        height_ratios=[height + 1 for height in heights],
        squeeze=False,
        layout="constrained",
    )
    for axes, (title, question, rows) in zip(grid[:, 0], panels, strict=True):
        shown = rows[:_MOST]
        more = f"; the {_MOST} largest of {len(rows)}" if len(rows) > _MOST else ""
        axes.set_title(f"{title}{more}\n{COVERS[question]}", loc="left", fontsize=8)
        _draw_rows(axes, shown)
    grid[-1, 0].set_xlabel(measure)
    return figure


def _draw_rows(axes: Axes, rows: Sequence[tuple[str, Score | Difference]]) -> None:
    for place, (_, row) in enumerate(rows):
        interval = row.estimate.interval()
        if interval:
            axes.plot([interval.low, interval.high], [place, place], color=BLUE, linewidth=1.4)
        filling = BLUE if interval else "white"
        axes.plot(row.estimate.value[0], place, marker="o", markersize=4.5, color=BLUE, markerfacecolor=filling)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(max(1, len(rows)) - 0.4, -0.6)
    if not rows:
        axes.text(0.5, 0.5, "none to compare", transform=axes.transAxes, ha="center", va="center", color=GREY)
