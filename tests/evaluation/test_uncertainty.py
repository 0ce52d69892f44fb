from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from conflictnlp.evaluation import bootstrap_intervals, score
from conflictnlp.evaluation.metrics import Outcome
from conflictnlp.evaluation.uncertainty import calibration_interval, cluster_counts, resample_weights


@pytest.fixture(scope="module")
def rows():
    """Forty rows of three labels of which about two thirds are right."""
    generator = np.random.default_rng(3)
    gold = generator.integers(0, 3, 40)
    return gold, np.where(generator.random(40) < 0.65, gold, generator.integers(0, 3, 40))


def width(intervals, name="macro_f1") -> float:
    return intervals[name].high - intervals[name].low


def test_counts_of_each_cluster(single):
    counts = cluster_counts(single([0, 1, 0], [0, 0, 1], clusters=["x", "y", "x"], labels="ab"))
    hits, alarms, misses = counts[:, :, 0], counts[:, :, 1], counts[:, :, 2]
    assert hits.tolist() == [[1, 0], [0, 0]]
    assert alarms.tolist() == [[0, 1], [1, 0]]
    assert misses.tolist() == [[1, 0], [0, 1]]
    assert counts[:, :, 3].tolist() == [[1, 2], [0, 1]]


def test_every_draw_is_as_large_as_the_sample():
    weights = resample_weights(7, 50, seed=1)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_intervals_hold_the_point_scores(single, rows):
    outcome = single(*rows)
    scores, intervals = score(outcome), bootstrap_intervals(outcome)
    assert set(intervals) == {"macro_f1", "accuracy", "f1/a", "f1/b", "f1/c"}
    for name, interval in intervals.items():
        assert 0 <= interval.low < scores[name] < interval.high <= 1


def test_intervals_are_the_same_for_the_same_seed(single, rows):
    assert bootstrap_intervals(single(*rows), seed=5) == bootstrap_intervals(single(*rows), seed=5)


def test_intervals_do_not_depend_on_the_order_of_rows(single, rows):
    gold, predicted = rows
    names = [f"text {number:02}" for number in range(40)]
    turned = single(gold[::-1], predicted[::-1], names[::-1])
    assert bootstrap_intervals(turned) == bootstrap_intervals(single(gold, predicted, names))


def test_repeating_every_row_within_its_cluster_does_not_narrow_an_interval(single, rows):
    gold, predicted = rows
    names = [str(number // 2) for number in range(40)]
    once = bootstrap_intervals(single(gold, predicted, names))
    thrice = bootstrap_intervals(single(np.repeat(gold, 3), np.repeat(predicted, 3), list(np.repeat(names, 3))))
    assert thrice.keys() == once.keys()
    for name, interval in once.items():
        assert (thrice[name].low, thrice[name].high) == pytest.approx((interval.low, interval.high))


def test_rows_of_one_text_widen_an_interval(single, rows):
    gold, predicted = np.repeat(rows[0], 5), np.repeat(rows[1], 5)
    own = bootstrap_intervals(single(gold, predicted))
    clustered = bootstrap_intervals(single(gold, predicted, [str(number // 5) for number in range(200)]))
    assert width(clustered) > 1.7 * width(own)
    assert width(clustered, "accuracy") > 1.7 * width(own, "accuracy")


def test_a_wider_level_gives_a_wider_interval(single, rows):
    assert width(bootstrap_intervals(single(*rows), level=0.99)) > width(bootstrap_intervals(single(*rows), level=0.8))


def test_accuracy_interval_of_coin_tosses(single):
    # 100 rows, half right: the standard error is 0.05, so the interval is about 0.4 to 0.6.
    interval = bootstrap_intervals(single([0] * 50 + [1] * 50, [0] * 100, labels="ab"), resamples=4000)["accuracy"]
    assert (interval.low, interval.high) == pytest.approx((0.4, 0.6), abs=0.02)


def test_a_faultless_model_has_no_interval_to_speak_of(single):
    intervals = bootstrap_intervals(single([0, 1, 2] * 5, [0, 1, 2] * 5))
    assert {(interval.low, interval.high) for name, interval in intervals.items() if not name.startswith("f1/")} == {
        (1, 1)
    }


def test_a_draw_without_a_rare_label_is_scored_on_the_others(single):
    # About a third of the draws miss the one row of c; with c counted as 0 the lower end would be 2/3.
    intervals = bootstrap_intervals(single([0, 1] * 10 + [2], [0, 1] * 10 + [2]))
    assert (intervals["macro_f1"].low, intervals["f1/c"].low) == (1, 0)


def test_several_labels_cover_all_declared(several):
    outcome = several([[1, 0], [0, 0], [1, 0], [1, 0]] * 5, [[1, 0], [0, 0], [1, 0], [0, 0]] * 5)
    intervals = bootstrap_intervals(outcome)
    assert intervals["f1/b"].high == 0.0
    assert intervals["macro_f1"].high == pytest.approx(intervals["f1/a"].high / 2)


def test_one_label_of_several_has_an_interval(several):
    intervals = bootstrap_intervals(several([[1], [0], [1], [1]] * 5, [[1], [0], [0], [1]] * 5))
    assert 0 < intervals["macro_f1"].low < intervals["macro_f1"].high < 1


def test_no_resamples_give_no_intervals(single, rows):
    assert bootstrap_intervals(single(*rows), resamples=0) == {}


def test_one_cluster_gives_no_intervals(single):
    assert bootstrap_intervals(single([0, 1, 0], [0, 1, 1], clusters=["x"] * 3)) == {}


def test_clusters_named_by_a_long_text_need_little_memory(single):
    outcome = single([0, 1] * 25, [0, 0] * 25, clusters=["long " * 200_000, *(str(row) for row in range(49))])
    tracemalloc.start()
    try:
        cluster_counts(outcome)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


class TestCalibrationInterval:
    def outcome(self, share_right: float, stated: float = 0.8, rows: int = 200) -> Outcome:
        gold = (np.arange(rows) >= share_right * rows).astype(np.int64)
        chances = np.tile([stated, 1 - stated], (rows, 1))
        return Outcome(
            ["a", "b"], gold, np.zeros(rows, dtype=np.int64), chances, [str(row // 2) for row in range(rows)]
        )

    def test_it_lies_around_the_error_of_an_overconfident_model(self):
        interval = calibration_interval(self.outcome(0.5), bins=1)
        assert interval.low < 0.3 < interval.high
        assert interval.high - interval.low < 0.25

    def test_dependent_rows_widen_it(self):
        wide = calibration_interval(self.outcome(0.5), bins=1)
        outcome = self.outcome(0.5)
        single = Outcome(
            outcome.labels, outcome.gold, outcome.predicted, outcome.probabilities, list(map(str, range(200)))
        )
        narrow = calibration_interval(single, bins=1)
        assert wide.high - wide.low > narrow.high - narrow.low

    def test_one_cluster_or_no_draws_have_none(self):
        assert calibration_interval(self.outcome(0.5, rows=2), bins=1) is None
        assert calibration_interval(self.outcome(0.5), bins=1, resamples=0) is None

    def test_several_labels_count_each(self):
        gold = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
        outcome = Outcome(["a", "b"], gold, gold, np.full((4, 2), 0.5), list("wxyz"))
        assert calibration_interval(outcome, bins=1).low >= 0
