from __future__ import annotations

from math import log
from types import SimpleNamespace

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, TrainerCallback, TrainingArguments

from conflictnlp.models.batching import TrainingWindow
from conflictnlp.models.objectives import Objective
from conflictnlp.models.trainer import ClassificationTrainer, disturbed

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

    def get_input_embeddings(self):
        return self.words


class Wavering(torch.nn.Module):
    """Answers the next of its logits at each call, as under dropout."""

    def __init__(self, *logits) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor(logits))
        self.calls = 0

    def forward(self, input_ids, attention_mask):
        self.calls += 1
        return SimpleNamespace(logits=self.logits[self.calls - 1 : self.calls])


class KeepGradients(TrainerCallback):
    def __init__(self) -> None:
        self.found: list[torch.Tensor] = []

    def on_pre_optimizer_step(self, args, state, control, model, **_):
        self.found.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))


def trainer(folder, model, windows=(), arguments=None, callbacks=(), **settings) -> ClassificationTrainer:
    objective = {name: settings.pop(name) for name in [*settings] if name in Objective.__dataclass_fields__}
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
        objective=Objective(**objective),
        callbacks=callbacks,
        **settings,
    )


def loss(folder, logits, targets, weights=None, **settings) -> float:
    return answered(folder, FixedLogits(logits), targets, weights, **settings)


def answered(folder, model, targets, weights=None, **settings) -> float:
    inputs = {
        "input_ids": torch.zeros(len(targets), 1, dtype=torch.long),
        "attention_mask": torch.ones(len(targets), 1),
        "targets": torch.tensor(targets),
        "weights": torch.tensor(weights or [1.0] * len(targets)),
        "tasks": torch.zeros(len(targets), dtype=torch.long),
    }
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


def test_r_drop_adds_the_disagreement_of_two_passes(tmp_path):
    found = answered(tmp_path, Wavering(SURE, [0.0, 0.0]), [1], r_drop=0.5)
    # Half of (0.25 - 0.5) ln(0.25 / 0.5) + (0.75 - 0.5) ln(0.75 / 0.5).
    apart = (0.25 * log(2) + 0.25 * log(1.5)) / 2
    assert found == pytest.approx((-log(0.75) - log(0.5)) / 2 + 0.5 * apart)


def test_without_r_drop_a_batch_is_read_once(tmp_path):
    model = Wavering(SURE, SURE)
    answered(tmp_path, model, [1])
    assert model.calls == 1


def test_samples_of_the_last_layer_s_dropout_share_what_it_reads(tmp_path):
    model = BagOfWords()
    found = answered(tmp_path, model, [1, 0], dropout_samples=4)
    # As the stock Trainer seeds itself.
    torch.manual_seed(42)
    features = model.words(torch.zeros(2, 1, dtype=torch.long)).mean(1)
    answers = [model.head(torch.nn.functional.dropout(features, 0.5)) for _ in range(4)]
    wanted = [torch.nn.functional.cross_entropy(logits, torch.tensor([1, 0])).item() for logits in answers]
    assert found == pytest.approx(sum(wanted) / 4)
    assert len(set(wanted)) > 1


@pytest.mark.parametrize("targets", [[0, 1], [[0.8, 0.2], [0.1, 0.9]]])
def test_a_contrastive_training_leaves_the_head(tmp_path, targets):
    model = BagOfWords()
    windows = [TrainingWindow([2 * n + 1, 2 * n + 2], targets[n % 2], 1.0) for n in range(4)]
    arguments = {"max_steps": 2, "per_device_train_batch_size": 4, "learning_rate": 0.1, "weight_decay": 0.0}
    trainer(tmp_path, model, windows, arguments, contrastive=True).train()
    assert torch.equal(model.head.weight, BagOfWords().head.weight)
    assert not torch.equal(model.words.weight, BagOfWords().words.weight)


def test_a_disturbance_has_its_length_and_is_taken_back():
    weights = torch.nn.Parameter(torch.tensor([[1.0, 2.0], [0.0, 0.0]]))
    weights.grad = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    with disturbed(weights, 0.5):
        assert torch.allclose(weights, torch.tensor([[1.3, 2.0], [0.0, 0.4]]))
    assert torch.equal(weights, torch.tensor([[1.0, 2.0], [0.0, 0.0]]))


@pytest.mark.parametrize("gradient", [None, [0.0, 0.0], [float("inf"), 1.0], [float("nan"), 1.0]])
def test_a_gradient_that_points_nowhere_disturbs_nothing(gradient):
    weights = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    weights.grad = None if gradient is None else torch.tensor(gradient)
    with disturbed(weights, 0.5):
        assert weights.tolist() == [1.0, 2.0]


def test_an_adversarial_step_adds_the_gradient_under_the_disturbance(tmp_path):
    windows = [TrainingWindow([1, 2], 1, 1.0)]
    arguments = {"max_steps": 1, "max_grad_norm": 0.0, "learning_rate": 0.0}
    plain, both = KeepGradients(), KeepGradients()
    trainer(tmp_path, BagOfWords(), windows, arguments, [plain]).train()
    model = BagOfWords()
    trainer(tmp_path, model, windows, arguments, [both], adversarial=2.0).train()
    added = both.found[0] - plain.found[0]
    # Along the gradient the loss rises, and with it the gradient of the head.
    assert added[-2:].norm() > 1.05 * plain.found[0][-2:].norm()
    assert torch.equal(model.words.weight, BagOfWords().words.weight)


def test_learning_rates_fall_from_layer_to_layer(tmp_path):
    model = BertForSequenceClassification(
        BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=2, num_attention_heads=1, intermediate_size=8)
    )
    arguments = {"learning_rate": 1.0, "weight_decay": 0.5}
    optimizer = trainer(tmp_path, model, arguments=arguments, layer_decay=0.5).create_optimizer()
    assert {group["lr"] for group in optimizer.param_groups} == {1.0, 0.5, 0.25, 0.125}
    assert type(optimizer) is type(trainer(tmp_path, model, arguments=arguments).create_optimizer())
