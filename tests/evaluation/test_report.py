from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from conflictnlp.config import EvaluationConfig
from conflictnlp.data.example import Example
from conflictnlp.errors import InputError
from conflictnlp.evaluation import evaluate_outcome
from conflictnlp.evaluation.report import evaluate_model, gold_targets
from conflictnlp.inference import Model

CONFIG = EvaluationConfig(bootstrap=50)
TEXTS = [("Shells hit the town.", "war"), ("Envoys signed the truce.", "deal"), ("Shells hit the truce.", "deal")]


def examples(rows, groups=None) -> list[Example]:
    return [
        Example(f"row {number}", str(number), text, labels=(label,), group=groups[number] if groups else None)
        for number, (text, label) in enumerate(rows)
    ]


@pytest.fixture
def evaluation(single):
    return evaluate_outcome(single([0] * 12 + [1] * 3, [0] * 11 + [1] * 4), CONFIG)


def test_gold_numbers_follow_the_declared_order(topic_task):
    assert gold_targets(examples(TEXTS), topic_task).tolist() == [0, 1, 1]


def test_gold_of_several_labels_is_an_indicator_matrix(multi_task):
    rows = [Example("1", "1", "x", labels=("arrest", "attack")), Example("2", "2", "y", labels=())]
    assert gold_targets(rows, multi_task).tolist() == [[1, 1, 0], [0, 0, 0]]


def test_a_model_is_scored_by_what_it_predicts(topic_bundle):
    model = Model(topic_bundle)
    outcome = evaluate_model(model, examples(TEXTS), CONFIG).outcome
    told = [model.labels[number] for number in outcome.predicted]
    assert told == [prediction.label for prediction in model.predict([text for text, _ in TEXTS])]
    assert outcome.probabilities == pytest.approx(model.predict_proba([text for text, _ in TEXTS]))


def test_several_labels_are_scored_by_their_thresholds(multi_bundle):
    model = Model(multi_bundle)
    texts = ["Police held the town.", "Rebels held it.", "Rain fell."]
    rows = [Example(text, text, text, labels=("arrest",)) for text in texts]
    predicted = evaluate_model(model, rows, CONFIG).outcome.predicted
    assert [tuple(np.array(model.labels)[row == 1]) for row in predicted] == [p.labels for p in model.predict(texts)]


def test_rows_of_one_group_are_one_cluster(topic_bundle):
    outcome = evaluate_model(Model(topic_bundle), examples(TEXTS, ["x", "y", "x"]), CONFIG).outcome
    assert outcome.clusters == ["x", "y", "x"]


def test_rows_without_a_group_are_clustered_by_their_text(topic_bundle):
    rows = examples([TEXTS[0], TEXTS[1], TEXTS[0]])
    assert evaluate_model(Model(topic_bundle), rows, CONFIG).to_dict()["clusters"] == 2


def test_an_example_that_cannot_be_read_is_refused(topic_bundle):
    with pytest.raises(InputError, match="row 0: empty text"):
        evaluate_model(Model(topic_bundle), examples([("", "war")]), CONFIG)


def test_labels_of_few_cases_are_marked(evaluation):
    assert evaluation.rare == ["b"]
    assert "b *" in evaluation.to_text()
    assert "* under 10 cases" in evaluation.to_text()


def test_ten_cases_are_not_few(single):
    assert evaluate_outcome(single([0] * 10 + [1] * 10, [0] * 20), CONFIG).rare == []


def test_metric_names(evaluation):
    metrics = evaluation.metrics("test")
    assert {"test/macro_f1", "test/macro_f1_low", "test/macro_f1_high", "test/f1/a", "test/ece"} <= set(metrics)
    assert metrics["test/macro_f1_low"] < metrics["test/macro_f1"] < metrics["test/macro_f1_high"]
    assert all(type(value) is float for value in metrics.values())


def test_the_table_has_a_line_for_each_label_in_the_gold(evaluation):
    lines = evaluation.to_text().splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["a", "b", "macro"]
    assert lines[1].split()[-1] == "12"


def test_the_table_needs_no_intervals(single):
    text = evaluate_outcome(single([0, 1], [0, 1]), EvaluationConfig(bootstrap=0)).to_text()
    assert "[" not in text


def test_the_dictionary_becomes_json(evaluation):
    values = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert (values["n"], values["clusters"], values["under_ten_cases"]) == (15, 15, ["b"])


class TestCoarser:
    """Scores of a coding that follows from the labels."""

    @pytest.fixture
    def both(self, single):
        outcome = single([0, 1, 2, 2], [1, 0, 2, 0])
        return evaluate_outcome(outcome, CONFIG, {"sign": {"up": ["a", "b"], "down": ["c"]}})

    def test_it_is_told_under_its_name(self, both):
        metrics = both.metrics("test")
        assert metrics["test/macro_f1"] == pytest.approx((0 + 0 + 2 / 3) / 3)
        assert metrics["test/sign/macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)
        assert metrics["test/sign/f1/up"] == pytest.approx(4 / 5)
        assert metrics["test/sign/macro_f1_low"] <= metrics["test/sign/macro_f1"]

    def test_the_table_ends_with_it(self, both):
        line = both.to_text().splitlines()[-1]
        assert line.startswith("sign, by sums of probabilities: macro-F1 0.733 [")
        assert line.endswith("(up 0.800, down 0.667)")

    def test_the_dictionary_holds_it(self, both, evaluation):
        assert both.to_dict()["coarser"]["sign"]["scores"]["macro_f1"] == pytest.approx(11 / 15)
        assert "coarser" not in evaluation.to_dict()

    def test_a_model_s_task_tells_it(self, topic_bundle, monkeypatch):
        model = Model(topic_bundle)
        coarser = {"any": {"text": model.labels}}
        monkeypatch.setattr(Model, "task", replace(model.task, coarser=coarser))
        assert evaluate_model(model, examples(TEXTS), CONFIG).coarser["any"].scores["macro_f1"] == 1.0
