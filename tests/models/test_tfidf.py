from __future__ import annotations

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from conflictnlp.errors import BundleError
from conflictnlp.models import TfidfClassifier
from conflictnlp.text import Passage, find_mentions

LABELS = ["war", "deal"]


def passage(text: str, *names: str) -> Passage:
    return Passage(text, (tuple(find_mentions(text, names)),))


@pytest.fixture(scope="module")
def model(texts, labels):
    return TfidfClassifier(labels=LABELS).fit(texts, labels)


@pytest.fixture(scope="module")
def actor_model():
    data = [("IS, yes, IS advanced on Ostra. {} fled.", "up"), ("IS, oh, IS fled from Ostra. {} advanced.", "down")]
    texts = [(text.format(other), label) for other in ("FARC", "Hamas", "the army") for text, label in data]
    return TfidfClassifier(spans=("actor",)).fit([passage(text, "IS") for text, _ in texts], [y for _, y in texts])


def test_classes_stand_in_declared_order(model):
    assert model.classes_.tolist() == LABELS


def test_classes_are_learnt_sorted_where_none_are_declared(texts, labels):
    assert TfidfClassifier().fit(texts, labels).classes_.tolist() == ["deal", "war"]


def test_training_texts_are_recognised(model, texts, labels):
    assert model.predict(texts).tolist() == labels


def test_probability_columns_stand_in_declared_order(model):
    war = model.predict_proba(["the army attacked the town"])[0]
    assert war[0] > 0.5 > war[1]


def test_probabilities_sum_to_one(model, texts):
    assert model.predict_proba(texts).sum(axis=1) == pytest.approx(np.ones(len(texts)))


def test_no_texts_give_no_rows(model):
    assert model.predict_proba([]).shape == (0, 2)


def test_a_declared_class_without_examples_is_improbable(texts, labels):
    model = TfidfClassifier(labels=["never", *LABELS]).fit(texts, labels)
    assert model.predict_proba(texts)[:, 0].max() < 1e-6


def test_clone_has_the_same_parameters(model):
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "classes_")


def test_set_params_changes_what_get_params_returns():
    assert TfidfClassifier().set_params(C=0.5, char_ngrams=0).get_params()["C"] == 0.5


def test_cross_validation_takes_texts(texts, labels):
    scores = cross_val_score(TfidfClassifier(char_ngrams=0), texts, labels, cv=3)
    assert scores.tolist() == [1.0, 1.0, 1.0]


def test_several_labels_are_predicted_as_an_indicator_matrix():
    texts, y = (
        ["shells fell", "envoys met", "shells fell, envoys met", "rain"],
        [["war"], ["deal"], ["deal", "war"], []],
    )
    model = TfidfClassifier(labels=LABELS, multi=True).fit(texts, y)
    assert model.predict(texts).tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]]


def test_an_indicator_matrix_teaches_the_same_as_lists():
    texts, y = ["shells fell", "envoys met", "shells fell, envoys met"], [["war"], ["deal"], ["deal", "war"]]
    listed = TfidfClassifier(labels=LABELS, multi=True).fit(texts, y)
    matrix = TfidfClassifier(labels=LABELS, multi=True).fit(texts, np.array([[1, 0], [0, 1], [1, 1]]))
    assert np.array_equal(listed.predict_proba(texts), matrix.predict_proba(texts))


@pytest.mark.filterwarnings("ignore:Label not")
def test_a_label_that_no_training_text_bears_is_never_predicted():
    model = TfidfClassifier(labels=[*LABELS, "never"], multi=True)
    model.fit(["shells fell", "envoys met"], [["war"], ["deal"]])
    assert model.predict(["shells fell", "rain"])[:, 2].tolist() == [0, 0]


def test_one_label_that_may_be_missing():
    model = TfidfClassifier(labels=["war"], multi=True).fit(["shells fell", "envoys met"], [["war"], []])
    assert model.predict(["shells fell", "envoys met"]).tolist() == [[1], [0]]


@pytest.mark.parametrize("multi", [False, True])
def test_loaded_weights_give_equal_probabilities(tmp_path, multi):
    texts = ["Shells fell – naïve 🙂", "envoys\r\nmet", "shells fell, envoys met", "rain"]
    y = [["war"], ["deal"], ["war", "deal"], []] if multi else ["war", "deal", "war", "deal"]
    saved = TfidfClassifier(labels=LABELS, multi=multi).fit(texts, y)
    saved.save(tmp_path)
    loaded = TfidfClassifier(labels=LABELS, multi=multi).load_weights(tmp_path)
    assert np.array_equal(loaded.predict_proba(texts), saved.predict_proba(texts))


