from __future__ import annotations

import json
from datetime import date

import pytest

from conflictnlp.config import ColumnsConfig
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.inference import Model
from conflictnlp.inference.records import check_columns, flat, output_columns, questions, record, to_json

TOPIC_COLUMNS = [
    "id",
    "prediction",
    "probability",
    "prob_war",
    "prob_deal",
    "prob_never",
    "error",
    "evidence",
    "model",
    "bundle",
    "version",
]


@pytest.fixture(scope="module")
def topic(topic_bundle) -> Model:
    return Model(topic_bundle, ref="models:/topic@champion")


@pytest.fixture(scope="module")
def momentum(actor_bundle) -> Model:
    return Model(actor_bundle)


def test_output_columns_of_a_model_without_actors(topic):
    assert output_columns(topic) == TOPIC_COLUMNS


def test_output_columns_of_a_model_with_actors(momentum):
    assert output_columns(momentum)[:5] == ["id", "actor", "start", "end", "prediction"]


def test_a_column_that_no_output_bears_is_allowed(topic):
    check_columns(topic, ["actor", "start", "label", "prob_other"], given_actors=False)


def test_named_actors_forbid_an_actor_column(momentum):
    check_columns(momentum, ["text", "actor"], given_actors=False)
    with pytest.raises(InputError, match="actor"):
        check_columns(momentum, ["text", "actor"], given_actors=True)


def asked(model: Model, text: str, *actors: list[str], **values: object) -> list[list[str]]:
    row = Row("row 1", {"text": text, **values})
    return [example.spans[0][1].names for example in questions(row, model, ColumnsConfig(), actors)]


def test_one_question_for_each_actor_that_is_named(momentum):
    found = asked(momentum, "IS met Hamas.", ["FARC"], ["Hamas", "HAMAS"], ["IS"])
    assert found == [["Hamas", "HAMAS"], ["IS"]]


def test_words_that_two_names_claim_are_the_longers(momentum):
    assert asked(momentum, "The Free Syrian Army met.", ["Syrian army"], ["Free Syrian Army"]) == [["Free Syrian Army"]]
    row = Row("row 1", {"text": "The Free Syrian Army met. The Syrian army fled."})
    first, second = questions(row, momentum, ColumnsConfig(), [["Syrian army"], ["Free Syrian Army"]])
    assert [first.spans[0][1].mentions, second.spans[0][1].mentions] == [((30, 41),), ((4, 20),)]


def test_an_actor_named_in_the_title_is_asked_about(momentum):
    assert asked(momentum, "They met.", ["IS"], ["FARC"], title="IS meets") == [["IS"]]


def test_one_question_with_all_actors_where_none_is_named(momentum):
    assert asked(momentum, "They met.", ["IS", "Daesh"], ["FARC"]) == [["IS; FARC"]]


def test_a_rows_own_actor_is_asked_about_where_none_is_given(momentum):
    assert asked(momentum, "IS met.", actor="IS|Daesh") == [["IS", "Daesh"]]


@pytest.mark.parametrize("cell", [{}, {"actor": None}, {"actor": ""}, {"actor": None, "start": 0, "end": 2}])
def test_a_row_that_names_nobody_is_asked_about_nobody(momentum, cell):
    (example,) = questions(Row("row 1", {"text": "IS met.", **cell}), momentum, ColumnsConfig(), [])
    (prediction,) = momentum.predict_examples([example])
    assert (prediction.actor, prediction.error) == (None, "actor not in text")


def test_a_record_holds_the_rows_columns_first(topic):
    row = Row("row 1", {"note": 1, "text": "Shells fell.", "id": 5})
    (example,) = questions(row, topic, ColumnsConfig(), [])
    (prediction,) = topic.predict_examples([example])
    result = record(topic, row.values, example, prediction)
    assert list(result)[:3] == ["note", "text", "id"]
    assert result["id"] == 5
    assert set(output_columns(topic)) <= set(result)


def test_a_record_of_several_labels_holds_a_list(multi_bundle):
    model = Model(multi_bundle)
    (example,) = questions(Row("row 1", {"text": "Rain fell."}), model, ColumnsConfig(), [])
    (prediction,) = model.predict_examples([example])
    assert record(model, {}, example, prediction)["prediction"] == []


def test_an_abstention_has_probabilities_but_no_prediction(topic):
    (example,) = questions(Row("row 1", {"text": "Shells fell."}), topic, ColumnsConfig(), [])
    (prediction,) = topic.predict_examples([example], abstain_below=1.0)
    result = record(topic, {}, example, prediction)
    assert (result["prediction"], result["error"]) == (None, None)
    assert result["prob_war"] > 0.5


def test_a_flat_record_holds_lists_as_json():
    assert flat({"a": ["é", 1], "b": {"c": 1}, "d": None, "e": "[x]"}) == {
        "a": '["é", 1]',
        "b": '{"c": 1}',
        "d": None,
        "e": "[x]",
    }


def test_a_row_that_cannot_be_read_is_answered_with_the_reason(momentum):
    (example,) = questions(Row("row 1", {"text": 5, "actor": "IS", "id": 7}), momentum, ColumnsConfig(), [])
    (prediction,) = momentum.predict_examples([example])
    assert (example.id, prediction.actor, prediction.error) == ("7", "IS", "text is a int, not a text")


def test_what_json_lacks_becomes_null_or_text():
    values = {"a": float("nan"), "b": [float("inf"), {"c": -float("inf")}], "d": date(2020, 1, 1), "e": 0.5}
    assert to_json(values) == '{"a": null, "b": [null, {"c": null}], "d": "2020-01-01", "e": 0.5}'


def test_a_record_becomes_json(momentum):
    row = Row("row 1", {"text": "IS advanced on Ostra."})
    (example,) = questions(row, momentum, ColumnsConfig(), [["IS"]])
    (prediction,) = momentum.predict_examples([example], abstain_below=0.1)
    result = json.loads(json.dumps(record(momentum, row.values, example, prediction)))
    assert (result["actor"], result["start"], result["end"], result["prediction"]) == ("IS", 0, 2, "gaining")
