"""Check the tests of `conflictnlp compare` on generated predictions: `python scripts/check_comparison.py`.

Experiments with equal truth tell how often each test finds a difference that is not there (5% is right), experiments
with a planted difference how often it finds one that is. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from conflictnlp.evaluation import Outcome
from conflictnlp.evaluation.comparison import (
    cluster_draws,
    f1_scores,
    hierarchical_bootstrap,
    percentiles,
    permutation_test,
)
from conflictnlp.evaluation.uncertainty import cluster_counts

LABELS = ("a", "b", "c")
SHARES = (0.5, 0.3, 0.2)
LEVEL = 0.95
# Added to the second's chances of being right, in standard deviations of a row's difficulty.
PLANTED = 0.35


@dataclass(frozen=True)
class Scenario:
    """What the generated predictions hang on; effects are standard deviations on the scale of a row's difficulty.

    Attributes:
        name: as the table calls it.
        groups: test groups of one to five rows.
        seeds: trainings of each of two configurations.
        of_groups: a configuration is good at some groups and bad at others.
        of_rows: the same of rows.
        of_seeds: a seed is good or bad everywhere; 0 where two single models are to be equally good.
        of_seed_rows: a seed is good at some rows and bad at others.
    """

    name: str
    groups: int
    seeds: int
    of_groups: float
    of_rows: float
    of_seeds: float
    of_seed_rows: float


MODELS = (
    Scenario("rows alone differ", 60, 1, 0.0, 0.6, 0.0, 0.0),
    Scenario("groups differ", 60, 1, 0.8, 0.4, 0.0, 0.0),
    Scenario("groups differ, many", 250, 1, 0.8, 0.4, 0.0, 0.0),
)
CONFIGURATIONS = (
    Scenario("3 seeds, all in measure", 80, 3, 0.4, 0.4, 0.1, 0.4),
    Scenario("5 seeds, all in measure", 80, 5, 0.4, 0.4, 0.1, 0.4),
    Scenario("3 seeds, the seed decides", 80, 3, 0.2, 0.2, 0.3, 0.4),
    Scenario("3 seeds, the same, many groups", 250, 3, 0.2, 0.2, 0.3, 0.4),
    Scenario("3 seeds, groups decide", 80, 3, 0.8, 0.4, 0.02, 0.2),
    Scenario("3 seeds, only chance in rows", 80, 3, 0.0, 0.0, 0.0, 0.7),
)


def generate(generator: np.random.Generator, scenario: Scenario, planted: float) -> list[Outcome]:
    """Return the outcomes of the first configuration's seeds, then of the second's."""
    sizes = generator.integers(1, 6, scenario.groups)
    group = np.repeat(np.arange(scenario.groups), sizes)
    rows = len(group)
    own = generator.choice(len(LABELS), rows, p=SHARES)
    gold = np.where(generator.random(rows) < 0.6, generator.choice(len(LABELS), scenario.groups, p=SHARES)[group], own)
    wrong = (gold + generator.integers(1, len(LABELS), rows)) % len(LABELS)
    base = 0.8 + 0.8 * generator.normal(size=scenario.groups)[group] + 0.8 * generator.normal(size=rows)
    outcomes = []
    for shift in (0.0, planted):
        of_groups = scenario.of_groups * generator.normal(size=scenario.groups)[group]
        margin = base + shift + of_groups + scenario.of_rows * generator.normal(size=rows)
        for _ in range(scenario.seeds):
            seed = scenario.of_seeds * generator.normal() + scenario.of_seed_rows * generator.normal(size=rows)
            predicted = np.where(margin + seed > 0, gold, wrong)
            outcomes.append(Outcome(LABELS, gold, predicted, np.eye(len(LABELS))[predicted], list(map(str, group))))
    return outcomes


def models_found(outcomes: list[Outcome], resamples: int, seed: int) -> list[bool]:
    """Tell whether each way finds a difference: swaps of groups, the paired bootstrap, swaps of rows."""
    counts = np.stack([cluster_counts(outcome)[..., :3] for outcome in outcomes])
    draws = cluster_draws(counts, False, resamples, seed)
    low, high = percentiles(draws[:, 0, 0] - draws[:, 1, 0], LEVEL)
    rows = [
        Outcome(o.labels, o.gold, o.predicted, o.probabilities, list(map(str, range(len(o.gold))))) for o in outcomes
    ]
    single = [cluster_counts(outcome)[..., :3] for outcome in rows]
    return [
        permutation_test(counts[0], counts[1], False, resamples, seed) < 1 - LEVEL,
        bool(low > 0 or high < 0),
        permutation_test(single[0], single[1], False, resamples, seed) < 1 - LEVEL,
    ]


def configurations_found(outcomes: list[Outcome], resamples: int, seed: int) -> list[bool]:
    """Tell whether each way finds a difference: ours, plain percentiles, groups alone with the seeds as given."""
    counts = np.stack([cluster_counts(outcome)[..., :3] for outcome in outcomes])
    points, draws = f1_scores(counts.sum(axis=1), False), cluster_draws(counts, False, resamples, seed)
    n = len(outcomes) // 2
    ours = hierarchical_bootstrap([points[:n], points[n:]], [draws[:, :n], draws[:, n:]], counts.shape[1], LEVEL, seed)
    generator = np.random.default_rng(seed)
    means = []
    for part in (draws[:, :n, 0], draws[:, n:, 0]):
        chosen = generator.integers(0, n, size=part.shape)
        means.append(np.take_along_axis(part, chosen, axis=1).mean(axis=1))
    plain = percentiles(means[0] - means[1], LEVEL)
    fixed = percentiles(draws[:, :n, 0].mean(axis=1) - draws[:, n:, 0].mean(axis=1), LEVEL)
    return [bool(ours.p[0] < 1 - LEVEL), *(bool(low > 0 or high < 0) for low, high in (plain, fixed))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=500, help="of each scenario, with and without a difference")
    parser.add_argument("--resamples", type=int, default=500, help="of each test")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    heads = {
        "these two models": ("swaps of groups (the p)", "paired cluster bootstrap (the interval)", "swaps of rows"),
        "these two configurations": ("hierarchical, Student's t (ours)", "plain percentiles", "seeds as given"),
    }
    print(f"{options.experiments} experiments a cell, {options.resamples} resamples a test, seed {options.seed}.")
    for question, scenarios, found in zip(
        heads, (MODELS, CONFIGURATIONS), (models_found, configurations_found), strict=True
    ):
        ways = heads[question]
        print(f"\n**{question}**: share of experiments in which a difference was found\n")
        print("| scenario | groups | equal truth: " + " | ".join(ways) + " | planted difference | found: ours |")
        print("| :-- | --: |" + " --: |" * (len(ways) + 2))
        for scenario in scenarios:
            generator = np.random.default_rng([options.seed, len(scenario.name), scenario.groups])
            equal = [
                found(generate(generator, scenario, 0.0), options.resamples, number)
                for number in tqdm(range(options.experiments), desc=scenario.name, file=sys.stderr)
            ]
            power, gaps = [], []
            for number in range(options.experiments):
                outcomes = generate(generator, scenario, PLANTED)
                power.append(found(outcomes, options.resamples, number)[0])
                counts = np.stack([cluster_counts(outcome)[..., :3].sum(axis=0) for outcome in outcomes])
                scores = f1_scores(counts, False)[:, 0]
                gaps.append(scores[len(scores) // 2 :].mean() - scores[: len(scores) // 2].mean())
            rates = " | ".join(f"{rate:.1%}" for rate in np.mean(equal, axis=0))
            print(
                f"| {scenario.name} | {scenario.groups} | {rates} | {np.mean(gaps):+.3f} | {np.mean(power):.0%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
