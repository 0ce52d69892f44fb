from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from sklearn.base import clone
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertModel,
    RobertaConfig,
    RobertaModel,
)

from conflictnlp.errors import BundleError
from conflictnlp.models import TransformerClassifier
from conflictnlp.text import Passage, find_mentions

LABELS = ["war", "never", "deal"]


def marked(text: str, name: str) -> Passage:
    return Passage(text, (tuple(find_mentions(text, [name])),))


@pytest.fixture
def model(tiny_model) -> TransformerClassifier:
    return tiny_model


def test_probabilities_sum_to_one(model, texts):
    rows = model.predict_proba(texts)
    assert rows.shape == (len(texts), 3)
    assert rows.sum(axis=1) == pytest.approx(np.ones(len(texts)))


def test_no_texts_give_no_rows(model):
    assert model.predict_proba([]).shape == (0, 3)


def test_the_order_and_company_of_a_text_do_not_change_its_score(model, texts):
    mixed = [*texts, "war " * 200, "one", *texts[::-1]]
    together = clone(model).set_params(eval_batch_size=3)
    together.__dict__.update({name: value for name, value in vars(model).items() if name.endswith("_")})
    alone = np.vstack([model.predict_proba([text]) for text in mixed])
    assert together.predict_proba(mixed) == pytest.approx(alone, abs=1e-5)


def test_windows_weigh_by_their_length_and_sum_to_one(model):
    (scores,) = model.window_scores(["the army attacked the town. " * 20])
    assert len(scores.weights) == len(scores.spans) == len(scores.logits) > 3
    assert scores.weights.sum() == pytest.approx(1)
    assert scores.weights[-1] <= scores.weights[0]


def test_a_text_of_200_000_words_is_scored(model):
    (scores,) = model.window_scores(["the army attacked the town. " * 40_000])
    assert np.isfinite(scores.pooled()).all()
    assert scores.spans[-1][1] == 40_000 * 28


@pytest.fixture(scope="module")
def background_model(tiny_settings):
    passages = [marked(f"On day {number} IS {word} the town.", "IS") for number in range(4) for word in ("took", "saw")]
    settings = {**tiny_settings, "spans": ("actor",), "background": "none"}
    return TransformerClassifier(labels=["up", "none"], **settings).fit(passages, ["up", "none"] * 4)


def test_windows_weigh_by_what_they_tell_where_a_background_is_named(background_model):
    (scores,) = background_model.window_scores(
        [marked("IS took the town. " + "It rained on the army. " * 9 + "IS saw.", "IS")]
    )
    telling = 1 / (1 + np.exp(scores.logits[:, 1] - scores.logits[:, 0]))
    assert len(telling) > 1
    assert scores.weights == pytest.approx(telling / telling.sum(), abs=1e-4)
    assert scores.background is not None


def test_a_text_of_one_window_is_not_mixed(background_model):
    (scores,) = background_model.window_scores([marked("IS took the town.", "IS")])
    assert scores.weights.tolist() == [1.0]
    assert scores.background is None


@pytest.mark.parametrize("text", ["", "\u200b", "🙂", "half \ud83d of a pair", "\x00", "Ж" * 500])
def test_odd_texts_are_scored(model, text):
    assert np.isfinite(model.predict_proba([text])).all()


def test_transformers_reads_what_was_saved(tmp_path, model, texts):
    model.save(tmp_path)
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert plain.config.id2label == {0: "war", 1: "never", 2: "deal"}
    inputs = AutoTokenizer.from_pretrained(tmp_path)(texts[0], return_tensors="pt")
    with torch.no_grad():
        logits = plain(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    assert logits.numpy() == pytest.approx(model.decision_function(texts[:1]), abs=1e-5)


def test_loaded_weights_give_equal_probabilities(tmp_path, model, tiny_settings, texts):
    model.save(tmp_path)
    loaded = TransformerClassifier(labels=LABELS, **tiny_settings).load_weights(tmp_path)
    assert np.array_equal(loaded.predict_proba(texts), model.predict_proba(texts))


@pytest.mark.parametrize("others", [["deal", "never", "war"], ["war", "deal"], [*LABELS, "more"]])
def test_weights_of_other_labels_are_refused(tmp_path, model, tiny_settings, others):
    model.save(tmp_path)
    with pytest.raises(BundleError, match="labels"):
        TransformerClassifier(labels=others, **tiny_settings).load_weights(tmp_path)


def test_damaged_weights_are_refused(tmp_path, model, tiny_settings):
    model.save(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(BundleError, match="cannot be read"):
        TransformerClassifier(labels=LABELS, **tiny_settings).load_weights(tmp_path)


@pytest.mark.parametrize(
    ("config_class", "model_class", "positions"), [(BertConfig, BertModel, 36), (RobertaConfig, RobertaModel, 40)]
)
def test_windows_never_exceed_the_encoders_reach(tmp_path, tiny_encoder, config_class, model_class, positions):
    folder = tmp_path / "short"
    shutil.copytree(tiny_encoder, folder)
    size = json.loads((tiny_encoder / "config.json").read_text())["vocab_size"]
    narrow = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    config = config_class(vocab_size=size, max_position_embeddings=positions, pad_token_id=0, **narrow)
    model_class(config).save_pretrained(folder)
    model = TransformerClassifier(str(folder), max_length=64, max_steps=1, device="cpu", precision="float32")
    model.fit(["war " * 100, "peace " * 100], ["war", "deal"])
    assert np.isfinite(model.predict_proba(["war " * 100])).all()
