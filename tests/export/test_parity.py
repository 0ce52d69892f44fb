from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer

from conflictnlp.data.example import Example
from conflictnlp.errors import InputError
from conflictnlp.export.parity import FinderParity, Parity, compare_finders, compare_models
from conflictnlp.export.rows import check_rows
from conflictnlp.inference import Model
from conflictnlp.models.mentions import LABELS, MentionFinder, TokenWindows

WAR, DEAL = "Shells hit the town.", "Envoys signed the truce."
EQUAL = Parity("rows", 2000, 0.985, 1e-4, 0.0)


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
    parity = Parity("rows", 1000, 1.0, difference, 0.0)
    assert "not within 0.0001" in parity.refusal("float32")
    assert parity.refusal("int8") is None


def test_too_few_equal_labels():
    refusal = Parity("rows", 1000, 0.984, 0.1, 0.0).refusal("int8")
    assert "fewer than 98.5% of the labels" in refusal
    assert refusal.endswith(
        "compare them on rows like those that you will score (--check DATA), or leave --quantize out"
    )


def test_int8_is_refused_on_few_rows_and_float32_is_not():
    parity = Parity("rows", 999, 1.0, 0.0, 0.0)
    assert "999 rows tell too little of an int8 model, which needs 1,000 or more" in parity.refusal("int8")
    assert parity.refusal("float32") is None


def test_labelled_rows_tell_the_macro_f1_of_both(topic_bundle, multi_bundle):
    class Wrong(Model):
        """Says the contrary of the truth."""

        def predict_examples(self, rows):
            for row, found in zip(rows, super().predict_examples(rows), strict=True):
                yield (
                    replace(found, labels=("deal",) if found.labels == ("war",) else ("war",))
                    if row.id == "1"
                    else found
                )

    rows = [Example("1", "1", WAR, ("war",)), Example("2", "2", DEAL, ("deal",)), Example("3", "3", DEAL)]
    parity = compare_models(Model(topic_bundle), Wrong(topic_bundle), "rows", rows)
    # One of two right, as "deal": F1 2/3 and 0.
    assert (parity.labelled, parity.source_f1, parity.exported_f1) == (2, 1.0, pytest.approx(1 / 3))
    assert "macro-F1 on the 2 labelled rows 0.333, the source's 1.000 (-66.7 points)" in str(parity)
    assert parity.to_dict()["exported_f1"] == parity.exported_f1

    rows = [Example("1", "1", "Police held ten.", ("arrest",)), Example("2", "2", "Rain fell.", ())]
    model = Model(multi_bundle)
    # "arrest" is right; of the other two labels there is no case.
    assert compare_models(model, model, "rows", rows).source_f1 == pytest.approx(1 / 3)


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
