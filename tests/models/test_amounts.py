"""Batches and passes that the config leaves open."""

from __future__ import annotations

import pytest

from conflictnlp.models import TransformerClassifier
from conflictnlp.models.amounts import batch_for, examples_for, passes


@pytest.mark.parametrize(("rows", "batch"), [(1, 8), (4_000, 8), (4_001, 16), (10_000, 16), (10_001, 32)])
def test_few_rows_are_read_in_small_batches(rows, batch):
    assert batch_for(rows) == batch


@pytest.mark.parametrize(("step", "examples"), [(8, 8_000), (9, 20_000), (32, 20_000)])
def test_small_steps_need_fewer_examples(step, examples):
    assert examples_for(step) == examples


@pytest.mark.parametrize(
    ("examples", "wanted"),
    [(2_000, 10), (2_100, 10), (30_000, 2), (100, 20)],
)
def test_passes_lie_within_their_bounds(examples, wanted):
    assert passes(examples, 20_000, 2, 20) == wanted


def test_rows_of_other_sets_count_too(tiny_settings, texts, labels, monkeypatch):
    monkeypatch.setattr("conflictnlp.models.amounts._BATCHES", {30: 8})
    settings = {**tiny_settings, "batch_size": None}
    alone = TransformerClassifier(**settings).fit(texts, labels)
    beside = TransformerClassifier(**settings).fit(texts, labels, extra=(texts[:8], labels[:8]))
    assert (alone.batch_size_, alone.steps_) == (8, 3)
    assert (beside.batch_size_, beside.steps_) == (32, 1)


def test_small_batches_of_large_steps_see_as_many_as_large_ones(tiny_settings, texts, labels, monkeypatch):
    monkeypatch.setattr("conflictnlp.models.amounts._EXAMPLES", 24 * 5)
    monkeypatch.setattr("conflictnlp.models.amounts._EXAMPLES_IN_SMALL", 24 * 3)
    settings = {**tiny_settings, "batch_size": 8, "epochs": None}
    assert TransformerClassifier(**settings).fit(texts, labels).steps_ == 3 * 3
    assert TransformerClassifier(**settings, gradient_accumulation=3).fit(texts, labels).steps_ == 5
