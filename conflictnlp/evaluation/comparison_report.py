"""Runs side by side: their scores, and two questions on each difference that are kept apart by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from conflictnlp.errors import InputError
from conflictnlp.evaluation.comparison import (
    MIN_SEEDS,
    Estimate,
    cluster_draws,
    f1_scores,
    hierarchical_bootstrap,
    holm,
    percentiles,
    permutation_test,
)
from conflictnlp.evaluation.metrics import FEW_CASES, score
from conflictnlp.evaluation.predictions import Predictions
from conflictnlp.evaluation.uncertainty import cluster_counts
from conflictnlp.models.base import Matrix

MODELS, CONFIGURATIONS = "these two models", "these two configurations"
QUESTIONS = {
    MODELS: "Do the two trained models differ in macro-F1 beyond the chance in which groups were tested?",
    CONFIGURATIONS: "Would the two configurations differ again with other seeds and other test groups?",
}
TESTS = {
    MODELS: "p: paired permutation test, predictions swapped in whole groups; interval: paired cluster bootstrap",
    CONFIGURATIONS: "p and interval: hierarchical bootstrap over seeds and over groups, with Student's t for few seeds",
}
# What an interval covers, for tables and figures.
COVERS = {
    MODELS: "intervals cover the choice of test groups, not that of the seed",
    CONFIGURATIONS: f"intervals cover the choice of test groups and of seeds; none with under {MIN_SEEDS} seeds",
}


@dataclass(frozen=True)
class Contestant:
    """A run that takes part.

    Attributes:
        run_id: the run.
        name: how tables call it, unlike any other.
        configuration: how tables call what it has in common with runs of other seeds.
        seed: of its training; None if unknown.
        predictions: on the test rows, which are the same for all.
    """

    run_id: str
    name: str
    configuration: str
    seed: int | None
    predictions: Predictions


@dataclass(frozen=True)
class Score:
    """A model's or a configuration's scores: macro-F1, then each label's F1.

    Attributes:
        name: of the run or configuration.
        seeds: how many stand behind it.
        runs: the run ids.
        estimate: the scores; intervals are NaN where there are none.
        spread: standard deviation of macro-F1 over seeds; None for one.
        others: further scores by name.
    """

    name: str
    seeds: int
    runs: tuple[str, ...]
    estimate: Estimate
    spread: float | None = None
    others: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """The first's scores less the second's.

    Attributes:
        first: its name.
        second: its name.
        seeds: how many stand behind each.
        estimate: of the difference; intervals and p-values are NaN where there are none.
        p: of macro-F1; None where the question is not answered.
        p_holm: the same, corrected for the number of answered comparisons of this question.
        rows_apart: rows that two models do not give the same prediction.
        unanswered: why the question is not answered.
    """

    first: str
    second: str
    seeds: tuple[int, int]
    estimate: Estimate
    p: float | None
    p_holm: float | None = None
    rows_apart: int | None = None
    unanswered: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Everything that was found.

    Attributes:
        contestants: the runs.
        models: a score a run.
        configurations: a score a configuration.
        differences: by question, `MODELS` and `CONFIGURATIONS`.
        resamples: of each test.
        level: coverage of the intervals.
        notes: what was left out, and why.
    """

    contestants: Sequence[Contestant]
    models: list[Score]
    configurations: list[Score]
    differences: dict[str, list[Difference]]
    resamples: int
    level: float
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[tuple[int, str, int]]:
        """Place in an estimate, name and gold cases of every label that macro-F1 covers."""
        outcome = self.contestants[0].predictions.outcome
        return [(int(n) + 1, outcome.labels[n], int(outcome.support[n])) for n in outcome.scored]

    def why_not(self, question: str) -> str | None:
        """Say why a question was asked of no pair; None if it was."""
        if self.differences[question]:
            return None
        return "not answered: all runs are of one configuration and differ in nothing but their seed"

    @property
    def disagreements(self) -> list[dict[str, Any]]:
        """The rows on which models part, with the surest mistake first."""
        first = self.contestants[0].predictions
        outcomes = [contestant.predictions.outcome for contestant in self.contestants]
        predicted = np.stack([outcome.predicted for outcome in outcomes])
        apart = np.flatnonzero((predicted != predicted[0]).reshape(len(predicted), len(first.ids), -1).any(axis=(0, 2)))
        cases = []
        for row in map(int, apart):
            right = [bool((outcome.predicted[row] == outcome.gold[row]).all()) for outcome in outcomes]
            case: dict[str, Any] = {"id": first.ids[row]}
            if outcomes[0].clusters[row] != first.texts[row]:
                case["group"] = outcomes[0].clusters[row]
            case |= {role: words[row] for role, words in first.spans.items()}
            case["gold"] = first.names(outcomes[0].gold[row])
            sure = [0.0]
            for contestant, outcome, is_right in zip(self.contestants, outcomes, right, strict=True):
                case[f"prediction: {contestant.name}"] = first.names(outcome.predicted[row])
                if not outcome.is_multi:
                    chance = float(outcome.probabilities[row, outcome.predicted[row]])
                    case[f"probability: {contestant.name}"] = chance
                    sure += [] if is_right else [chance]
            case["right"] = [one.name for one, is_right in zip(self.contestants, right, strict=True) if is_right]
            case["text"] = first.texts[row]
            cases.append((-max(sure), case))
        return [case for _, case in sorted(cases, key=lambda pair: pair[0])]


