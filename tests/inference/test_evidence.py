"""What a label rests on: the sentences that name the actor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from conflictnlp.data.example import Example, Span
from conflictnlp.inference import Model
from conflictnlp.inference.evidence import cut_out, find_evidence, naming_sentences, shares
from conflictnlp.models.base import Matrix, WindowScores, softmax
from conflictnlp.task import Task
from conflictnlp.text import Passage

TEXT = "IS took Velm. It rained. The army fled, and IS stayed. IS won."


class Counting:
    """Says of a passage: none by its length, gaining by the word "took", losing by "fled"."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.labels = list(task.label_names)
        self.asked: list[Passage] = []

    def probabilities(self, logits: Matrix) -> Matrix:
        return softmax(logits)

    def passage_probabilities(self, passages: Iterable[Passage]) -> Iterator[Matrix]:
        for passage in passages:
            self.asked.append(passage)
            scores = np.array([1.0, 3.0 * ("fled" in passage.text), 3.0 * ("took" in passage.text)])
            yield softmax(scores[None, :])[0]


def scored(text: str, actor: str, task: Task, title: str = "") -> tuple[Example, Passage, WindowScores]:
    example = Example("row", "1", text, title=title, spans=(("actor", Span(actor)),))
    passage = example.passage(task)
    return example, passage, WindowScores(np.zeros((1, 3)), ((0, len(passage.text)),), np.ones(1))


class TestStretches:
    """Sentences as passages of their own."""

    def test_only_sentences_that_name_the_actor(self):
        passage = Passage(TEXT, (((0, 2), (44, 46), (55, 57)),))
        found = [TEXT[start:end] for start, end in naming_sentences(passage)]
        assert found == ["IS took Velm.", "The army fled, and IS stayed.", "IS won."]

    def test_a_passage_without_a_mention_has_none(self):
        assert naming_sentences(Passage(TEXT, ((),))) == []

    def test_either_of_two_roles_counts(self):
        assert naming_sentences(Passage("IS met. ELN met.", (((0, 2),), ((8, 11),)))) == [(0, 7), (8, 16)]

    def test_a_stretch_keeps_its_own_mentions(self):
        passage = Passage(TEXT, (((0, 2), (44, 46), (55, 57)),), offset=5)
        assert cut_out(passage, 25, 54) == Passage(TEXT[25:54], (((19, 21),),))

    def test_a_mention_over_the_end_is_cut(self):
        assert cut_out(Passage("U.S. forces fled", (((0, 11),),)), 0, 4) == Passage("U.S.", (((0, 4),),))


class TestShares:
    """Weights."""

    def test_a_sentence_weighs_by_the_labels_probability(self):
        weights = shares(np.array([[0.1, 0.9], [0.7, 0.3]]), 1)
        assert weights == pytest.approx(np.array([0.75, 0.25]))

    def test_one_sentence_bears_all(self):
        assert shares(np.array([[0.1, 0.9]]), 0).tolist() == [1.0]


