"""Class weights, and the metrics that choose an epoch; the losses are tested with their trainer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from conflictnlp.models.objectives import (
    Objective,
    balanced_weights,
    contrastive_losses,
    disagreement,
    validation_metrics,
    window_losses,
)


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


class TestContrastiveLosses:
    """Supervised contrastive learning."""

    def test_the_share_of_its_own_class_among_the_others(self):
        # Cosines to the first: 0 (its class) and -1; at temperature 1.
        features = torch.tensor([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0]])
        found = contrastive_losses(features, torch.tensor([0, 0, 1]), temperature=1.0)
        assert found[0].item() == pytest.approx(np.log(1 + np.exp(-1)))

    def test_several_of_its_class_are_a_mean(self):
        features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        found = contrastive_losses(features, torch.tensor([0, 0, 0]), temperature=1.0)
        both = np.exp(1) + 1
        assert found[0].item() == pytest.approx((np.log(both / np.exp(1)) + np.log(both)) / 2)

    @pytest.mark.parametrize("classes", [[0], [0, 1, 2]])
    def test_a_class_that_stands_alone_teaches_nothing(self, classes):
        features = torch.randn(len(classes), 4, requires_grad=True)
        found = contrastive_losses(features, torch.tensor(classes))
        found.sum().backward()
        assert found.tolist() == [0.0] * len(classes)
        assert torch.equal(features.grad, torch.zeros_like(features))

    def test_training_draws_a_class_together(self):
        features = torch.nn.Parameter(torch.randn(6, 3, generator=torch.Generator().manual_seed(1)))
        classes = torch.tensor([0, 1, 0, 1, 0, 1])
        optimizer = torch.optim.SGD([features], lr=0.5)
        for _ in range(100):
            optimizer.zero_grad()
            contrastive_losses(features, classes).mean().backward()
            optimizer.step()
        near = torch.nn.functional.cosine_similarity(features[:, None], features[None], dim=2)
        assert near[0, 2] > 0.9 > 0.2 > near[0, 1]


class TestSeveralTasks:
    """Each window counts in the columns of its own task."""

    LOGITS = torch.tensor([[1.0, 0.0, 9.0, -9.0, 3.0], [9.0, -9.0, 0.5, 0.0, -1.0], [0.0, 2.0, 5.0, 5.0, 5.0]])
    TARGETS = torch.tensor([[0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0], [0.25, 0.75, 0.0, 0.0, 0.0]])
    TASKS = torch.tensor([0, 1, 0])

    def test_losses_are_those_of_each_task_alone(self):
        weights = torch.tensor([2.0, 5.0])
        objective = Objective(widths=(2, 3), class_weights=weights, label_smoothing=0.1, focal_gamma=2.0)
        found = objective.losses(self.LOGITS, self.TARGETS, self.TASKS)
        ours = window_losses(self.LOGITS[[0, 2], :2], self.TARGETS[[0, 2], :2], False, weights, 0.1, 2.0)
        other = window_losses(self.LOGITS[[1], 2:], self.TARGETS[[1], 2:], False, None, 0.1, 2.0)
        assert found.tolist() == pytest.approx([ours[0].item(), other[0].item(), ours[1].item()])

    def test_only_ours_may_bear_several_labels(self):
        found = Objective(multi=True, widths=(2, 3)).losses(self.LOGITS, self.TARGETS, self.TASKS)
        ours = window_losses(self.LOGITS[:1, :2], self.TARGETS[:1, :2], True)
        other = window_losses(self.LOGITS[1:2, 2:], self.TARGETS[1:2, 2:], False)
        assert found[:2].tolist() == pytest.approx([ours.item(), other.item()])

    def test_a_batch_of_one_task_has_no_loss_of_the_other(self):
        logits = self.LOGITS[:1].clone().requires_grad_()
        Objective(widths=(2, 3)).losses(logits, self.TARGETS[:1], self.TASKS[:1]).sum().backward()
        assert logits.grad is not None
        assert logits.grad[0, :2].abs().sum() > 0
        assert logits.grad[0, 2:].tolist() == [0, 0, 0]

    def test_answers_disagree_in_their_own_columns(self):
        other = self.LOGITS.flip(1)
        found = Objective(widths=(2, 3)).disagreement(self.LOGITS, other, self.TASKS)
        assert found[0].item() == pytest.approx(disagreement(self.LOGITS[:1, :2], other[:1, :2], False).item())
        assert found[1].item() == pytest.approx(disagreement(self.LOGITS[1:2, 2:], other[1:2, 2:], False).item())
