from __future__ import annotations

import json

import pytest

from conflictnlp.errors import InputError
from conflictnlp.export.parity import Parity, check_rows, compare_models
from conflictnlp.inference import Model
from conflictnlp.task import Label, Task

EQUAL = Parity("rows", 2000, 0.985, 1e-4, 0.0)


@pytest.fixture
def exchange_task() -> Task:
    labels = (Label("a", "one"), Label("b", "another"))
    return Task("plover", "single", labels, spans=("source", "target"), optional_spans=("target",))


def test_the_sample_gives_a_thousand_rows_and_more_to_every_task(topic_task, actor_task, exchange_task):
    assert [len(check_rows(task)[1]) for task in (topic_task, actor_task, exchange_task)] == [1200] * 3


def test_the_sample_gives_whole_texts_with_their_titles_and_sentences(topic_task):
    rows = check_rows(topic_task)[1]
    assert sum(bool(row.title) for row in rows) == 177
    assert len({row.text for row in rows}) > 900


def test_each_row_of_the_sample_names_its_actor(actor_task):
    for row in check_rows(actor_task)[1]:
        assert row.passage(actor_task).spans[0]


def test_rows_of_a_file_need_no_label(tmp_path, actor_task):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": "IS advanced.", "actor": "IS"}) + "\n")
    data, rows = check_rows(actor_task, str(tmp_path / "rows.jsonl"))
    assert (data, [row.text for row in rows]) == ("rows.jsonl", ["IS advanced."])


def test_a_file_that_is_not_there(actor_task):
    with pytest.raises(InputError, match="no such file"):
        check_rows(actor_task, "none.jsonl")


def test_an_empty_file(tmp_path, actor_task):
    (tmp_path / "rows.jsonl").write_text("")
    with pytest.raises(InputError, match="holds no rows"):
        check_rows(actor_task, str(tmp_path / "rows.jsonl"))


def test_a_model_agrees_with_itself(actor_bundle, actor_task):
    model = Model(actor_bundle)
    data, rows = check_rows(actor_task)
    parity = compare_models(model, model, data, rows[:40])
    assert parity == Parity("the embedded sample and its sentences", 40, 1.0, 0.0, 0.0)


def test_rows_that_cannot_be_answered_are_refused(tmp_path, actor_bundle, actor_task):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": "Rain fell.", "actor": "IS"}) + "\n")
    model = Model(actor_bundle)
    with pytest.raises(InputError, match=r"none of the 1 rows of rows\.jsonl can be answered"):
        compare_models(model, model, *check_rows(actor_task, str(tmp_path / "rows.jsonl")))


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_what_agrees_just_enough_is_not_refused(precision):
    assert EQUAL.refusal(precision) is None


@pytest.mark.parametrize("difference", [1.01e-4, float("nan")])
def test_probabilities_that_differ_too_much(difference):
    parity = Parity("rows", 10, 1.0, difference, 0.0)
    assert "not within 0.0001" in parity.refusal("float32")
    assert parity.refusal("int8") is None


def test_too_few_equal_labels():
    assert "fewer than 98.5% of the labels" in Parity("rows", 1000, 0.984, 0.1, 0.0).refusal("int8")
