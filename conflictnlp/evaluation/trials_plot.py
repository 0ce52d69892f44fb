"""The picture of a search: every trial's score in turn, and the best so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from conflictnlp.evaluation.plots import BLUE, GREY, STYLE, save_figures


def draw_trials(trials: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Draw the trials of a search as PNG (200 dpi) and SVG.

    Args:
        trials: number, state, `val/macro_f1` and `evaluations` of each, in order.
        folder: where the files go; it is made.

    Returns:
        the files.
    """
    done = [trial for trial in trials if trial["state"] == "COMPLETE"]
    pruned = [trial for trial in trials if trial["state"] == "PRUNED" and trial["evaluations"]]
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
        numbers, values = [trial["number"] for trial in done], [trial["val/macro_f1"] for trial in done]
        axes.plot(numbers, values, "o", color=BLUE, label="complete")
        axes.step(numbers, list(accumulate(values, max)), where="post", color=BLUE, linewidth=1, label="best so far")
        if pruned:
            last = [trial["evaluations"][-1] for trial in pruned]
            axes.plot([trial["number"] for trial in pruned], last, "x", color=GREY, label="pruned (last value)")
        axes.set_xlabel("trial")
        axes.set_ylabel("validation macro-F1")
        axes.legend(frameon=False)
        return save_figures({"trials": figure}, folder)
