from __future__ import annotations

import pytest

from conflictnlp.bundle import Manifest
from conflictnlp.config import EvaluationConfig
from conflictnlp.data.check import DataReport
from conflictnlp.evaluation import evaluate_outcome
from conflictnlp.evaluation.card import model_card

CONFIG = {"model": {"name": "minilm"}, "seed": 7}
DATA = {"name": "sample", "description": "Reports.", "terms": "Apache-2.0"}


@pytest.fixture
def card(single, actor_task):
    evaluation = evaluate_outcome(single([0, 1, 2], [0, 1, 1], labels=actor_task.label_names), EvaluationConfig())
    report = DataReport(rows={"train": 9}, labels={"train": {"none": 4, "losing": 5}}, dropped={"train": {"leak": 2}})

    def write(base_model: str | None = "someone/encoder", kind: str = "tfidf", **values) -> str:
        training = {"base_model": base_model} if base_model else {}
        manifest = Manifest(actor_task, {"kind": kind, "parameters": {}}, training=training, **values)
        return model_card(manifest, evaluation, report, DATA, CONFIG)

    return write


def test_the_card_tells_labels_with_their_definitions(card):
    assert "| losing | falls back |" in card()


def test_the_card_tells_data_terms_and_what_was_dropped(card):
    text = card()
    assert "Terms: Apache-2.0." in text
    assert "| train | 9 | none 4, losing 5 |" in text
    assert "Dropped from train: text stands in a later split too (2)." in text


def test_the_card_tells_seed_and_scores(card):
    text = card()
    assert "One seed (7)" in text
    assert "accuracy 0.667" in text


def test_scores_are_told_of_the_split_that_was_scored(card):
    assert "## Scores on the test split" in card()


@pytest.mark.parametrize(("kind", "library"), [("tfidf", "sklearn"), ("transformer", "transformers"), ("onnx", "onnx")])
def test_the_hub_is_told_the_library_that_opens_the_weights(card, kind, library):
    assert f"library_name: {library}" in card(kind=kind).split("---")[1]


def test_the_card_tells_how_to_ask_for_an_actor(card):
    assert 'model.predict(text, actor="…")' in card()


def test_the_card_tells_temperature_and_thresholds(card):
    assert "temperature 1.500, thresholds none 0.25" in card(temperature=1.5, thresholds={"none": 0.25})


def test_a_hub_name_is_told_to_the_hub(card):
    assert "base_model: someone/encoder" in card().split("---")[1]


@pytest.mark.parametrize("base", ["/home/me/encoder", "./encoder", None])
def test_a_folder_is_not_told_to_the_hub(card, base):
    assert "base_model" not in card(base).split("---")[1]


def test_the_front_matter_is_closed(card):
    lines = card().splitlines()
    assert lines[0] == "---"
    assert "---" in lines[1:12]
