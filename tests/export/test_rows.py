from __future__ import annotations

import json
from pathlib import Path

import pytest

from conflictnlp.errors import InputError
from conflictnlp.export.rows import check_rows
from conflictnlp.task import Label, Task


@pytest.fixture
def exchange_task() -> Task:
    labels = (Label("a", "one"), Label("b", "another"))
    return Task("plover", "single", labels, spans=("source", "target"), optional_spans=("target",))


def written(folder: Path, *rows: dict) -> str:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


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


def test_labels_of_a_file_are_kept(tmp_path, topic_task):
    source = written(tmp_path, {"text": "Shells fell.", "label": "war"}, {"text": "Envoys met.", "label": "deal"})
    assert [row.labels for row in check_rows(topic_task, source)[1]] == [("war",), ("deal",)]


def test_labels_of_another_task_are_left_out(tmp_path, topic_task, caplog):
    source = written(tmp_path, {"text": "Shells fell.", "label": "war"}, {"text": "Rain fell.", "label": "rain"})
    assert [row.labels for row in check_rows(topic_task, source)[1]] == [None, None]
    assert "its labels are left out" in caplog.text


def test_of_a_named_set_no_training_row_is_taken(momentum):
    _, rows = check_rows(momentum, "battles")
    assert [row.text for row in rows] == ["Of validation: IS fled.", "Of test: IS fled."]


@pytest.fixture
def momentum(tmp_path, monkeypatch, actor_task):
    monkeypatch.setattr(
        "conflictnlp.export.rows.read_split",
        lambda config, task, split: parsed(tmp_path, task, f"Of {split}: IS fled."),
    )
    return actor_task


def parsed(folder: Path, task: Task, text: str) -> list:
    return check_rows(task, written(folder, {"text": text, "actor": "IS"}))[1]


def test_a_named_set_of_training_rows_alone_is_refused(monkeypatch, actor_task):
    monkeypatch.setattr("conflictnlp.export.rows.read_split", lambda *_: [])
    with pytest.raises(InputError, match="--check battles: has neither validation nor test rows; name a file"):
        check_rows(actor_task, "battles")


def test_few_rows_are_filled_up_from_the_sample(tmp_path, actor_task):
    answered = {"text": "IS fled.", "actor": "IS"}
    source = written(tmp_path, answered, {"text": "Rain fell.", "actor": "IS"}, {"text": " ", "actor": "IS"})
    data, rows = check_rows(actor_task, source, 1000)
    assert (data, len(rows)) == ("rows.jsonl and 999 of the embedded sample", 1002)
    assert [row.text for row in rows[:3]] == ["IS fled.", "Rain fell.", " "]
    assert check_rows(actor_task, source, 1)[0] == "rows.jsonl"
