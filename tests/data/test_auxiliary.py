"""Rows of other tasks: read, kept from what is scored, and reported."""

from __future__ import annotations

import json

import pytest

from conflictnlp.errors import InputError
from tests.data.helpers import labelled, load, sentence

OWN = {
    "train": [*labelled(range(6)), *labelled(range(6, 12), "loss")],
    "validation": labelled([20, 21]),
    "test": labelled([30, 31]),
}
EVENTS = "event_type@sample"


@pytest.fixture
def newsmtsc(tmp_path, monkeypatch):
    """Write rows as the training file of `newsmtsc`."""
    monkeypatch.setenv("CONFLICTNLP_DATA", str(tmp_path / "sets"))

    def write(*rows: dict) -> None:
        path = tmp_path / "sets" / "newsmtsc" / "train.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps({"actor": "IS", **row}) + "\n" for row in rows), encoding="utf-8")

    return write


def spoken(number: int, label: str, **fields: str) -> dict:
    return {"text": f"IS spoke. {sentence(number)}", "label": label, **fields}


def test_they_stand_beside_the_splits_with_their_task(tmp_path):
    splits = load(tmp_path, **OWN, auxiliary=[EVENTS, "momentum@sample"])
    assert [name for name, _ in splits.items()] == ["train", "validation", "test"]
    events, momentum = splits.auxiliary
    assert (events.task.name, momentum.task.name) == ("event_type", "momentum")
    assert {row.label for row in events.examples} == set(events.task.label_names)
    assert dict(momentum.examples[0].spans)["actor"].words


def test_they_are_counted_and_known_by_a_print_of_their_own(tmp_path):
    splits = load(tmp_path, **OWN, auxiliary=[EVENTS])
    assert splits.report.rows[EVENTS] == len(splits.auxiliary[0].examples) > 100
    assert f"labels in {EVENTS}: battle" in splits.report.to_text()
    assert len(splits.fingerprints[EVENTS]) == 64


def test_a_set_named_like_its_task_needs_no_second_word(tmp_path, newsmtsc):
    newsmtsc(spoken(50, "negative"), spoken(51, "positive"))
    (beside,) = load(tmp_path, **OWN, auxiliary=["newsmtsc"]).auxiliary
    assert [row.label for row in beside.examples] == ["negative", "positive"]


def test_a_set_s_invented_rows_come_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("CONFLICTNLP_DATA", str(tmp_path / "sets"))
    path = tmp_path / "sets" / "case21" / "train.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(
        json.dumps({"text": sentence(60), "label": "riot", "sub_label": "mob_viol"}) + "\n", encoding="utf-8"
    )
    (beside,) = load(tmp_path, **OWN, auxiliary=["event_subtype@case21"]).auxiliary
    assert [row.label for row in beside.examples if row.text == sentence(60)] == ["mob_viol"]
    assert {row.label for row in beside.examples} == set(beside.task.label_names)


def test_what_stands_in_a_scored_split_is_left_out_and_what_is_learnt_stays(tmp_path, newsmtsc):
    newsmtsc(spoken(20, "negative"), spoken(31, "positive"), spoken(1, "neutral"), spoken(50, "negative"))
    own = {name: [{**row, "text": f"IS spoke. {row['text']}"} for row in rows] for name, rows in OWN.items()}
    splits = load(tmp_path, **own, auxiliary=["newsmtsc"])
    assert [row.text for row in splits.auxiliary[0].examples] == [f"IS spoke. {sentence(n)}" for n in (1, 50)]
    assert splits.report.dropped["newsmtsc"] == {"leak": 2}


def test_faulty_rows_are_left_out(tmp_path, newsmtsc):
    newsmtsc(spoken(50, "negative"), spoken(51, "positive"), {"text": sentence(52), "label": "neutral"})
    splits = load(tmp_path, **OWN, auxiliary=["newsmtsc"])
    assert splits.report.rows["newsmtsc"] == 2
    assert splits.report.dropped["newsmtsc"] == {"actor_not_in_text": 1}


def test_late_and_undated_rows_are_left_out(tmp_path, newsmtsc):
    dates = {50: "2015-12-31", 51: "2016-01-01", 52: "31/12/2011", 53: "2011-05-01"}
    rows = [spoken(n, "negative" if n < 52 else "positive", date=date) for n, date in dates.items()]
    newsmtsc(*rows, spoken(54, "neutral"))
    splits = load(tmp_path, **OWN, auxiliary=["newsmtsc"], extra_before="2016-01-01")
    assert [row.date for row in splits.auxiliary[0].examples] == ["2015-12-31", "2011-05-01"]
    assert splits.report.dropped["newsmtsc"] == {"late": 3}
    assert "dropped from newsmtsc: not dated before data.extra_before 3" in splits.report.to_text()


def test_what_was_invented_needs_no_date(tmp_path):
    splits = load(tmp_path, **OWN, auxiliary=[EVENTS], extra_before="2016-01-01")
    assert EVENTS not in splits.report.dropped


def test_a_limit_draws_some(tmp_path):
    sets = [load(tmp_path, **OWN, auxiliary=[EVENTS], auxiliary_limit=n).auxiliary[0] for n in (40, 40, 30)]
    assert [len(beside.examples) for beside in sets] == [40, 40, 30]
    assert sets[0] == sets[1]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent", "task='absent' is unknown"),
        ("topic@absent", "data='absent' is unknown"),
        ("satp", "bear several labels or none"),
        ("topic@plover", "plover has no labels for topic, but for plover, plover_quad"),
        ("topic@files", "cannot be read without a set that ships with its files"),
        ("topic", "cannot be read without the environment variable CONFLICTNLP_DATA"),
    ],
)
def test_what_cannot_be_learnt_is_refused(tmp_path, monkeypatch, name, told):
    monkeypatch.delenv("CONFLICTNLP_DATA", raising=False)
    with pytest.raises(InputError) as raised:
        load(tmp_path, **OWN, auxiliary=[name])
    assert str(raised.value).startswith(f"data.auxiliary={name}: ")
    assert told in str(raised.value)


def test_a_set_of_one_class_is_refused(tmp_path, newsmtsc):
    newsmtsc(spoken(50, "negative"), spoken(51, "negative"))
    with pytest.raises(InputError, match=r"data\.auxiliary=newsmtsc: 2 rows can be used, of one class or none"):
        load(tmp_path, **OWN, auxiliary=["newsmtsc"])


def test_a_set_named_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="topic@topic is named twice; name each set once"):
        load(tmp_path, **OWN, auxiliary=["topic", "topic@topic"])
