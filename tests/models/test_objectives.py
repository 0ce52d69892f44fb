"""Class weights, and the metrics that choose an epoch; the losses are tested with their trainer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from conflictnlp.models.objectives import balanced_weights, disagreement, validation_metrics


def test_balanced_class_weights():
    assert balanced_weights(np.array([0, 0, 0, 2]), 3, multi=False).tolist() == pytest.approx([4 / 6, 1.0, 2.0])


def test_balanced_weights_of_several_labels_are_negatives_to_positives():
    targets = np.array([[1, 0], [1, 0], [1, 0], [0, 0]])
    assert balanced_weights(targets, 2, multi=True).tolist() == pytest.approx([1 / 3, 3.0])


def test_a_very_rare_label_weighs_no_more_than_twenty():
    targets = np.zeros((100, 1), dtype=int)
    targets[0] = 1
    assert balanced_weights(targets, 1, multi=True).tolist() == [20.0]


def test_validation_counts_the_classes_that_occur():
    # Two of class 0 found; the one of class 2 is taken for class 1, which never occurs.
    logits = np.log(np.array([[0.8, 0.1, 0.1], [0.5, 0.25, 0.25], [0.1, 0.7, 0.2]]))
    metrics = validation_metrics(logits, np.array([0, 0, 2]), multi=False)
    assert metrics["macro_f1"] == pytest.approx(0.5)
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["loss"] == pytest.approx(-np.log([0.8, 0.5, 0.2]).mean())


def test_validation_of_several_labels():
    logits = np.array([[2.0, -1.0], [-3.0, 0.5]])
    metrics = validation_metrics(logits, np.array([[1, 1], [0, 1]]), multi=True)
    assert metrics["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert metrics["accuracy"] == 0.75
    assert metrics["loss"] == pytest.approx(np.log1p(np.exp([-2.0, 1.0, -3.0, -0.5])).mean())


def test_two_answers_alike_do_not_disagree():
    logits = torch.tensor([[0.3, -1.0, 2.0]])
    assert disagreement(logits, logits + 5, multi=False).tolist() == pytest.approx([0.0], abs=1e-6)


def test_disagreement_is_the_mean_divergence_of_both_ways():
    one, other = np.array([0.2, 0.8]), np.array([0.6, 0.4])
    both = ((one * np.log(one / other)).sum() + (other * np.log(other / one)).sum()) / 2
    found = disagreement(torch.tensor(np.log([one])), torch.tensor(np.log([other])), multi=False)
    assert found.tolist() == pytest.approx([both])


def test_with_several_labels_disagreement_is_the_mean_over_their_yes_and_no():
    # The chances of the first label are 0.2 and 0.6, of the second 0.5 both times.
    one, other = torch.tensor([[np.log(0.25), 0.0]]), torch.tensor([[np.log(1.5), 0.0]])
    alone = disagreement(torch.tensor(np.log([[0.2, 0.8]])), torch.tensor(np.log([[0.6, 0.4]])), multi=False)
    assert disagreement(one, other, multi=True).tolist() == pytest.approx([float(alone[0]) / 2], rel=1e-6)
