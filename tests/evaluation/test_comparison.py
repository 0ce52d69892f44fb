from __future__ import annotations

import itertools

import numpy as np
import pytest

from conflictnlp.evaluation import comparison as module
from conflictnlp.evaluation import score
from conflictnlp.evaluation.comparison import (
    cluster_draws,
    f1_scores,
    hierarchical_bootstrap,
    holm,
    percentiles,
    permutation_test,
)
from conflictnlp.evaluation.uncertainty import bootstrap_intervals, cluster_counts


def counts(outcome):
    return cluster_counts(outcome)[..., :3]


def generated(generator, groups: int, seeds: int, single, shift: float = 0.0, of_seeds: float = 0.1):
    """Counts of two configurations' seeds on groups of one to three rows; the second is better by `shift`."""
    group = np.repeat(np.arange(groups), generator.integers(1, 4, groups))
    gold = generator.choice(3, len(group), p=(0.5, 0.3, 0.2))
    base = 0.8 + generator.normal(size=groups)[group] + 0.5 * generator.normal(size=len(group))
    found = []
    for better in (0.0, shift):
        margin = base + better + 0.6 * generator.normal(size=groups)[group]
        for _ in range(seeds):
            own = of_seeds * generator.normal() + 0.4 * generator.normal(size=len(group))
            found.append(counts(single(gold, np.where(margin + own > 0, gold, (gold + 1) % 3), list(map(str, group)))))
    return np.stack(found)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # 0.01 · 4; 0.02 · 3; 0.03 · 2; 0.04 · 1, which may not fall below the one before.
        ([0.04, 0.01, 0.03, 0.02], [0.06, 0.04, 0.06, 0.06]),
        ([0.01, 0.9], [0.02, 0.9]),
        ([0.6, 0.7, 0.5], [1.0, 1.0, 1.0]),
        ([0.2], [0.2]),
        ([], []),
    ],
)
def test_holm_by_hand(given, expected):
    assert holm(given) == pytest.approx(expected)


def test_scores_are_those_of_the_metrics(single):
    outcome = single([0, 0, 1, 1, 0], [0, 1, 1, 0, 0])
    scores = score(outcome)
    assert f1_scores(counts(outcome).sum(axis=0), False) == pytest.approx(
        [scores["macro_f1"], scores["f1/a"], scores["f1/b"], 0.0]
    )


def test_scores_of_several_labels_are_those_of_the_metrics(several):
    outcome = several([[1, 0, 0], [1, 1, 0]], [[1, 1, 0], [0, 1, 0]])
    scores = score(outcome)
    found = f1_scores(counts(outcome).sum(axis=0), True)
    assert found == pytest.approx([scores[name] for name in ("macro_f1", "f1/a", "f1/b", "f1/c")])
    assert scores["f1/c"] == 0


def test_the_intervals_are_those_of_a_single_evaluation(single):
    generator = np.random.default_rng(2)
    gold = generator.integers(0, 3, 60)
    outcome = single(gold, np.where(generator.random(60) < 0.7, gold, 0))
    low, high = percentiles(cluster_draws(counts(outcome)[None], False, 4000, 1)[:, 0, 0], 0.95)
    alone = bootstrap_intervals(outcome, 4000)["macro_f1"]
    assert (low, high) == pytest.approx((alone.low, alone.high), abs=0.01)


def test_all_models_are_scored_on_the_same_draws(single):
    one = counts(single([0, 1, 2] * 6, [0, 1, 1] * 6))
    draws = cluster_draws(np.stack([one, one]), False, 50, 3)
    assert (draws[:, 0] == draws[:, 1]).all()
    assert len(np.unique(draws[:, 0, 0])) > 5


def test_draws_in_blocks_are_all_different(single, monkeypatch):
    monkeypatch.setattr(module, "_CELLS", 180)
    draws = cluster_draws(counts(single([0, 1, 2] * 6, [0, 1, 1] * 6))[None], False, 60, 3)
    assert draws.shape == (60, 1, 4)
    assert not np.array_equal(draws[:3], draws[3:6])
    assert np.isfinite(draws).all()


def test_alike_models_do_not_differ(single):
    one = counts(single([0, 1, 0, 1], [0, 1, 1, 1]))
    assert permutation_test(one, one, False, 200, 1) == 1.0


def test_swapping_the_one_row_that_differs_shows_nothing(single):
    gold = [0, 1] * 10
    assert permutation_test(counts(single(gold, gold)), counts(single(gold, [1, *gold[1:]])), False, 200, 1) == 1.0


