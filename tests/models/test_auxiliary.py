"""Targets of tasks that are learnt together, and what their learning leaves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from conflictnlp.errors import InputError
from conflictnlp.models import TfidfClassifier, TransformerClassifier
from conflictnlp.models.auxiliary import AuxiliaryTask, side_by_side
from conflictnlp.models.head import inputs_kept, last_layer
from conflictnlp.models.pooling import marked_mean
from conflictnlp.text import Passage
from conflictnlp.text.spans import MARKERS
from tests.models.helpers import assert_it_goes_on, marked, same, weights

MOOD = AuxiliaryTask("mood", ("calm", "tense", "grim"), [Passage("talks began", ())] * 4, ["calm", "grim"] * 2)
COURSE = AuxiliaryTask(
    "course", ("up", "down"), [marked("IS took the town.", "IS")] * 4, ["up"] * 2 + ["down"] * 2, ("actor",)
)


def test_a_target_is_one_at_its_label():
    assert MOOD.targets().tolist() == [[1, 0, 0], [0, 0, 1]] * 2


def test_an_unknown_label_is_refused():
    task = AuxiliaryTask("mood", ("calm", "grim"), [Passage("talks began", ())], ["merry"])
    with pytest.raises(InputError, match="unknown label 'merry' of mood; declared are calm, grim"):
        task.targets()


def test_each_task_has_columns_of_its_own():
    targets, tasks = side_by_side([np.array([[0.3, 0.7]]), np.eye(3)[:2]])
    assert targets == pytest.approx(np.array([[0.3, 0.7, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]))
    assert tasks.tolist() == [0, 1, 1]


def test_n_grams_refuse_them(texts, labels):
    with pytest.raises(InputError, match="auxiliary tasks need an encoder"):
        TfidfClassifier().fit(texts, labels, auxiliary=[MOOD])


class TestTraining:
    """A stage of an encoder's training."""

    # 24 texts and 8 of other tasks in batches of 8.
    def test_its_steps_are_counted(self, tiny_settings, texts, labels):
        settings = {**tiny_settings, "epochs": 2, "auxiliary_epochs": 3, "batch_size": 8}
        model = TransformerClassifier(**settings).fit(texts, labels, auxiliary=[MOOD, COURSE])
        assert model.steps_ == 3 * 4 + 2 * 3

    def test_the_head_is_the_own_task_s_again(self, tiny_settings, texts, labels):
        model = TransformerClassifier(labels=["war", "deal"], **tiny_settings).fit(texts, labels, auxiliary=[MOOD])
        assert model.model_.classifier.weight.shape == (2, 32)
        assert model.model_.classifier.bias.shape == (2,)
        assert model.predict_proba(texts[:3]).shape == (3, 2)

    def test_saved_it_reads_as_any_other(self, tmp_path, tiny_settings, texts, labels):
        settings = {**tiny_settings, "labels": ["war", "deal"]}
        model = TransformerClassifier(**settings).fit(texts, labels, auxiliary=[MOOD, COURSE])
        model.save(tmp_path)
        again = TransformerClassifier(**settings).load_weights(tmp_path)
        assert again.predict_proba(texts[:3]) == pytest.approx(model.predict_proba(texts[:3]), abs=1e-6)

    def test_the_stage_teaches_the_own_head_too(self, tiny_settings, texts, labels):
        # After the stage comes a pass of one step, in which the rate is still warming up.
        settings = {**tiny_settings, "learning_rate": 3e-3, "batch_size": 32, "auxiliary_epochs": 60, "warmup": 1.0}
        model = TransformerClassifier(**settings).fit(texts, labels, auxiliary=[MOOD])
        assert (model.predict(texts) == labels).mean() > 0.9

    def test_without_passes_they_change_nothing(self, tiny_settings, texts, labels):
        settings = {**tiny_settings, "auxiliary_epochs": 0}
        alone, beside = (
            TransformerClassifier(**settings).fit(texts, labels, auxiliary=auxiliary) for auxiliary in ((), [MOOD])
        )
        assert same(weights(alone), weights(beside))

    def test_they_may_stand_beside_several_labels(self, tiny_settings, texts):
        told = [[], ["fire"], ["fire", "talks"]] * 8
        settings = {**tiny_settings, "labels": ["fire", "talks"], "class_weights": "balanced", "r_drop": 1.0}
        model = TransformerClassifier(**settings, multi=True).fit(texts, told, auxiliary=[MOOD])
        assert model.predict(texts).shape == (24, 2)

    def test_marks_of_their_roles_are_read_where_ours_are(self, tiny_settings):
        passages, told = [marked("IS fled the town.", "IS")] * 4, ["up", "down"] * 2
        settings = {**tiny_settings, "spans": ("source",), "pooling": "marks"}
        model = TransformerClassifier(**settings).fit(passages, told, auxiliary=[COURSE])
        ((window,),) = model._windows_of(COURSE.passages[:1], COURSE.spans)
        ids = torch.tensor([window.ids])
        with torch.no_grad(), inputs_kept(last_layer(model.model_)) as kept:
            states = model.model_.base_model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            model.model_(input_ids=ids, attention_mask=torch.ones_like(ids))
        marks = [model.tokenizer_(mark, add_special_tokens=False).input_ids for mark in MARKERS["actor"]]
        wanted = marked_mean(states, ids, torch.ones_like(ids), [marks])
        assert torch.allclose(kept[0], wanted)
        assert not torch.allclose(wanted, states.mean(1))

    # Batches of four: the stage has two epochs of 8 steps, then come two of 6.
    @pytest.mark.parametrize("cut", [8, 22])
    def test_a_resumed_training_ends_as_an_undisturbed_one(self, tmp_path, tiny_settings, texts, labels, cut):
        settings = {**tiny_settings, "epochs": 2, "auxiliary_epochs": 2}
        given = {"validation": (texts[:6], labels[:6]), "auxiliary": [MOOD, COURSE]}
        assert_it_goes_on(tmp_path, cut, settings, texts, labels, **given)