def compare(
    contestants: Sequence[Contestant], resamples: int = 10_000, level: float = 0.95, seed: int = 1
) -> Comparison:
    """Score runs on the same test rows and ask both questions of every pair.

    Args:
        contestants: two or more, with the same test rows.
        resamples: draws and swaps of each test.
        level: coverage of the intervals.
        seed: of the draws.

    Returns:
        the comparison.

    Raises:
        InputError: the test rows are of one group, so that nothing can be drawn.
    """
    outcomes = [contestant.predictions.outcome for contestant in contestants]
    multi = outcomes[0].is_multi
    counts = np.stack([cluster_counts(outcome)[..., :3] for outcome in outcomes])
    clusters = counts.shape[1]
    if clusters < 2:
        raise InputError("compare: all test rows are of one group; intervals and tests need two groups or more")
    points = f1_scores(counts.sum(axis=1), multi)
    draws = cluster_draws(counts, multi, resamples, seed)
    low, high = percentiles(draws, level)
    models = []
    for n, contestant in enumerate(contestants):
        others = {name: value for name, value in score(outcomes[n]).items() if name in ("accuracy", "ece")}
        models.append(
            Score(contestant.name, 1, (contestant.run_id,), _estimate(points[n], low[n], high[n]), others=others)
        )
    groups, notes = _by_configuration(contestants)
    # Runs of one configuration differ by their seed alone; only where there is no other are they compared.
    pairs = [
        (a, b)
        for a, b in combinations(range(len(contestants)), 2)
        if len(groups) == 1 or contestants[a].configuration != contestants[b].configuration
    ]
    of_models = []
    for a, b in pairs:
        low_ab, high_ab = percentiles(draws[:, a] - draws[:, b], level)
        p = permutation_test(counts[a], counts[b], multi, resamples, seed)
        apart = (outcomes[a].predicted != outcomes[b].predicted).reshape(len(outcomes[a].gold), -1).any(axis=1)
        estimate = _estimate(points[a] - points[b], low_ab, high_ab)
        names = contestants[a].name, contestants[b].name
        of_models.append(Difference(*names, (1, 1), estimate, p, rows_apart=int(apart.sum())))
    configurations = []
    for name, numbers in groups.items():
        spread = float(points[numbers, 0].std(ddof=1)) if len(numbers) > 1 else None
        runs = tuple(contestants[n].run_id for n in numbers)
        estimate = _of_configurations([numbers], points, draws, clusters, level, seed)
        configurations.append(Score(name, len(numbers), runs, estimate, spread))
    of_configurations = []
    for one, other in combinations(groups, 2):
        estimate = _of_configurations([groups[one], groups[other]], points, draws, clusters, level, seed)
        seeds = len(groups[one]), len(groups[other])
        enough = min(seeds) >= MIN_SEEDS
        why = None if enough else f"{seeds[0]} and {seeds[1]} seeds: {MIN_SEEDS} or more of each are needed"
        of_configurations.append(
            Difference(one, other, seeds, estimate, float(estimate.p[0]) if enough else None, unanswered=why)
        )
    differences = {MODELS: _corrected(of_models), CONFIGURATIONS: _corrected(of_configurations)}
    return Comparison(contestants, models, configurations, differences, resamples, level, notes)


def _by_configuration(contestants: Sequence[Contestant]) -> tuple[dict[str, list[int]], list[str]]:
    """Return the contestants' numbers by configuration, one for each seed, and what was left out."""
    groups: dict[str, list[int]] = {}
    notes = []
    for number, contestant in enumerate(contestants):
        group = groups.setdefault(contestant.configuration, [])
        if any(contestants[n].seed == contestant.seed for n in group):
            # A repetition is no further seed.
            notes.append(
                f"{contestant.name} repeats seed {contestant.seed} of {contestant.configuration}: left out of "
                f"{CONFIGURATIONS}"
            )
        else:
            group.append(number)
    return groups, notes


def _estimate(value: Matrix, low: Matrix, high: Matrix) -> Estimate:
    return Estimate(value, low, high, np.full_like(value, np.nan))


def _of_configurations(
    groups: Sequence[list[int]], points: Matrix, draws: Matrix, clusters: int, level: float, seed: int
) -> Estimate:
    if min(map(len, groups)) < MIN_SEEDS:
        means = [points[numbers].mean(axis=0) for numbers in groups]
        value = means[0] - means[1] if len(means) == 2 else means[0]
        return _estimate(value, *[np.full_like(value, np.nan)] * 2)
    estimate = hierarchical_bootstrap(
        [points[numbers] for numbers in groups], [draws[:, numbers] for numbers in groups], clusters, level, seed
    )
    # No score lies outside 0 to 1, and no difference outside -1 to 1.
    ends = [np.clip(end, 1 - len(groups), 1.0) for end in (estimate.low, estimate.high)]
    return replace(estimate, low=ends[0], high=ends[1])


def _corrected(differences: list[Difference]) -> list[Difference]:
    answered = [n for n, difference in enumerate(differences) if difference.p is not None]
    corrected = dict(zip(answered, holm([differences[n].p or 0.0 for n in answered]), strict=True))
    return [replace(difference, p_holm=corrected.get(n)) for n, difference in enumerate(differences)]


def rare_labels(comparison: Comparison) -> list[str]:
    """Return the labels that are scored on fewer than ten cases."""
    return [label for _, label, cases in comparison.labels if cases < FEW_CASES]
