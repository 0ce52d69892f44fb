from __future__ import annotations

import tempfile

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from transformers import (
    BertModel,
)

from conflictnlp.errors import InputError
from conflictnlp.models import TransformerClassifier
from tests.models.helpers import assert_it_goes_on, cut_off, marked, same, weights

LABELS = ["war", "never", "deal"]


@pytest.fixture
def model(tiny_model) -> TransformerClassifier:
    return tiny_model


def test_it_learns(model, texts, labels):
    assert (model.predict(texts) == labels).mean() > 0.9


def test_classes_stand_in_declared_order(model):
    assert model.classes_.tolist() == LABELS


def test_clone_has_the_same_parameters(model):
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "model_")


def test_cross_validation_takes_texts(tiny_settings, texts, labels):
    scores = cross_val_score(TransformerClassifier(**tiny_settings), texts[:8], labels[:8], cv=2)
    assert len(scores) == 2
    assert ((scores >= 0) & (scores <= 1)).all()


def test_one_seed_gives_one_model(tiny_settings, texts, labels):
    first, second = (TransformerClassifier(**tiny_settings, seed=3).fit(texts, labels) for _ in range(2))
    assert same(weights(first), weights(second))


def test_another_seed_gives_another_model(tiny_settings, texts, labels):
    first, second = (TransformerClassifier(**tiny_settings, seed=seed).fit(texts, labels) for seed in (3, 4))
    assert not same(weights(first), weights(second))


@pytest.mark.parametrize("validated", [False, True])
def test_a_resumed_training_ends_as_an_undisturbed_one(tmp_path, tiny_settings, texts, labels, validated):
    # Epochs have 12 steps; the trainer logs after step 20 and after each validation.
    settings = {**tiny_settings, "batch_size": 2, "epochs": 3}
    validation = (texts[:6], labels[:6]) if validated else None
    whole = TransformerClassifier(**settings).fit(texts, labels, validation)
    folder = tmp_path / "checkpoints"
    cut_off(folder, 20, settings, texts, labels, validation)
    assert [path.name for path in folder.iterdir()] == ["checkpoint-12"]
    steps = []
    resumed = TransformerClassifier(**settings, checkpoints=folder, resume=True, log=lambda _, step: steps.append(step))
    assert same(weights(resumed.fit(texts, labels, validation)), weights(whole))
    assert min(steps) > 12


def test_resume_without_a_checkpoint_starts_anew(tmp_path, tiny_settings, texts, labels):
    fresh = TransformerClassifier(**tiny_settings).fit(texts, labels)
    resumed = TransformerClassifier(**tiny_settings, checkpoints=tmp_path, resume=True).fit(texts, labels)
    assert same(weights(fresh), weights(resumed))


def test_early_stopping_keeps_the_best_epoch(tiny_settings, texts, labels):
    logged = []
    wrong = ["deal" if label == "war" else "war" for label in labels]
    settings = {**tiny_settings, "epochs": 9, "metric": "loss", "patience": 2}
    model = TransformerClassifier(**settings, log=lambda metrics, _: logged.append(metrics.get("val/loss")))
    model.fit(texts, labels, validation=(texts, wrong))
    losses = [value for value in logged if value is not None]
    assert len(losses) < 9
    assert losses.index(min(losses)) == len(losses) - 3
    chances = model.predict_proba(texts)[np.arange(len(texts)), [["deal", "war"].index(label) for label in wrong]]
    assert -np.log(chances).mean() == pytest.approx(min(losses), abs=1e-6)


@pytest.mark.parametrize(("examples_seen", "epochs"), [(1, 2), (72, 3), (10_000, 4)])
def test_epochs_follow_from_the_size_of_the_data(tiny_settings, texts, labels, examples_seen, epochs):
    settings = {**tiny_settings, "epochs": None, "examples_seen": examples_seen, "max_epochs": 4, "batch_size": 24}
    assert TransformerClassifier(**settings).fit(texts, labels).steps_ == epochs


