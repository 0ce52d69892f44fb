from __future__ import annotations

from math import log
from types import SimpleNamespace

import pytest
import torch
from transformers import TrainerCallback, TrainingArguments

from conflictnlp.models.batching import TrainingWindow
from conflictnlp.models.trainer import ClassificationTrainer

PAD = 9


class FixedLogits(torch.nn.Module):
    """Answers the same logits whatever it is given."""

    def __init__(self, logits) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor(logits))

    def forward(self, input_ids, attention_mask):
        return SimpleNamespace(logits=self.logits)


class BagOfWords(torch.nn.Module):
    """Two classes from the mean of word vectors."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = torch.nn.Embedding(10, 4)
        self.head = torch.nn.Linear(4, 2)

    # The stock Trainer may take a model of further arguments, as encoders are, to scale its loss itself.
    def forward(self, input_ids, attention_mask, **_):
        mask = attention_mask[:, :, None]
        return SimpleNamespace(logits=self.head((self.words(input_ids) * mask).sum(1) / mask.sum(1)))


class KeepGradients(TrainerCallback):
    def __init__(self) -> None:
        self.found: list[torch.Tensor] = []

    def on_pre_optimizer_step(self, args, state, control, model, **_):
        self.found.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))


def trainer(folder, model, windows=(), arguments=None, callbacks=(), **settings) -> ClassificationTrainer:
    chosen = {"multi": False, "class_weights": None, "focal_gamma": None, "label_smoothing": 0.0, **settings}
    return ClassificationTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            remove_unused_columns=False,
            **(arguments or {}),
        ),
        windows=windows or [TrainingWindow([1], 0, 1.0)],
        pad_id=PAD,
        validate=None,
        callbacks=list(callbacks),
        **chosen,
    )


def loss(folder, logits, targets, weights=None, **settings) -> float:
    inputs = {
        "input_ids": torch.zeros(len(targets), 1),
        "attention_mask": torch.ones(len(targets), 1),
        "targets": torch.tensor(targets),
        "weights": torch.tensor(weights or [1.0] * len(targets)),
    }
    model = FixedLogits(logits)
    return trainer(folder, model, **settings).compute_loss(model, inputs).item()


def gradients(folder, windows, batch_size, accumulation, steps) -> list[torch.Tensor]:
    arguments = {
        "per_device_train_batch_size": batch_size,
        "gradient_accumulation_steps": accumulation,
        "max_steps": steps,
        "max_grad_norm": 0.0,
        "learning_rate": 0.0,
    }
    kept = KeepGradients()
    trainer(folder, BagOfWords(), windows, arguments, [kept]).train()
    return kept.found


# In all cases below the model says 0.25 to the first and 0.75 to the second of two classes.
SURE = [0.0, log(3)]


def test_cross_entropy(tmp_path):
    assert loss(tmp_path, [SURE, SURE], [1, 0]) == pytest.approx((-log(0.75) - log(0.25)) / 2)


def test_windows_count_by_their_weight(tmp_path):
    found = loss(tmp_path, [SURE, SURE], [1, 0], weights=[0.25, 0.75])
    assert found == pytest.approx(-0.25 * log(0.75) - 0.75 * log(0.25))


def test_class_weights_multiply_the_loss(tmp_path):
    found = loss(tmp_path, [SURE, SURE], [1, 0], class_weights=torch.tensor([3.0, 0.5]))
    assert found == pytest.approx((-0.5 * log(0.75) - 3 * log(0.25)) / 2)


def test_label_smoothing_gives_every_class_its_share(tmp_path):
    found = loss(tmp_path, [SURE], [1], label_smoothing=0.2)
    assert found == pytest.approx(-0.9 * log(0.75) - 0.1 * log(0.25))


def test_focal_loss_heeds_the_sure_cases_less(tmp_path):
    found = loss(tmp_path, [SURE, SURE], [1, 0], focal_gamma=2.0)
    assert found == pytest.approx((-(0.25**2) * log(0.75) - 0.75**2 * log(0.25)) / 2)


def test_focal_loss_of_gamma_zero_is_cross_entropy(tmp_path):
    assert loss(tmp_path, [SURE], [1], focal_gamma=0.0) == pytest.approx(-log(0.75))


def test_a_distribution_is_aimed_at_class_by_class(tmp_path):
    found = loss(tmp_path, [SURE], [[0.4, 0.6]])
    assert found == pytest.approx(-0.6 * log(0.75) - 0.4 * log(0.25))


def test_focal_loss_heeds_what_is_near_its_distribution_less(tmp_path):
    found = loss(tmp_path, [SURE], [[0.4, 0.6]], focal_gamma=2.0)
    right = 0.4 * 0.25 + 0.6 * 0.75
    assert found == pytest.approx((1 - right) ** 2 * (-0.6 * log(0.75) - 0.4 * log(0.25)))


# With several labels the model says 0.5 to the first and 0.75 to the second.
def test_binary_cross_entropy_is_the_mean_over_labels(tmp_path):
    assert loss(tmp_path, [SURE], [[1, 0]], multi=True) == pytest.approx((-log(0.5) - log(0.25)) / 2)


def test_class_weights_multiply_the_positive_cases_of_a_label(tmp_path):
    found = loss(tmp_path, [SURE], [[1, 0]], multi=True, class_weights=torch.tensor([4.0, 7.0]))
    assert found == pytest.approx((-4 * log(0.5) - log(0.25)) / 2)


def test_label_smoothing_with_several_labels(tmp_path):
    found = loss(tmp_path, [SURE], [[1, 0]], multi=True, label_smoothing=0.2)
    assert found == pytest.approx((-log(0.5) - 0.9 * log(0.25) - 0.1 * log(0.75)) / 2)


def test_focal_loss_with_several_labels(tmp_path):
    found = loss(tmp_path, [SURE], [[1, 0]], multi=True, focal_gamma=1.0)
    assert found == pytest.approx((-0.5 * log(0.5) - 0.75 * log(0.25)) / 2)


def test_accumulated_gradients_are_those_of_one_large_batch(tmp_path):
    windows = [TrainingWindow([number, number + 1], number % 2, 1.0) for number in range(8)]
    large = gradients(tmp_path, windows, batch_size=8, accumulation=1, steps=1)
    small = gradients(tmp_path, windows, batch_size=2, accumulation=4, steps=1)
    assert torch.allclose(large[0], small[0], atol=1e-7)
    assert large[0].abs().max() > 0.01


def test_an_incomplete_accumulation_is_not_weaker(tmp_path):
    windows = [TrainingWindow([1, 2], 1, 1.0)] * 3
    first, second = gradients(tmp_path, windows, batch_size=1, accumulation=2, steps=2)
    assert torch.allclose(first, second, atol=1e-7)
