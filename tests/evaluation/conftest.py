from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from conflictnlp.evaluation import Outcome


@pytest.fixture(scope="session")
def single():
    """Build an outcome of one label a row from class numbers; the probability of the predicted class is 0.8."""

    def build(gold: Sequence[int], predicted: Sequence[int], clusters: Sequence[str] | None = None, labels="abc"):
        chances = np.full((len(gold), len(labels)), 0.2 / max(1, len(labels) - 1))
        chances[np.arange(len(gold)), predicted] = 0.8
        return Outcome(
            list(labels),
            np.array(gold),
            np.array(predicted),
            chances,
            clusters or [str(row) for row in range(len(gold))],
        )

    return build


@pytest.fixture(scope="session")
def several():
    """Build an outcome of several labels a row from indicator rows; probabilities are 0.9 and 0.1."""

    def build(gold: Sequence[Sequence[int]], predicted: Sequence[Sequence[int]], clusters: Sequence[str] | None = None):
        found = np.array(predicted)
        names = clusters or [str(row) for row in range(len(found))]
        return Outcome(list("abcdef"[: found.shape[1]]), np.array(gold), found, 0.1 + 0.8 * found, names)

    return build