def test_the_p_value_is_that_of_all_swaps(single):
    """Of six clusters that differ, all 64 swaps can be counted."""
    generator = np.random.default_rng(4)
    gold, groups = generator.integers(0, 3, 12), [str(row // 2) for row in range(12)]
    one = counts(single(gold, gold, groups))
    other = counts(single(gold, np.where(np.arange(12) % 2, gold, (gold + 1) % 3), groups))
    gaps = []
    for swaps in itertools.product([False, True], repeat=6):
        chosen = np.array(swaps)[:, None, None]
        first, second = (np.where(chosen, a, b).sum(axis=0) for a, b in ((other, one), (one, other)))
        gaps.append(abs(f1_scores(first, False)[0] - f1_scores(second, False)[0]))
    exact = np.mean(np.array(gaps) >= gaps[0] - 1e-12)
    assert exact == 2 / 64
    assert permutation_test(one, other, False, 20_000, 1) == pytest.approx(exact, abs=0.005)


def test_rows_of_one_group_are_swapped_together(single):
    """Twelve rows that differ are convincing; in two groups they are two cases."""
    gold = [0, 1] * 12
    other = [1 - label for label in gold[:12]] + gold[12:]
    groups = ["x"] * 6 + ["y"] * 6 + [f"z{row}" for row in range(12)]
    alone = permutation_test(counts(single(gold, gold)), counts(single(gold, other)), False, 2000, 1)
    together = permutation_test(counts(single(gold, gold, groups)), counts(single(gold, other, groups)), False, 2000, 1)
    assert alone < 0.01
    assert together == pytest.approx(0.5, abs=0.06)


def test_the_permutation_test_errs_in_about_five_percent(single):
    generator = np.random.default_rng(11)
    pairs = (generated(generator, 40, 1, single, of_seeds=0.0) for _ in range(200))
    wrong = [permutation_test(one, other, False, 200, 1) < 0.05 for one, other in pairs]
    # 0.05 ± three standard errors of 200 experiments.
    assert 0.005 <= np.mean(wrong) <= 0.096


def hierarchical(found, seeds: int, resamples: int = 200):
    points, draws = f1_scores(found.sum(axis=1), False), cluster_draws(found, False, resamples, 1)
    return hierarchical_bootstrap(
        [points[:seeds], points[seeds:]], [draws[:, :seeds], draws[:, seeds:]], found.shape[1], 0.95, 1
    )


@pytest.mark.parametrize("of_seeds", [0.05, 0.4])
def test_the_hierarchical_bootstrap_errs_in_about_five_percent(single, of_seeds):
    generator = np.random.default_rng(12)
    wrong = [hierarchical(generated(generator, 40, 3, single, of_seeds=of_seeds), 3).p[0] < 0.05 for _ in range(150)]
    assert np.mean(wrong) <= 0.103


def test_a_planted_difference_is_found(single):
    generator = np.random.default_rng(13)
    found = [generated(generator, 60, 3, single, shift=1.0) for _ in range(20)]
    assert np.mean([permutation_test(each[0], each[3], False, 200, 1) < 0.05 for each in found]) > 0.6
    assert np.mean([hierarchical(each, 3).p[0] < 0.05 for each in found]) > 0.6


def test_the_interval_leaves_out_zero_where_p_is_small(single):
    generator = np.random.default_rng(14)
    for shift in (0.0, 0.3, 1.0):
        found = hierarchical(generated(generator, 40, 3, single, shift=shift), 3)
        assert ((found.low > 0) | (found.high < 0)).tolist() == (found.p < 0.05).tolist()


def test_seeds_widen_the_interval_of_a_mean():
    # The draws of clusters do not vary, so that all there is are the seeds: 0.5 ± t(2) · 0.1 / √3.
    points = np.array([[0.4], [0.5], [0.6]])
    found = hierarchical_bootstrap([points], [np.repeat(points[None], 40_000, axis=0)], 50, 0.95, 1)
    reach = 4.3027 * 0.1 / np.sqrt(3)
    assert found.value[0] == pytest.approx(0.5)
    assert (found.low[0], found.high[0]) == pytest.approx((0.5 - reach, 0.5 + reach), abs=0.005)


def test_seeds_that_differ_by_chance_in_the_clusters_widen_nothing():
    generator = np.random.default_rng(5)
    draws = 0.5 + 0.1 * generator.normal(size=(5000, 3, 1))
    found = hierarchical_bootstrap([np.array([[0.45], [0.5], [0.55]])], [draws], 10_000, 0.95, 1)
    reach = 1.96 * draws.mean(axis=1).std()
    assert found.high[0] - found.value[0] == pytest.approx(reach, rel=0.25)


def test_configurations_without_any_difference_are_equal():
    points = np.full((3, 2), 0.7)
    draws = np.full((100, 3, 2), 0.7)
    found = hierarchical_bootstrap([points, points], [draws, draws], 20, 0.95, 1)
    assert found.p.tolist() == [1.0, 1.0]
    assert found.value.tolist() == found.low.tolist() == [0.0, 0.0]
