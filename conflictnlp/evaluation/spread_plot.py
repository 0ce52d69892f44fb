"""The picture of a sweep: every seed's score, and mean and interval of each configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from conflictnlp.evaluation.aggregate import Spread
from conflictnlp.evaluation.plots import BLUE, GREY, STYLE, save_figures


def draw_spreads(spreads: Mapping[str, Spread], score: str, level: float, folder: Path) -> list[Path]:
    """Draw the spread of one score as PNG (200 dpi) and SVG.

    Args:
        spreads: by configuration.
        score: the score's name, for the axis and the file.
        level: coverage of the intervals, for the axis.
        folder: where the files go; it is made.

    Returns:
        the files.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(6.2, 0.42 * len(spreads) + 1.3), layout="constrained")
        for place, found in enumerate(spreads.values()):
            if found.low is not None and found.high is not None:
                axes.plot([found.low, found.high], [place, place], color=BLUE, linewidth=2)
            axes.plot(found.values, [place] * len(found.values), "o", color=GREY, markersize=5, alpha=0.7)
            axes.plot([found.mean], [place], "D", color=BLUE, markersize=6)
        axes.set_yticks(range(len(spreads)), [f"{label} (n={len(found.values)})" for label, found in spreads.items()])
        axes.set_ylim(len(spreads) - 0.5, -0.5)
        axes.set_xlabel(f"{score} (grey: seeds; blue: mean, {level:.0%} t interval over seeds)")
        return save_figures({f"{score.replace('/', '_')}_over_seeds": figure}, folder)
