from __future__ import annotations

from conflictnlp.models.batching import LengthGroupedBatches, TrainingWindow, collate

PAD = 9


def test_collate_pads_to_a_multiple_of_eight():
    batch = collate([TrainingWindow([1, 2], 0, 0.5), TrainingWindow([3] * 9, 1, 1.0)], PAD)
    assert batch["input_ids"].tolist() == [[1, 2] + [PAD] * 14, [3] * 9 + [PAD] * 7]
    assert batch["attention_mask"].sum(dim=1).tolist() == [2, 9]
    assert batch["targets"].tolist() == [0, 1]
    assert batch["weights"].tolist() == [0.5, 1.0]


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
