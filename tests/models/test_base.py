from __future__ import annotations

import numpy as np
import pytest

from conflictnlp.errors import InputError
from conflictnlp.models.base import WindowScores, sigmoid, softmax
from conflictnlp.models.tfidf import TfidfClassifier
from conflictnlp.text import Passage


def test_softmax_by_hand():
    assert softmax(np.log([[1.0, 3.0], [2.0, 2.0]])) == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5]]))


def test_softmax_of_huge_logits_is_finite():
    assert softmax(np.array([[1e4, -1e4]])) == pytest.approx(np.array([[1.0, 0.0]]))


def test_sigmoid_by_hand():
    assert sigmoid(np.array([0.0, np.log(3), -np.log(3)])) == pytest.approx(np.array([0.5, 0.75, 0.25]))


def test_sigmoid_of_huge_logits_is_finite():
    assert sigmoid(np.array([1e4, -1e4])) == pytest.approx(np.array([1.0, 0.0]))


def test_pooled_score_is_the_weighted_mean_of_the_windows():
    scores = WindowScores(np.array([[4.0, 0.0], [0.0, 8.0]]), ((0, 5), (5, 9)), np.array([0.75, 0.25]))
    assert scores.pooled() == pytest.approx(np.array([3.0, 2.0]))


def test_windows_with_a_background_are_pooled_by_noisy_or():
    rows = np.log([[0.9, 0.1], [0.2, 0.8]])
    scores = WindowScores(rows, ((0, 5), (5, 9)), np.array([0.5, 0.5]), background=1)
    assert softmax(scores.pooled()) == pytest.approx(np.array([0.92, 0.08]))


def test_one_class_is_refused():
    with pytest.raises(InputError, match="all labels are 'war'"):
        TfidfClassifier().fit(["shells fell", "troops fired"], ["war", "war"])


def test_one_class_of_two_declared_is_refused():
    with pytest.raises(InputError, match="two classes"):
        TfidfClassifier(labels=["war", "deal"]).fit(["shells fell", "troops fired"], ["war", "war"])


def test_an_unknown_label_is_refused():
    with pytest.raises(InputError, match="unknown label 'peace'; declared are war, deal"):
        TfidfClassifier(labels=["war", "deal"]).fit(["shells fell", "envoys met"], ["war", "peace"])


def test_an_unknown_label_among_several_is_refused():
    with pytest.raises(InputError, match="unknown label 'peace'"):
        TfidfClassifier(labels=["war"], multi=True).fit(["shells fell", "envoys met"], [["war"], ["war", "peace"]])


def test_an_unknown_label_in_validation_is_refused():
    with pytest.raises(InputError, match="unknown label 'peace'"):
        TfidfClassifier().fit(["shells fell", "envoys met"], ["war", "deal"], validation=(["rain fell"], ["peace"]))


def test_an_indicator_matrix_of_another_width_is_refused():
    with pytest.raises(InputError, match="3 columns"):
        TfidfClassifier(labels=["war", "deal"], multi=True).fit(["a", "b"], np.eye(3, dtype=int)[:2])


def test_texts_and_labels_of_different_number_are_refused():
    with pytest.raises(InputError, match="2 texts but 1 labels"):
        TfidfClassifier().fit(["shells fell", "envoys met"], ["war"])


def test_no_texts_are_refused():
    with pytest.raises(InputError, match="no texts"):
        TfidfClassifier().fit([], [])


def test_texts_without_a_word_are_refused():
    with pytest.raises(InputError, match="no word"):
        TfidfClassifier().fit(["", " \n"], ["war", "deal"])


def test_what_is_not_a_text_is_refused():
    with pytest.raises(InputError, match="not float"):
        TfidfClassifier().fit(["shells fell", float("nan")], ["war", "deal"])


@pytest.mark.parametrize("item", ["IS advanced", Passage("IS advanced"), Passage("IS advanced", ((), ()))])
def test_a_passage_with_other_roles_than_the_models_is_refused(item):
    with pytest.raises(InputError, match="reads a text for actor"):
        TfidfClassifier(spans=("actor",)).fit([item, item], ["gaining", "losing"])


def test_marked_passages_are_refused_where_nothing_is_marked():
    with pytest.raises(InputError, match="no actor"):
        TfidfClassifier().fit([Passage("IS advanced", (((0, 2),),))] * 2, ["gaining", "losing"])
