"""A model and a human as two coders of the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import krippendorff
import numpy as np
from numpy.typing import NDArray

from conflictnlp.errors import InputError
from conflictnlp.evaluation.uncertainty import Interval, resample_weights

# Characters of a terminal's line, and of a label in it.
_WIDTH = 80
_LONGEST = 26
_OWN = "agreed"


@dataclass(frozen=True)
class Agreement:
    """How far two coders agree.

    Attributes:
        labels: in declared order, else sorted.
        table: cases, array (n_labels, n_labels): rows the human's labels, columns the model's.
        alpha: Krippendorff's alpha, nominal; NaN where only one label occurs.
        interval: of alpha; None with one cluster.
    """

    labels: tuple[str, ...]
    table: NDArray[np.int64]
    alpha: float
    interval: Interval | None

    @property
    def cases(self) -> int:
        """Cases that both coded."""
        return int(self.table.sum())

    @property
    def share(self) -> float:
        """Share of cases with the same label."""
        return float(np.trace(self.table) / max(1, self.cases))

    def per_class(self) -> dict[str, float | None]:
        """Return for each label twice the agreed cases over all that either coder gave it; None if neither did."""
        given = self.table.sum(axis=0) + self.table.sum(axis=1)
        return {
            label: float(2 * self.table[n, n] / given[n]) if given[n] else None for n, label in enumerate(self.labels)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "cases": self.cases,
            "alpha": None if np.isnan(self.alpha) else self.alpha,
            "alpha_interval": [self.interval.low, self.interval.high] if self.interval else None,
            "agreement": self.share,
            "per_class": self.per_class(),
            "labels": list(self.labels),
            "table": self.table.tolist(),
        }

    def to_text(self) -> str:
        """Return tables for a terminal."""
        told = "undefined: only one label occurs" if np.isnan(self.alpha) else f"{self.alpha:.3f}"
        if self.interval:
            told += f"  95% interval [{self.interval.low:.3f}, {self.interval.high:.3f}]"
        lines = [f"Krippendorff's alpha (nominal) {told}", f"agreement {self.share:.1%} of {self.cases} cases", ""]
        return "\n".join([*lines, *self._table()])

    def _table(self) -> list[str]:
        """Return a cross table's lines, its columns named or numbered; where these do not fit, counts by label."""
        crossed = [[str(n) if n else "." for n in row] for row in self.table]
        own = [self.table.sum(axis=1), self.table.sum(axis=0), np.diag(self.table)]
        counted = [[str(n) for n in row] for row in np.transpose(own)]
        numbers = [str(number) for number in range(1, len(self.labels) + 1)]
        numbered = [f"{number:>2} {label}" for number, label in zip(numbers, self.labels, strict=True)]
        corner = "human, model"
        for first, names, heads, cells, gap in (
            (corner, self.labels, self.labels, crossed, 2),
            (corner, numbered, numbers, crossed, 2),
            (corner, numbered, numbers, crossed, 1),
            ("label", self.labels, ("human", "model", "both"), counted, 2),
        ):
            widths = [gap + max(map(len, column)) for column in zip(heads, *cells, strict=True)]
            side = min(_LONGEST, max(map(len, (first, *names))))
            if side + sum(widths) + len(_OWN) + 2 <= _WIDTH:
                break
        lines = [_row(first, side, heads, widths, _OWN)]
        for name, row, share in zip(names, cells, self.per_class().values(), strict=True):
            lines.append(_row(name, side, row, widths, "" if share is None else f"{share:.3f}"))
        return lines


def _row(name: str, side: int, cells: Sequence[str], widths: Sequence[int], own: str) -> str:
    middle = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{name[:side]:{side}}{middle}  {own:>{len(_OWN)}}".rstrip()


def agreement(
    human: Sequence[str],
    model: Sequence[str],
    clusters: Sequence[str],
    labels: Sequence[str] | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> Agreement:
    """Compare two codings of the same cases.

    Source: Krippendorff 2019, Content Analysis, chapter 12; alpha as the package krippendorff computes it. The
    interval draws whole clusters (groups or texts) with replacement.

    Args:
        human: the human's labels.
        model: the model's, in the same order.
        clusters: what makes cases dependent, one a case.
        labels: in declared order; None for the sorted union.
        resamples: bootstrap draws.
        seed: of the draws.

    Returns:
        the agreement.

    Raises:
        InputError: there are no cases.
    """
    if not human:
        raise InputError("agree: no case stands in both files")
    names = tuple(labels) if labels is not None else tuple(sorted({*human, *model}))
    column = {label: number for number, label in enumerate(names)}
    _, cluster = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    tables = np.zeros((cluster.max() + 1, len(names), len(names)), dtype=np.int64)
    for place, theirs, ours in zip(cluster, human, model, strict=True):
        tables[place, column[theirs], column[ours]] += 1
    interval = None
    if len(tables) > 1 and resamples > 0:
        drawn = np.tensordot(resample_weights(len(tables), resamples, seed), tables, axes=1)
        values = np.array([_alpha(table) for table in drawn])
        if not np.isnan(values).all():
            low, high = np.nanquantile(values, [0.025, 0.975])
            interval = Interval(float(low), float(high))
    table = tables.sum(axis=0)
    return Agreement(names, table, _alpha(table), interval)


def _alpha(table: NDArray[Any]) -> float:
    """Compute alpha from a cross table: each case is a unit with one value from each of two coders."""
    used = np.flatnonzero(table.sum(axis=0) + table.sum(axis=1))
    if len(used) < 2:
        return float("nan")
    rows, columns = np.nonzero(table)
    units = np.zeros((len(rows), table.shape[0]))
    units[np.arange(len(rows)), rows] += 1
    units[np.arange(len(rows)), columns] += 1
    counts = np.repeat(units, table[rows, columns].astype(int), axis=0)
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
