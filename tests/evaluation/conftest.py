from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from conflictnlp.evaluation import Outcome
from conflictnlp.evaluation.comparison_report import Comparison, Contestant, compare
from conflictnlp.evaluation.predictions import Predictions


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


def make_contestant(name: str, configuration: str, seed: int | None, outcome: Outcome) -> Contestant:
    """A run whose rows are r0, r1, …; its id is its name."""
    ids = [f"r{row}" for row in range(len(outcome.gold))]
    return Contestant(name, name, configuration, seed, Predictions(ids, [f"Text {row}" for row in ids], {}, outcome))


def noisy(generator: np.random.Generator, gold: np.ndarray, right: float) -> np.ndarray:
    """Predictions of three labels, of which a share is right for certain."""
    return np.where(generator.random(len(gold)) < right, gold, generator.integers(0, 3, len(gold)))


@pytest.fixture(scope="session")
def rivals(single) -> list[Contestant]:
    """Three seeds of a good configuration and three of a bad one, on 90 rows in 45 groups."""
    generator = np.random.default_rng(7)
    gold = generator.integers(0, 3, 90)
    groups = [f"g{row // 2}" for row in range(90)]
    return [
        make_contestant(f"{name}-s{seed}", name, seed, single(gold, noisy(generator, gold, right), groups))
        for name, right in (("good", 0.8), ("bad_one", 0.2))
        for seed in (1, 2, 3)
    ]


@pytest.fixture(scope="session")
def comparison(rivals) -> Comparison:
    return compare(rivals, resamples=300)
