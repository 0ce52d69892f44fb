"""A learning curve: scores against the number of training rows, as table, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from conflictnlp.evaluation.aggregate import Spread, spread
from conflictnlp.evaluation.extrapolation import Extrapolation, extrapolate

_COLUMNS = ("share", "size", "mean", "sd", "low", "high", "seeds")


@dataclass(frozen=True)
class Trial:
    """One training on a share of the rows.

    Attributes:
        share: of the training rows.
        seed: drew the rows and trained.
        size: training rows.
        score: test macro-F1.
        run_id: MLflow's.
    """

    share: float
    seed: int
    size: int
    score: float
    run_id: str


@dataclass(frozen=True)
class Point:
    """The trials of one share.

    Attributes:
        share: of the training rows.
        trials: one a seed.
        level: coverage of the interval.
    """

    share: float
    trials: tuple[Trial, ...]
    level: float = 0.95

    @property
    def size(self) -> float:
        """Mean number of training rows; seeds differ a little where groups stay together."""
        return float(np.mean([trial.size for trial in self.trials]))

    @cached_property
    def spread(self) -> Spread:
        """Test macro-F1 over the seeds."""
        return spread([trial.score for trial in self.trials], self.level)

    def to_dict(self) -> dict[str, Any]:
        """Return a row of the table."""
        found = self.spread
        values = (self.share, self.size, found.mean, found.sd, found.low, found.high, len(self.trials))
        return dict(zip(_COLUMNS, values, strict=True))


@dataclass(frozen=True)
class LearningCurve:
    """Points in growing order, and what they foretell.

    Attributes:
        title: what was trained on what.
        points: by growing share; every share has the same seeds.
        test_rows: rows of the test split, the same for all.
        target: the score whose number of rows is asked for, or None.
        level: coverage of the intervals.
        resamples: of the seeds.
    """

    title: str
    points: tuple[Point, ...]
    test_rows: int
    target: float | None = None
    level: float = 0.95
    resamples: int = 500

    @cached_property
    def extrapolation(self) -> Extrapolation:
        """The fitted curve, or why there is none."""
        sizes = np.array([[trial.size for trial in point.trials] for point in self.points], dtype=float)
        scores = np.array([[trial.score for trial in point.trials] for point in self.points])
        return extrapolate(sizes, scores, self.target, self.level, self.resamples)

    @property
    def statements(self) -> list[str]:
        """What the curve says, and what it cannot say, in sentences."""
        found = self.extrapolation
        lines = []
        if not found.usable:
            lines.append("The curve cannot be extrapolated: " + "; ".join(found.reasons) + ".")
        for one in found.forecasts:
            lines.append(
                f"{one.factor} times the rows ({one.size}): macro-F1 {one.score:.3f} "
                f"({one.interval.low:.3f} to {one.interval.high:.3f})."
            )
        if found.need is not None:
            lines.append(found.need.statement[0].upper() + found.need.statement[1:] + ".")
        lines += [f"Note: {note}." for note in found.notes]
        lines.append(
            f"Note: the intervals are over seeds (which rows, and the training); that there are {self.test_rows} test "
            "rows and no others comes on top."
        )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        runs = [
            {"seed": trial.seed, "size": trial.size, "score": trial.score, "run_id": trial.run_id}
            for point in self.points
            for trial in point.trials
        ]
        width = len(self.points[0].trials)
        rows = [point.to_dict() for point in self.points]
        return {
            "title": self.title,
            "score": "test/macro_f1",
            "confidence": self.level,
            "test_rows": self.test_rows,
            "points": [
                {**row, "trials": runs[number * width : (number + 1) * width]} for number, row in enumerate(rows)
            ],
            "target": self.target,
            "extrapolation": self.extrapolation.to_dict(),
            "statements": self.statements,
        }

    def to_csv(self) -> str:
        """Return the table as CSV; what a single seed cannot tell is empty."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(point.to_dict() for point in self.points)
        return stream.getvalue()

    def to_markdown(self) -> str:
        """Return table, fit and statements as Markdown."""
        lines = [f"# Learning curve: {self.title}", ""]
        lines += [f"| share | training rows | macro-F1 | sd | {self.level:.0%} interval | seeds |"]
        lines += ["|---:|---:|---:|---:|:---:|---:|"]
        lines += ["| " + " | ".join(cells) + " |" for cells in map(_cells, self.points)]
        law = self.extrapolation.law
        if law is not None:
            lines += ["", f"Fit: macro-F1 = {law.a:.3f} - {law.b:.3g} · n^-{law.c:.3f} (n: training rows)"]
        lines += ["", *(f"- {statement}" for statement in self.statements), "", "![](learning_curve.png)", ""]
        return "\n".join(lines)

    def to_text(self) -> str:
        """Return the table and the statements for a terminal."""
        head = ("share", "rows", "macro-F1", "sd", f"{self.level:.0%} interval", "seeds")
        widths = (6, 8, 9, 7, 16, 6)
        rows = [head, *map(_cells, self.points)]
        lines = ["".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([*lines, *self.statements])


def _cells(point: Point) -> tuple[str, ...]:
    found = point.spread
    return (
        f"{point.share:g}",
        f"{point.size:.0f}",
        f"{found.mean:.3f}",
        "" if found.sd is None else f"{found.sd:.3f}",
        "" if found.low is None else f"{found.low:.3f}–{found.high:.3f}",
        str(len(point.trials)),
    )
