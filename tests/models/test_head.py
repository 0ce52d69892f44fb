from __future__ import annotations

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    MPNetConfig,
    MPNetForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from conflictnlp.models.head import inputs_kept, last_layer

SIZES = {
    "vocab_size": 9,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": 8,
    "num_labels": 3,
}


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (BertForSequenceClassification, BertConfig),
        (RobertaForSequenceClassification, RobertaConfig),
        (MPNetForSequenceClassification, MPNetConfig),
    ],
)
def test_the_last_layer_gives_the_logits_from_what_was_kept(kind, config):
    model = kind(config(**SIZES)).eval()
    layer = last_layer(model)
    with inputs_kept(layer) as kept:
        logits = model(input_ids=torch.tensor([[1, 2, 3]]), attention_mask=torch.ones(1, 3, dtype=torch.long)).logits
    assert [part.shape for part in kept] == [(1, 8)]
    assert torch.allclose(layer(kept[0]), logits)
    kept[0].sum().backward()
    assert any(parameter.grad is not None for parameter in model.base_model.parameters())


def test_nothing_is_kept_after_the_block():
    layer = torch.nn.Linear(2, 2)
    with inputs_kept(layer) as kept:
        pass
    layer(torch.zeros(1, 2))
    assert kept == []


def test_a_model_without_a_linear_layer_is_refused():
    with pytest.raises(ValueError, match="Dropout: no linear layer gives its logits"):
        last_layer(torch.nn.Dropout())
