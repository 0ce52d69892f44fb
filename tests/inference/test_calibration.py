from __future__ import annotations

import numpy as np
import pytest

from conflictnlp.inference.calibration import fit_temperature, tune_thresholds
from conflictnlp.models.base import sigmoid, softmax

LOGITS = np.random.default_rng(0).normal(scale=2.0, size=(4000, 3))


def drawn(probabilities: np.ndarray) -> np.ndarray:
    """Draw a class from each row of probabilities."""
    generator = np.random.default_rng(1)
    return (probabilities.cumsum(axis=1) > generator.random((len(probabilities), 1))).argmax(axis=1)


def one_column(chances: list[float], truth: list[int]) -> float:
    (threshold,) = tune_thresholds(np.array(chances)[:, None], np.array(truth)[:, None])
    return threshold


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature):
    targets = drawn(softmax(LOGITS))
    assert fit_temperature(LOGITS * temperature, targets, multi=False) == pytest.approx(temperature, rel=0.08)


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_a_known_temperature_of_several_labels_is_recovered(temperature):
    targets = (sigmoid(LOGITS) > np.random.default_rng(2).random(LOGITS.shape)).astype(int)
    assert fit_temperature(LOGITS * temperature, targets, multi=True) == pytest.approx(temperature, rel=0.08)


def test_temperature_never_changes_the_ranking():
    temperature = fit_temperature(LOGITS * 5, drawn(softmax(LOGITS)), multi=False)
    before, after = softmax(LOGITS * 5), softmax(LOGITS * 5 / temperature)
    assert np.array_equal(before.argsort(axis=1), after.argsort(axis=1))


def test_a_model_that_is_always_right_is_made_surer_within_bounds():
    assert fit_temperature(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]), multi=False) == pytest.approx(
        0.05, rel=0.01
    )


def test_a_model_that_is_always_wrong_is_made_less_sure_within_bounds():
    assert fit_temperature(np.array([[9.0, 0.0], [0.0, 9.0]]), np.array([1, 0]), multi=False) == pytest.approx(
        20, rel=0.01
    )


def test_nothing_to_learn_from_leaves_the_temperature_at_one():
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=int), multi=False) == 1.0


def test_huge_logits_give_a_finite_temperature():
    assert 0.05 <= fit_temperature(np.array([[1e4, -1e4], [1e4, -1e4]]), np.array([0, 1]), multi=False) <= 20


def test_a_threshold_lies_between_the_true_and_the_false():
    assert one_column([0.9, 0.3, 0.1], [1, 1, 0]) == pytest.approx(0.2)


def test_a_threshold_above_one_half():
    assert one_column([0.9, 0.8, 0.7], [1, 0, 0]) == pytest.approx(0.85)


def test_f1_decides_and_not_accuracy():
    # Taking all four finds F1 2*2/(4+2) = 0.67; taking the first alone 2*1/(1+2) = 0.67; the first three 0.8.
    assert one_column([0.9, 0.8, 0.6, 0.2], [1, 0, 1, 0]) == pytest.approx(0.4)


def test_among_equals_the_threshold_nearest_one_half_is_taken():
    # Taking one gives F1 2/3 and so does taking all four.
    assert one_column([0.9, 0.4, 0.3, 0.2], [1, 0, 0, 1]) == pytest.approx(0.65)
    assert one_column([0.99, 0.9, 0.8, 0.7], [1, 0, 0, 1]) == pytest.approx(0.35)


def test_equal_probabilities_are_never_parted():
    assert one_column([0.6, 0.6, 0.6, 0.2], [1, 0, 0, 0]) == pytest.approx(0.4)


def test_a_label_without_cases_keeps_one_half():
    assert one_column([0.9, 0.1], [0, 0]) == 0.5


def test_a_label_that_always_applies():
    assert one_column([0.9, 0.7], [1, 1]) == pytest.approx(0.35)


def test_a_label_of_probability_zero_keeps_one_half():
    assert one_column([0.0, 0.0], [1, 0]) == 0.5


def test_thresholds_stay_within_bounds():
    assert one_column([1.0, 1.0, 0.999], [1, 1, 0]) == 0.99
    assert one_column([0.001, 0.0005], [1, 1]) == 0.01


def test_one_threshold_for_each_label():
    chances = np.array([[0.9, 0.2], [0.1, 0.8]])
    assert tune_thresholds(chances, np.array([[1, 1], [0, 1]])) == pytest.approx([0.5, 0.1])