def test_frozen_embeddings_stay_as_they_are(tiny_settings, texts, labels):
    frozen = TransformerClassifier(**tiny_settings, freeze_embeddings=True).fit(texts, labels)
    before = BertModel.from_pretrained(tiny_settings["encoder"]).get_input_embeddings().weight
    assert torch.equal(frozen.model_.get_input_embeddings().weight, before)


def test_several_labels(tiny_settings, texts, labels):
    y = [[label] if number % 3 else [] for number, label in enumerate(labels)]
    model = TransformerClassifier(labels=LABELS, multi=True, loss="focal", class_weights="balanced", **tiny_settings)
    model.fit(texts, y, validation=(texts, y))
    assert model.predict(texts).shape == (len(texts), 3)
    assert model.model_.config.problem_type == "multi_label_classification"


def test_the_share_of_texts_in_windows_is_told(tiny_settings, texts, labels):
    long = [text * 9 for text in texts[:6]]
    assert TransformerClassifier(**tiny_settings).fit(long + texts[6:], labels).windowed_share_ == 0.25


def test_a_text_whose_last_window_alone_holds_the_actor_counts_as_windowed(tiny_settings):
    passage = marked("the army took the town. " * 9 + "IS fled.", "IS")
    model = TransformerClassifier(**tiny_settings, spans=("actor",)).fit([passage] * 2, ["up", "down"])
    assert model.windowed_share_ == 1.0


@pytest.mark.parametrize("settings", [{"background": "no_such"}, {"background": "war", "multi": True}])
def test_a_background_that_does_not_fit_is_refused_before_training(tiny_settings, texts, labels, settings):
    y = [[label] for label in labels] if settings.get("multi") else labels
    with pytest.raises(InputError, match="background"):
        TransformerClassifier(**tiny_settings, **settings).fit(texts, y)


def test_renamed_copies_are_trained_on_too(tiny_settings):
    passages = [marked("IS took the town.", "IS"), marked("IS fled the town.", "IS")] * 4
    settings = {**tiny_settings, "spans": ("actor",), "renamed_copies": 2}
    assert TransformerClassifier(**settings).fit(passages, ["up", "down"] * 4).steps_ == 6


def test_renamed_copies_follow_from_the_seed(tiny_settings):
    passages = [marked("IS took the town.", "IS"), marked("IS fled the town.", "IS")]
    settings = {**tiny_settings, "spans": ("actor",), "renamed_copies": 2}
    first, second = (TransformerClassifier(**settings).fit(passages, ["up", "down"]) for _ in range(2))
    assert same(weights(first), weights(second))


def test_a_training_without_a_checkpoint_folder_leaves_no_files(tmp_path, monkeypatch, tiny_settings, texts, labels):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    TransformerClassifier(**tiny_settings).fit(texts, labels)
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_a_text_is_refused(tiny_settings, texts, labels):
    with pytest.raises(InputError, match="max_length=2"):
        TransformerClassifier(**{**tiny_settings, "max_length": 2}).fit(texts, labels)


class TestDistributions:
    """A teacher's probabilities as targets."""

    def test_training_aims_at_them(self, tiny_settings, texts, labels):
        # Learnt as labels, both would end beyond 0.9.
        told = [(0.6, 0.0, 0.4) if label == "war" else (0.4, 0.0, 0.6) for label in labels]
        settings = {**tiny_settings, "epochs": 20, "batch_size": 8, "learning_rate": 3e-3}
        chances = TransformerClassifier(labels=LABELS, **settings).fit(texts, told).predict_proba(texts)
        assert chances == pytest.approx(np.array(told), abs=0.15)

    def test_a_certain_one_is_a_label(self, tiny_settings, texts, labels):
        certain = {"war": (1.0, 0.0, 0.0), "deal": (0.0, 0.0, 1.0)}
        told = [certain[label] for label in labels]
        soft, hard = (TransformerClassifier(labels=LABELS, **tiny_settings).fit(texts, y) for y in (told, labels))
        assert soft.predict_proba(texts) == pytest.approx(hard.predict_proba(texts), abs=1e-4)

    def test_they_may_stand_among_names_with_copies_weights_and_validation(self, tiny_settings):
        passages = [marked("IS took the town.", "IS"), marked("IS fled the town.", "IS")] * 4
        settings = {**tiny_settings, "spans": ("actor",), "renamed_copies": 1, "class_weights": "balanced"}
        model = TransformerClassifier(labels=["up", "down"], loss="focal", label_smoothing=0.1, **settings)
        told = [(0.9, 0.1), "down", "up", (0.2, 0.8)] * 2
        assert model.fit(passages, told, validation=(passages, told)).steps_ == 4

    def test_one_of_another_length_is_refused(self, tiny_settings, texts, labels):
        with pytest.raises(InputError, match="must have 3 probabilities"):
            TransformerClassifier(labels=LABELS, **tiny_settings).fit(texts, [(0.5, 0.5), *labels[1:]])


