from __future__ import annotations

import pytest
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    MPNetConfig,
    MPNetForSequenceClassification,
)

from conflictnlp.models.layer_decay import layer_groups

SIZES = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 1, "intermediate_size": 8}
KINDS = {
    "bert": (BertForSequenceClassification, BertConfig(**SIZES)),
    "mpnet": (MPNetForSequenceClassification, MPNetConfig(**SIZES)),
    "modernbert": (
        ModernBertForSequenceClassification,
        ModernBertConfig(**SIZES, pad_token_id=0, cls_token_id=1, sep_token_id=2, bos_token_id=1, eos_token_id=2),
    ),
}


def rates(model, **settings) -> dict[str, float]:
    """Return the learning rate of each weight by name."""
    names = {id(weights): name for name, weights in model.named_parameters()}
    groups = layer_groups(model, 1.0, 0.5, 0.1, settings.get("decayed", ()))
    return {names[id(weights)]: group["lr"] for group in groups for weights in group["params"]}


@pytest.mark.parametrize("kind", KINDS)
def test_each_layer_learns_at_a_share_of_the_rate_above_it(kind):
    architecture, config = KINDS[kind]
    found = rates(architecture(config))
    wanted = {"embeddings": 0.125, ".0.": 0.25, ".1.": 0.5, "classifier": 1.0}
    for part, rate in wanted.items():
        assert {value for name, value in found.items() if part in name} == {rate}, part


def test_every_trained_weight_is_in_one_group():
    model = BertForSequenceClassification(BertConfig(**SIZES))
    model.get_input_embeddings().requires_grad_(False)
    found = rates(model)
    assert set(found) == {name for name, weights in model.named_parameters() if weights.requires_grad}
    assert "bert.embeddings.word_embeddings.weight" not in found


def test_only_named_weights_decay():
    model = BertForSequenceClassification(BertConfig(**SIZES))
    groups = layer_groups(model, 1.0, 0.5, 0.1, {"classifier.weight"})
    decaying = [weights for group in groups if group["weight_decay"] for weights in group["params"]]
    assert [id(weights) for weights in decaying] == [id(model.classifier.weight)]
    assert {group["weight_decay"] for group in groups} == {0.0, 0.1}
