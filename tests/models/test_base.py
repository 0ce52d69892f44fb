from __future__ import annotations

import numpy as np
import pytest

from conflictnlp.errors import InputError
from conflictnlp.models.base import WindowScores, class_numbers, sigmoid, softmax
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


def test_the_background_holds_only_if_all_windows_say_so():
    rows = np.log([[0.9, 0.1], [0.2, 0.8]])
    scores = WindowScores(rows, ((0, 5), (5, 9)), np.array([0.5, 0.5]), background=1)
    assert softmax(scores.pooled()) == pytest.approx(np.array([0.92, 0.08]))


def test_other_labels_share_the_rest_as_the_windows_have_them():
    rows = np.log([[0.6, 0.2, 0.2], [0.1, 0.4, 0.5]])
    scores = WindowScores(rows, ((0, 5), (5, 9)), np.array([0.5, 0.5]), background=2)
    assert softmax(scores.pooled()) == pytest.approx(np.array([0.9 * 0.7 / 1.3, 0.9 * 0.6 / 1.3, 0.1]))


def test_two_courses_do_not_come_near_each_other_in_many_windows():
    rows = np.log([[0.8, 0.15, 0.05]] * 20)
    scores = WindowScores(rows, tuple((at, at + 1) for at in range(20)), np.full(20, 0.05), background=2)
    assert softmax(scores.pooled()) == pytest.approx(np.array([0.8 / 0.95, 0.15 / 0.95, 0]), abs=1e-6)


def test_pooling_takes_calibrated_windows_and_is_not_divided_again():
    rows = 2 * np.log([[0.9, 0.1], [0.2, 0.8]])
    scores = WindowScores(rows, ((0, 5), (5, 9)), np.array([0.5, 0.5]), background=1)
    assert softmax(scores.pooled(2.0) / 2.0) == pytest.approx(np.array([0.92, 0.08]))
    alone = WindowScores(rows[:1], ((0, 5),), np.array([1.0]))
    assert softmax(alone.pooled(2.0) / 2.0) == pytest.approx(np.array([0.9, 0.1]))


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


class TestDistributions:
    """A teacher's probabilities in the place of labels."""

    texts = ("Shells fell on the town.", "Envoys met.", "Rain fell.")

    def test_names_among_them_are_certain(self):
        model = TfidfClassifier(labels=["war", "deal", "rain"]).fit(self.texts, [(0.7, 0.2, 0.1), "deal", "rain"])
        targets = model._targets([(0.7, 0.2, 0.1), "deal"])
        assert targets == pytest.approx(np.array([[0.7, 0.2, 0.1], [0, 1, 0]]))

    def test_their_most_probable_class_is_the_number(self):
        assert class_numbers(np.array([[0.2, 0.8], [0.6, 0.4]], dtype=np.float32)).tolist() == [1, 0]

    def test_numbers_of_names_are_themselves(self):
        assert class_numbers(np.array([2, 0])).tolist() == [2, 0]

    @pytest.mark.parametrize("chances", [(0.5,), (0.5, 0.3, 0.2), ()])
    def test_one_of_another_length_is_refused(self, chances):
        with pytest.raises(InputError, match="a distribution must have 2 probabilities, one for each label"):
            TfidfClassifier(labels=["war", "deal"]).fit(self.texts, [chances, "war", "deal"])

    def test_without_declared_classes_they_are_refused(self):
        with pytest.raises(InputError, match=r"distributions need the classes in order; give labels=\[\.\.\.\]"):
            TfidfClassifier().fit(self.texts, [(0.5, 0.5), (0.1, 0.9), "war"])

    def test_an_unknown_name_among_them_is_refused(self):
        with pytest.raises(InputError, match="unknown label 'peace'"):
            TfidfClassifier(labels=["war", "deal"]).fit(self.texts, [(0.5, 0.5), "peace", "war"])

    def test_they_must_tell_two_classes_apart(self):
        with pytest.raises(InputError, match="all labels are 'war'"):
            TfidfClassifier(labels=["war", "deal"]).fit(self.texts, [(0.8, 0.2), (0.6, 0.4), "war"])


def test_half_a_surrogate_pair_keeps_its_place():
    model = TfidfClassifier(spans=("actor",))
    passage = model._passage(Passage("\ud83d IS fled", (((2, 4),),)))
    assert passage == Passage("\ufffd IS fled", (((2, 4),),))