def test_the_same_texts_give_the_same_model(texts, labels, model):
    again = TfidfClassifier(labels=LABELS).fit(texts, labels)
    assert np.array_equal(again.predict_proba(texts), model.predict_proba(texts))


def test_a_file_with_an_untrusted_type_is_refused(tmp_path):
    skops.io.dump({"views": {}, "classifier": print}, tmp_path / "model.skops")
    with pytest.raises(BundleError, match=r"model\.skops: refused"):
        TfidfClassifier(labels=LABELS).load_weights(tmp_path)


def test_a_file_with_another_estimator_is_refused(tmp_path):
    skops.io.dump({"views": {}, "classifier": {"a": LogisticRegression()}}, tmp_path / "model.skops")
    with pytest.raises(BundleError, match="holds a dict"):
        TfidfClassifier(labels=LABELS).load_weights(tmp_path)


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "model.skops").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(BundleError, match="refused"):
        TfidfClassifier(labels=LABELS).load_weights(tmp_path)


@pytest.mark.parametrize("name", ["FARC", "Boko Haram", "the Ostra Brigade of the Martyr", "Ж"])
def test_another_name_for_the_actor_does_not_change_the_prediction(actor_model, name):
    text = "{0} advanced on Ostra, and {0} took the mill. Some saw {0} flee from Velm."
    first, second = text.format("IS"), text.format(name)
    probabilities = actor_model.predict_proba([passage(first, "IS"), passage(second, name)])
    assert np.array_equal(probabilities[0], probabilities[1])


def test_a_name_across_a_line_break_is_masked_whole(actor_model):
    texts = ["advanced on Ostra with Boko\nHaram", "advanced on Ostra with Al\nShabaab"]
    rows = actor_model.predict_proba([passage(texts[0], "Boko Haram"), passage(texts[1], "Al Shabaab")])
    assert np.array_equal(rows[0], rows[1])


def test_two_actors_of_one_text_are_told_apart(actor_model):
    text = "IS advanced on Ostra. Hamas fled."
    assert actor_model.predict([passage(text, "IS"), passage(text, "Hamas")]).tolist() == ["up", "down"]


def test_texts_of_nothing_but_the_actor_can_be_learnt():
    model = TfidfClassifier(spans=("actor",)).fit([passage("IS", "IS"), passage("IS IS", "IS")], ["up", "down"])
    assert model.predict_proba([passage("IS", "IS")]).shape == (1, 2)


def test_a_role_that_no_text_marks_survives_saving(tmp_path):
    marked = [Passage("IS advanced", (((0, 2),), ())), Passage("IS fled", (((0, 2),), ()))]
    model = TfidfClassifier(labels=["up", "down"], spans=("source", "target")).fit(marked, ["up", "down"])
    model.save(tmp_path)
    loaded = TfidfClassifier(labels=["up", "down"], spans=("source", "target")).load_weights(tmp_path)
    assert np.array_equal(loaded.predict_proba(marked), model.predict_proba(marked))


def test_a_source_inside_a_target_is_masked():
    model = TfidfClassifier(spans=("source", "target"))
    model.fit([Passage("xyz uvw shot", (((0, 7),), ((0, 3),)))] * 2, ["up", "down"])
    words = set(model.vectorizers_["words"].get_feature_names_out())
    assert words.isdisjoint({"xyz", "uvw"})


def test_a_text_of_200_000_words_is_scored(model):
    assert model.predict(["the army attacked the town " * 40_000]).tolist() == ["war"]


def test_more_texts_than_a_chunk_keep_their_order(model, texts, labels):
    assert model.predict(texts * 25).tolist() == labels * 25


def test_of_a_teachers_distribution_the_most_probable_label_counts(texts, labels):
    told = [(0.9, 0.1) if label == "war" else (0.4, 0.6) for label in labels]
    soft, hard = (TfidfClassifier(labels=LABELS).fit(texts, y) for y in (told, labels))
    assert soft.predict_proba(texts) == pytest.approx(hard.predict_proba(texts))


def test_rows_of_other_sets_are_learnt_with_the_own_ones(texts, labels):
    others = (["quadcopters strafed a depot", "mediators drafted an accord"] * 3, ["war", (0.2, 0.8)] * 3)
    model = TfidfClassifier(labels=LABELS).fit(texts, labels, extra=others)
    assert model.predict(["mediators drafted", "quadcopters strafed"]).tolist() == ["deal", "war"]
