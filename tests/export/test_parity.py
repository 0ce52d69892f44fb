from __future__ import annotations

import json

import numpy as np
import pytest
from tokenizers import Tokenizer

from conflictnlp.errors import InputError
from conflictnlp.export.parity import FinderParity, Parity, check_rows, compare_finders, compare_models
from conflictnlp.inference import Model
from conflictnlp.models.mentions import LABELS, MentionFinder, TokenWindows
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


class Finder(MentionFinder):
    """Finds stated words: each token is of an actor or not, with a chance of 0.9."""

    def __init__(self, tokenizer: Tokenizer, *words: str, chance: float = 0.9) -> None:
        self.windows = TokenWindows(tokenizer, 64)
        self.ids = {number for word in words for number in tokenizer.encode(word, add_special_tokens=False).ids}
        self.chance = chance

    def _logits(self, windows):
        chances = np.full((2, len(LABELS)), 1e-9)
        chances[0, 0], chances[1, 0], chances[1, LABELS.index("I-actor")] = 1, 1 - self.chance, self.chance
        return [np.log(chances[[int(number in self.ids) for number in ids]]) for ids in windows]


def test_finders_agree_by_shared_and_by_equal_mentions(tiny_encoder):
    tokenizer = Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))
    texts = ["The army took the town.", "The police left."]
    source = Finder(tokenizer, "the army", "police")
    assert compare_finders(source, source, texts) == FinderParity(2, 3, 1.0, 1.0, 0.0)
    # "the army", "the" and "the police" against "army" and "police": two of three shared, all of two right.
    parity = compare_finders(source, Finder(tokenizer, "army", "police"), texts)
    assert (parity.mentions, parity.equal_mentions, parity.shared_mentions) == (3, 0.0, pytest.approx(0.8))
    assert parity.largest_difference == pytest.approx(0.9)
    assert "the int8 tagger finds other actors" in parity.refusal("int8")
    nobody = compare_finders(source, Finder(tokenizer), texts)
    assert (nobody.equal_mentions, nobody.shared_mentions) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("parity", "precision", "refused"),
    [
        (FinderParity(9, 9, 1.0, 1.0, 1e-4), "float32", False),
        (FinderParity(9, 9, 1.0, 1.0, 2e-4), "float32", True),
        (FinderParity(9, 9, 1.0, 1.0, float("nan")), "float32", True),
        (FinderParity(9, 9, 0.5, 0.95, 0.5), "int8", False),
        (FinderParity(9, 9, 0.5, 0.94, 0.5), "int8", True),
    ],
)
def test_how_far_a_tagger_may_differ(parity, precision, refused):
    assert (parity.refusal(precision) is not None) == refused
