from __future__ import annotations

from math import log
from types import SimpleNamespace

import pytest
import torch
from transformers import TrainerCallback, TrainingArguments

from conflictnlp.models.trainer import (
    ClassificationTrainer,
    LengthGroupedBatches,
    TrainingWindow,
    collate,
    last_checkpoint,
)

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


def test_collate_pads_to_a_multiple_of_eight():
    batch = collate([TrainingWindow([1, 2], 0, 0.5), TrainingWindow([3] * 9, 1, 1.0)], PAD)
    assert batch["input_ids"].tolist() == [[1, 2] + [PAD] * 14, [3] * 9 + [PAD] * 7]
    assert batch["attention_mask"].sum(dim=1).tolist() == [2, 9]
    assert batch["targets"].tolist() == [0, 1]
    assert batch["weights"].tolist() == [0.5, 1.0]


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


LENGTHS = [(7 * number) % 53 + 1 for number in range(103)]


def test_batches_hold_every_window_once():
    batches = list(LengthGroupedBatches(LENGTHS, 8, seed=1))
    assert sorted(number for batch in batches for number in batch) == list(range(103))


def test_batches_are_as_many_as_announced_and_none_too_large():
    grouped = LengthGroupedBatches(LENGTHS, 8, seed=1)
    sizes = [len(batch) for batch in grouped]
    assert sorted(sizes) == [7] + [8] * 12
    assert len(grouped) == 13


def test_batches_are_the_same_for_the_same_seed_and_epoch():
    assert list(LengthGroupedBatches(LENGTHS, 8, seed=1)) == list(LengthGroupedBatches(LENGTHS, 8, seed=1))


def test_batches_differ_by_seed():
    assert list(LengthGroupedBatches(LENGTHS, 8, seed=1)) != list(LengthGroupedBatches(LENGTHS, 8, seed=2))


def test_batches_differ_by_epoch():
    grouped = LengthGroupedBatches(LENGTHS, 8, seed=1)
    first = list(grouped)
    grouped.set_epoch(1)
    assert list(grouped) != first


def test_batches_hold_windows_of_like_length():
    for batch in LengthGroupedBatches(range(80), 8, seed=1):
        assert batch == list(range(min(batch), min(batch) + 8))


def shares(lengths, processes: int) -> list[list[list[int]]]:
    return [list(LengthGroupedBatches(lengths, 8, 1, process, processes)) for process in range(processes)]


def test_several_processes_share_the_batches_of_one():
    of_one = list(LengthGroupedBatches(LENGTHS, 8, seed=1))
    first, second = shares(LENGTHS, 2)
    # 13 batches: the first stands in for a fourteenth, so that no process waits for another.
    assert [batch for turn in zip(first, second, strict=True) for batch in turn] == [*of_one, of_one[0]]
    assert len(LengthGroupedBatches(LENGTHS, 8, 1, 1, 2)) == 7


def test_more_processes_than_batches_all_have_one():
    assert shares(range(8), 3) == [[list(range(8))]] * 3


def test_no_windows_give_no_batches():
    assert list(LengthGroupedBatches([], 8, seed=1)) == []


def checkpoint(folder, name: str, state: str | None) -> None:
    (folder / name).mkdir()
    if state is not None:
        (folder / name / "trainer_state.json").write_text(state)


def test_the_newest_checkpoint_is_the_one_of_most_steps(tmp_path):
    for step in (9, 10, 2):
        checkpoint(tmp_path, f"checkpoint-{step}", "{}")
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


@pytest.mark.parametrize("state", [None, "", '{"epoch": 1.0, "glob'])
def test_a_half_written_checkpoint_is_passed_over(tmp_path, state):
    checkpoint(tmp_path, "checkpoint-4", "{}")
    checkpoint(tmp_path, "checkpoint-8", state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-4"


def test_a_folder_that_only_looks_like_a_checkpoint_is_passed_over(tmp_path):
    checkpoint(tmp_path, "checkpoint-best", "{}")
    assert last_checkpoint(tmp_path) is None


def test_there_is_no_checkpoint_in_a_missing_folder(tmp_path):
    assert last_checkpoint(tmp_path / "none") is None