class TestContrast:
    """Before all else texts of a class may be put side by side."""

    def test_its_steps_are_counted(self, tiny_settings, texts, labels):
        settings = {**tiny_settings, "epochs": 2, "contrastive_epochs": 1, "batch_size": 8}
        assert TransformerClassifier(**settings).fit(texts, labels).steps_ == 3 * 3

    # Epochs of 6 steps; the trainer logs after each validation, of which the contrast has none, and every 20 steps.
    def test_a_resumed_training_ends_as_an_undisturbed_one(self, tmp_path, tiny_settings, texts, labels):
        settings = {**tiny_settings, "epochs": 3, "contrastive_epochs": 2, "batch_size": 4}
        assert_it_goes_on(tmp_path, 2 * 6 + 6, settings, texts, labels, (texts[:6], labels[:6]))


class TestOtherSets:
    """Rows of other sets are learnt beside the data's own; further passes may go over these alone."""

    OTHERS = (["rebels fired on the army", "envoys agreed on peace"] * 4, [(0.7, 0.0, 0.3), "deal"] * 4)

    def test_without_further_passes_all_rows_are_learnt_together(self, tiny_settings, texts, labels):
        settings = {**tiny_settings, "epochs": 2, "batch_size": 8}
        model = TransformerClassifier(labels=LABELS, **settings).fit(texts, labels, extra=self.OTHERS)
        assert model.steps_ == 2 * 4

    def test_renamed_copies_are_made_of_the_own_rows_alone(self, tiny_settings):
        own = [marked("IS took the town.", "IS")] * 4, ["up", "down"] * 2
        other = [marked("FARC left the town.", "FARC")] * 4, ["down"] * 4
        settings = {**tiny_settings, "spans": ("actor",), "renamed_copies": 2, "batch_size": 1}
        model = TransformerClassifier(labels=["down", "up"], **settings).fit(*own, extra=other)
        assert model.steps_ == 3 * 4 + 4

    def test_both_stages_are_counted(self, tiny_settings, texts, labels):
        settings = {**tiny_settings, "epochs": 2, "finish_epochs": 1, "batch_size": 8}
        model = TransformerClassifier(labels=LABELS, **settings).fit(texts, labels, extra=self.OTHERS)
        assert model.steps_ == 2 * 4 + 3

    def test_they_change_what_is_learnt(self, tiny_settings, texts, labels):
        alone, helped = (
            TransformerClassifier(labels=LABELS, **tiny_settings, finish_epochs=1).fit(texts, labels, extra=extra)
            for extra in (None, self.OTHERS)
        )
        assert not same(weights(alone), weights(helped))

    def test_none_of_them_is_as_if_they_were_not_given(self, tiny_settings, texts, labels):
        alone, none = (
            TransformerClassifier(labels=LABELS, **tiny_settings).fit(texts, labels, extra=extra)
            for extra in (None, ([], []))
        )
        assert same(weights(alone), weights(none))

    # Batches of four: the first stage has two epochs of 8 steps, the second two of 6.
    @pytest.mark.parametrize("cut", [12, 24])
    def test_a_resumed_training_ends_as_an_undisturbed_one(self, tmp_path, tiny_settings, texts, labels, cut):
        settings = {**tiny_settings, "labels": LABELS, "epochs": 2, "finish_epochs": 2}
        given = {"validation": (texts[:6], labels[:6]), "extra": self.OTHERS}
        assert_it_goes_on(tmp_path, cut, settings, texts, labels, **given)
