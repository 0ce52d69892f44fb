"""What the head reads: the marked words' mean, whatever stands around them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from conflictnlp.models import TransformerClassifier
from conflictnlp.models.head import inputs_kept, last_layer
from conflictnlp.models.pooling import marked_mean, read_marks, reads_mean
from conflictnlp.text import Passage, find_mentions

OPEN, CLOSE, PAD = (7, 8), (7, 9, 8), 0
TEXT = "The army took Velm. Rebels fled, the army said."
SMALL = {"vocab_size": 500, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}


def mean(ids: list[int], *pairs) -> list[float]:
    """The mean of tokens' places, which stand for their states."""
    states = torch.arange(len(ids), dtype=torch.float32)[None, :, None]
    tokens = torch.tensor([ids])
    return marked_mean(states, tokens, (tokens != PAD).long(), pairs or ((OPEN, CLOSE),))[0].tolist()


class TestMean:
    """Of places in a row of token ids."""

    def test_tokens_between_marks_and_the_marks_next_to_them(self):
        # 3: end of the opening mark; 4 and 5: the name; 6 and 7: the closing mark but its last token.
        assert mean([1, 2, 7, 8, 11, 12, 7, 9, 8, 3]) == [np.mean([3, 4, 5, 6, 7])]

    def test_every_mention_counts(self):
        assert mean([7, 8, 11, 7, 9, 8, 5, 7, 8, 12, 7, 9, 8]) == [np.mean([1, 2, 3, 4, 8, 9, 10, 11])]

    def test_without_a_mark_all_tokens_but_padding(self):
        assert mean([1, 2, 3, PAD, PAD]) == [1.0]

    def test_a_part_of_a_mark_is_none(self):
        assert mean([7, 2, 8, 9]) == [1.5]

    def test_two_roles(self):
        assert mean([20, 5, 21, 6, 30, 4, 31], ([20], [21]), ([30], [31])) == [np.mean([0, 1, 4, 5])]


def marked(name: str) -> Passage:
    return Passage(TEXT, (tuple(find_mentions(TEXT, [name])),))


@pytest.fixture
def settings(tiny_settings) -> dict:
    return {**tiny_settings, "spans": ("actor",), "max_length": 64}


def test_the_two_ways_differ_and_a_save_keeps_the_scores(settings, tmp_path):
    passages, labels = [marked("army"), marked("Rebels")] * 4, ["a", "b"] * 4
    models = {
        way: TransformerClassifier(**settings, labels=["a", "b"], pooling=way).fit(passages, labels)
        for way in ("first", "marks")
    }
    scores = {way: model.decision_function(passages[:2]) for way, model in models.items()}
    assert not np.allclose(scores["first"], scores["marks"])
    models["marks"].save(tmp_path)
    for way, same in (("marks", True), ("first", False)):
        loaded = TransformerClassifier(**settings, labels=["a", "b"], pooling=way).load_weights(tmp_path)
        assert np.allclose(loaded.decision_function(passages[:2]), scores["marks"], atol=1e-6) == same


def test_a_task_without_marks_reads_the_first_token(tiny_settings, texts, labels):
    models = [TransformerClassifier(**tiny_settings, pooling=way).fit(texts, labels) for way in ("first", "marks")]
    assert np.array_equal(*(model.decision_function(texts) for model in models))


def test_a_mean_is_of_all_tokens_where_nothing_is_marked(tiny_settings, texts, labels):
    model = TransformerClassifier(**tiny_settings, pooling="mean").fit(texts, labels)
    ((window,),) = model._windows_of([Passage(texts[0], ())])
    ids = torch.tensor([window.ids])
    with torch.no_grad(), inputs_kept(last_layer(model.model_)) as kept:
        logits = model.model_(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        plain = BertModel.from_pretrained(tiny_settings["encoder"])
        plain.load_state_dict(model.model_.base_model.state_dict())
        states = plain.eval()(input_ids=ids).last_hidden_state
    assert torch.allclose(kept[0], states.mean(1), atol=1e-6)
    assert np.allclose(model.decision_function(texts[:1]), logits.numpy(), atol=1e-6)


def test_a_mean_is_of_the_marked_words_where_there_are_some(settings):
    passages, labels = [marked("army"), marked("Rebels")] * 4, ["a", "b"] * 4
    models = [TransformerClassifier(**settings, pooling=way).fit(passages, labels) for way in ("mean", "marks")]
    assert np.array_equal(*(model.decision_function(passages) for model in models))


@pytest.mark.parametrize(("pooling", "marked", "unmarked"), [("first", 0, 0), ("marks", 1, 0), ("mean", 1, 1)])
def test_which_poolings_are_means(pooling, marked, unmarked):
    assert (reads_mean(pooling, ("actor",)), reads_mean(pooling, ())) == (marked, unmarked)


def test_the_batch_makes_no_difference(settings):
    passages = [marked("army"), Passage("Rebels fled.", (((0, 6),),))]
    model = TransformerClassifier(**settings, labels=["a", "b"], pooling="marks").fit(passages, ["a", "b"])
    alone = np.concatenate([model.decision_function([passage]) for passage in passages])
    assert model.decision_function(passages) == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "config"),
    [(BertForSequenceClassification, BertConfig(**SMALL)), (RobertaForSequenceClassification, RobertaConfig(**SMALL))],
    ids=["a pooler in the encoder", "a head that takes the first token"],
)
def test_what_is_outside_the_marks_reaches_the_head_through_them_alone(kind, config, tiny_model):
    """With the encoder's layers switched off, the score depends on the marked words and on nothing else."""
    torch.manual_seed(0)
    model = kind(config).eval()
    model.base_model.encoder.layer = torch.nn.ModuleList()
    tokenizer = tiny_model.tokenizer_.backend_tokenizer
    before = tokenizer.to_str()
    read_marks(model, tokenizer, ("actor",))
    assert tokenizer.to_str() == before
    opening, closing = (tokenizer.encode(mark, add_special_tokens=False).ids for mark in ("<a>", "</a>"))

    def score(first: int, name: int) -> torch.Tensor:
        ids = torch.tensor([[first, *opening, name, *closing, 11]])
        with torch.no_grad():
            return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits

    assert torch.equal(score(12, 20), score(13, 20))
    assert not torch.allclose(score(12, 20), score(12, 21))
