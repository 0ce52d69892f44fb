from __future__ import annotations

import json

import numpy as np
import pytest

from conflictnlp.data.example import Example
from conflictnlp.errors import InputError
from conflictnlp.inference import Model, Prediction

WAR, DEAL = "Shells hit the town.", "Envoys signed the truce."


@pytest.fixture(scope="module")
def topic(topic_bundle) -> Model:
    return Model(topic_bundle)


@pytest.fixture(scope="module")
def acts(multi_bundle) -> Model:
    return Model(multi_bundle)


def test_labels_stand_in_declared_order(topic, topic_task):
    assert topic.labels == ["war", "deal", "never"]
    assert topic.task == topic_task


def test_one_text_gives_one_prediction(topic):
    prediction = topic.predict(WAR)
    assert isinstance(prediction, Prediction)
    assert prediction.label == "war"
    assert prediction.labels == ("war",)
    assert prediction.probability == max(prediction.probabilities.values())


def test_a_list_of_one_text_gives_a_list(topic):
    assert [prediction.label for prediction in topic.predict([WAR])] == ["war"]


def test_no_texts_give_an_empty_list(topic):
    assert topic.predict([]) == []


def test_predictions_stand_in_the_order_of_the_texts(topic):
    texts = [WAR, DEAL, "", DEAL, WAR] * 70
    assert [prediction.label for prediction in topic.predict(texts)] == ["war", "deal", None, "deal", "war"] * 70


def test_probabilities_stand_in_declared_order_and_sum_to_one(topic):
    probabilities = topic.predict(WAR).probabilities
    assert list(probabilities) == topic.labels
    assert sum(probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", " \r\n\t", "\u00a0"])
def test_an_empty_text_is_an_error_of_its_own(topic, text):
    prediction = topic.predict(text)
    assert prediction == Prediction(None, error="empty text")


def test_what_is_not_a_text_is_refused(topic):
    with pytest.raises(InputError, match="text 2 is a float"):
        topic.predict([WAR, 0.5])


def test_a_missing_text_is_an_error_of_its_own(topic):
    found = topic.predict([WAR, None, float("nan")])
    assert [prediction.error for prediction in found] == [None, "empty text", "empty text"]


def test_an_unknown_argument_is_refused(topic):
    with pytest.raises(InputError, match="abstain"):
        topic.predict(WAR, abstain=0.5)


def test_the_probability_array_has_a_row_a_text(topic):
    rows = topic.predict_proba([WAR, "", DEAL])
    assert rows.shape == (3, 3)
    assert np.isnan(rows[1]).all()
    assert rows[0] == pytest.approx(list(topic.predict(WAR).probabilities.values()))


def test_the_probability_array_of_one_text_and_of_none(topic):
    assert topic.predict_proba(WAR).shape == (1, 3)
    assert topic.predict_proba([]).shape == (0, 3)


@pytest.mark.parametrize(("limit", "label"), [(0.0, "war"), (1.0, None)])
def test_a_less_probable_label_is_left_out(topic, limit, label):
    prediction = topic.predict(WAR, abstain_below=limit)
    assert prediction.label == label
    assert prediction.abstained is (label is None)
    assert prediction.labels == (("war",) if label else ())
    assert prediction.probability is not None
    assert prediction.error is None


def test_an_abstention_becomes_json(topic):
    assert json.loads(json.dumps(topic.predict(WAR, abstain_below=1.0).to_dict()))["abstained"] is True


def test_a_label_exactly_as_probable_as_wanted_is_kept(topic):
    probability = topic.predict(WAR).probability
    assert topic.predict(WAR, abstain_below=probability).label == "war"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Rebels shelled it. Police held ten.", ("attack", "arrest")),
        ("Rebels shelled it.", ("attack",)),
        ("Rain fell.", ()),
    ],
)
def test_several_labels_stand_in_declared_order(acts, text, labels):
    assert acts.predict(text).labels == labels


def test_the_label_of_several_is_the_most_probable(acts):
    prediction = acts.predict("Rebels shelled it. Police held ten.")
    assert prediction.label == max(prediction.labels, key=prediction.probabilities.__getitem__)


def test_no_label_of_several_is_not_an_error(acts):
    prediction = acts.predict("Rain fell.")
    assert (prediction.label, prediction.error, prediction.abstained) == (None, None, False)


def test_each_label_counts_from_its_own_threshold(acts):
    assert acts.thresholds().tolist() == [0.5, 0.3, 0.5]
    chances = acts.predict_proba(["Police held the town.", "Rebels held it."])
    told = [prediction.labels for prediction in acts.predict(["Police held the town.", "Rebels held it."])]
    wanted = [tuple(n for n, p, t in zip(acts.labels, row, [0.5, 0.3, 0.5], strict=True) if p >= t) for row in chances]
    assert told == wanted


def test_a_title_is_read(topic):
    plain, titled = topic.predict(["It was so.", "It was so."], titles=[None, "Shells hit the town"])
    assert titled.probabilities["war"] > plain.probabilities["war"]


def test_texts_are_read_one_by_one(topic):
    asked = []

    def examples():
        for number in range(600):
            asked.append(number)
            yield Example("row", str(number), WAR)

    next(topic.predict_examples(examples()))
    assert len(asked) < 600


def test_an_actor_does_not_change_a_model_without_actors(topic):
    assert topic.predict(WAR, actor="IS") == topic.predict(WAR)
