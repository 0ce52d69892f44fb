from __future__ import annotations

from math import log

import numpy as np
import pytest
from sklearn.metrics import f1_score

from conflictnlp.evaluation import Outcome, calibration_bins, expected_calibration_error, score
from conflictnlp.evaluation.metrics import confidence


def test_scores_by_hand(single):
    # a: 2 hits, 1 miss; b: 1 hit, 1 false alarm, 1 miss; c: 1 hit, 1 false alarm.
    scores = score(single([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]))
    assert scores["precision/a"] == 1.0
    assert scores["recall/a"] == pytest.approx(2 / 3)
    assert scores["f1/a"] == pytest.approx(0.8)
    assert scores["f1/b"] == pytest.approx(0.5)
    assert scores["f1/c"] == pytest.approx(2 / 3)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["macro_f1"] == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)
    assert scores["macro_precision"] == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert scores["macro_recall"] == pytest.approx((2 / 3 + 0.5 + 1) / 3)


def test_macro_f1_covers_the_labels_in_the_gold(single):
    scores = score(single([0, 0, 1], [0, 2, 1]))
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert "f1/c" not in scores


def test_a_label_never_predicted_counts_as_zero(single):
    assert score(single([0, 0, 1], [0, 0, 0]))["macro_f1"] == pytest.approx((0.8 + 0) / 2)


def test_macro_f1_of_several_labels_covers_all_declared(several):
    scores = score(several([[1, 0, 0], [1, 1, 0]], [[1, 0, 0], [1, 0, 0]]))
    assert scores["f1/c"] == 0.0
    assert scores["macro_f1"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_is_that_of_the_contract(single, seed):
    generator = np.random.default_rng(seed)
    gold, predicted = generator.integers(0, 4, 30), generator.integers(0, 5, 30)
    wanted = f1_score(gold, predicted, average="macro", labels=np.unique(gold), zero_division=0)
    assert score(single(gold, predicted, labels="abcde"))["macro_f1"] == pytest.approx(wanted)


def test_scores_of_several_labels_by_hand(several):
    # a: 2 hits; b: 1 hit, 1 miss; 1 false alarm of c.
    scores = score(several([[1, 1, 0], [1, 1, 0], [0, 0, 0]], [[1, 1, 0], [1, 0, 0], [0, 0, 1]]))
    assert scores["micro_f1"] == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert scores["subset_accuracy"] == pytest.approx(1 / 3)
    assert scores["accuracy"] == pytest.approx(7 / 9)


def test_one_label_of_several_is_scored_on_its_cases(several):
    scores = score(several([[1], [0], [0], [0]], [[1], [1], [0], [0]]))
    assert scores["precision/a"] == 0.5
    assert scores["recall/a"] == 1.0
    assert scores["macro_f1"] == scores["micro_f1"] == pytest.approx(2 / 3)


def test_log_loss_by_hand(single):
    assert score(single([0, 1], [0, 0], labels="ab"))["log_loss"] == pytest.approx(-(log(0.8) + log(0.2)) / 2)


def test_log_loss_of_several_labels_by_hand(several):
    scores = score(several([[1, 0], [0, 0]], [[1, 0], [0, 1]]))
    assert scores["log_loss"] == pytest.approx(-(3 * log(0.9) + log(0.1)) / 4)


def test_log_loss_of_a_sure_mistake_is_finite():
    outcome = Outcome(["a", "b"], np.array([0]), np.array([1]), np.array([[0.0, 1.0]]), ["x"])
    assert score(outcome)["log_loss"] == pytest.approx(-log(1e-12))


def binary(stated: list[float], right: list[int]) -> Outcome:
    chances = np.array([[p, 1 - p] for p in stated])
    gold = np.array([0 if hit else 1 for hit in right])
    return Outcome(["a", "b"], gold, np.zeros_like(gold), chances, [str(p) for p in stated])


def test_calibration_error_with_ten_bins_of_equal_mass():
    # Twenty cases; each pair of neighbours is one bin, half right; their mean confidences average 0.74.
    stated = [0.55 + 0.02 * number for number in range(20)]
    order = np.random.default_rng(0).permutation(20)
    outcome = binary([stated[number] for number in order], [number % 2 for number in order])
    assert expected_calibration_error(outcome, 10) == pytest.approx(0.24)


def test_calibration_error_weighs_bins_by_their_cases():
    # Bins (0.6, 0.7) with one right of two and (0.9) with none right: |0.65 - 0.5| * 2/3 + 0.9 * 1/3.
    assert expected_calibration_error(binary([0.6, 0.9, 0.7], [1, 0, 0]), 2) == pytest.approx(0.4)


def test_fewer_cases_than_bins():
    assert expected_calibration_error(binary([0.9, 0.8, 0.6], [1, 0, 1]), 10) == pytest.approx((0.1 + 0.8 + 0.4) / 3)


def test_ten_bins_are_the_default():
    outcome = binary([0.55 + 0.02 * number for number in range(20)], [number % 2 for number in range(20)])
    assert score(outcome)["ece"] == expected_calibration_error(outcome, 10)


def test_bins_are_of_equal_mass_and_ordered():
    parts = calibration_bins(np.linspace(1, 0, 25), np.ones(25), 10)
    assert [count for _, _, count in parts] == [3, 3, 3, 3, 3, 2, 2, 2, 2, 2]
    assert [mean for mean, _, _ in parts] == sorted(mean for mean, _, _ in parts)


def test_confidence_is_the_highest_probability(single):
    stated, right = confidence(single([0, 1], [0, 0], labels="ab"))
    assert (stated.tolist(), right.tolist()) == ([0.8, 0.8], [1.0, 0.0])


def test_confidence_of_several_labels_is_each_labels(several):
    stated, right = confidence(several([[1, 0]], [[1, 1]]))
    assert stated == pytest.approx([0.9, 0.9])
    assert right.tolist() == [1.0, 0.0]


def test_support_counts_declared_labels_without_cases(single):
    assert single([0, 0, 1], [0, 0, 0]).support.tolist() == [2, 1, 0]


def test_coarser_classes_have_the_sums_of_their_labels(single):
    fine = single([0, 1, 2, 2], [1, 0, 2, 0], labels="abcd")
    coarse = fine.summed({"down": ["c", "d"], "up": ["b", "a"]})
    assert coarse.labels == ["down", "up"]
    assert coarse.gold.tolist() == [1, 1, 0, 0]
    assert coarse.predicted.tolist() == [1, 1, 0, 1]
    assert coarse.probabilities[0] == pytest.approx([2 / 15, 13 / 15])
    assert coarse.clusters == fine.clusters


def test_a_class_may_be_likelier_than_that_of_the_likeliest_label(single):
    fine = single([0], [0], labels="abc")
    fine.probabilities[0] = [0.4, 0.3, 0.3]
    assert fine.summed({"one": ["a"], "two": ["b", "c"]}).predicted.tolist() == [1]