class TestEvidence:
    """From a scorer's answers."""

    def test_each_naming_sentence_is_asked_by_itself(self, actor_task):
        model = Counting(actor_task)
        find_evidence(model, [scored(TEXT, "IS", actor_task)], [np.array([0.0, 0.1, 0.9])])
        assert model.asked == [
            Passage("IS took Velm.", (((0, 2),),)),
            Passage("The army fled, and IS stayed.", (((19, 21),),)),
            Passage("IS won.", (((0, 2),),)),
        ]

    def test_the_predicted_label_decides_what_weighs(self, actor_task):
        row = scored(TEXT, "IS", actor_task)
        heaviest = {}
        for number, label in enumerate(actor_task.label_names):
            (evidence,) = find_evidence(Counting(actor_task), [row], [np.eye(3)[number]])
            assert sum(piece.weight for piece in evidence) == pytest.approx(1)
            heaviest[label] = max(evidence, key=lambda piece: piece.weight).text
        assert heaviest["gaining"] == "IS took Velm."
        assert heaviest["losing"] == "The army fled, and IS stayed."
        assert heaviest["none"] == "IS won."

    def test_probabilities_are_the_sentences_own(self, actor_task):
        (evidence,) = find_evidence(Counting(actor_task), [scored(TEXT, "IS", actor_task)], [np.eye(3)[2]])
        assert evidence[0].probabilities == pytest.approx(
            dict(zip(actor_task.label_names, softmax(np.array([[1.0, 0, 3]]))[0], strict=True))
        )

    def test_offsets_are_those_of_the_text_without_its_title(self, actor_task):
        row = scored(f" {TEXT}\n", "IS", actor_task, title=" IS on the move ")
        (evidence,) = find_evidence(Counting(actor_task), [row], [np.eye(3)[2]])
        headline, *sentences = evidence
        assert (headline.start, headline.end, headline.text) == (None, None, "IS on the move")
        assert [f" {TEXT}\n"[piece.start : piece.end] for piece in sentences] == [piece.text for piece in sentences]
        assert sentences[0].start == 1

    def test_a_title_that_does_not_name_the_actor_is_no_evidence(self, actor_task):
        (evidence,) = find_evidence(Counting(actor_task), [scored(TEXT, "IS", actor_task, "War")], [np.eye(3)[2]])
        assert evidence[0].text == "IS took Velm."

    def test_a_sentence_that_stands_twice_has_two_places(self, actor_task):
        (evidence,) = find_evidence(Counting(actor_task), [scored("IS won. IS won.", "IS", actor_task)], [np.eye(3)[2]])
        assert [(piece.start, piece.end) for piece in evidence] == [(0, 7), (8, 15)]

    def test_what_was_not_scored_has_none_and_moves_nothing(self, actor_task):
        example, passage, _ = scored("IS fled.", "ELN", actor_task)
        chunk = [(example, passage, "actor not in text"), scored("IS won.", "IS", actor_task)]
        none, evidence = find_evidence(Counting(actor_task), chunk, [np.empty(0), np.eye(3)[2]])
        assert none == ()
        assert [piece.text for piece in evidence] == ["IS won."]

    def test_tasks_without_an_actor_tell_their_windows(self, topic_task):
        example = Example("row", "1", "Rain fell. Shells fell.", title="News")
        passage = example.passage(topic_task)
        scores = WindowScores(np.array([[2.0, 0, 0], [0, 1, 0]]), ((0, 16), (16, 28)), np.array([0.25, 0.75]))
        (evidence,) = find_evidence(Counting(topic_task), [(example, passage, scores)], [np.eye(3)[0]])
        assert [(piece.start, piece.end, piece.text, piece.weight) for piece in evidence] == [
            (0, 10, "Rain fell.", 0.25),
            (11, 23, "Shells fell.", 0.75),
        ]


def test_half_a_surrogate_pair_is_no_obstacle(actor_bundle):
    prediction = Model(actor_bundle).predict("On Monday\ud83d IS advanced on Ostra.", actor="IS")
    assert (prediction.error, prediction.start) == (None, 11)
    assert len(prediction.evidence) == 1


def test_a_models_evidence_is_what_it_says_of_the_sentence_alone(finding_bundle):
    model = Model(finding_bundle, device="cpu")
    text = "On Monday IS advanced on Ostra. It rained. On Monday IS met near Velm."
    first, second = model.predict(text, actor="IS").evidence
    assert [text[piece.start : piece.end] for piece in (first, second)] == [first.text, second.text]
    alone = model.predict([first.text, second.text], actor="IS")
    assert [piece.probabilities for piece in (first, second)] == [
        pytest.approx(prediction.probabilities, abs=1e-5) for prediction in alone
    ]


class TestWork:
    """What is asked of the model, in passages."""

    @pytest.fixture
    def asked(self, actor_bundle, monkeypatch):
        model = Model(actor_bundle)
        texts = []
        score = model._runtime._score

        def counted(passages):
            texts.extend(passage.text for passage in passages)
            return score(passages)

        monkeypatch.setattr(model._runtime, "_score", counted)
        return model, texts

    def test_a_text_of_one_sentence_is_asked_once(self, asked):
        model, texts = asked
        prediction = model.predict("On Monday IS advanced on Ostra.", actor="IS")
        assert texts == ["On Monday IS advanced on Ostra."]
        (piece,) = prediction.evidence
        assert (piece.weight, piece.probabilities) == (1.0, prediction.probabilities)

    def test_of_a_longer_text_each_naming_sentence_is_asked_too(self, asked):
        model, texts = asked
        model.predict("IS advanced. It rained. IS retreated.", actor="IS")
        assert texts == ["IS advanced. It rained. IS retreated.", "IS advanced.", "IS retreated."]

    def test_probabilities_alone_need_no_evidence(self, asked):
        model, texts = asked
        model.predict_proba(["IS advanced. IS retreated.", " "], actors=["IS", "IS"])
        assert texts == ["IS advanced. IS retreated."]
