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

from conflictnlp.models.head import inputs_kept, last_layer, widened

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


class TestWidened:
    """A head that answers more questions for a while."""

    @pytest.fixture
    def model(self):
        return BertForSequenceClassification(BertConfig(**SIZES)).eval()

    def logits(self, model):
        return model(input_ids=torch.tensor([[1, 2, 3]]), attention_mask=torch.ones(1, 3, dtype=torch.long)).logits

    def test_its_own_answers_come_first(self, model):
        own = self.logits(model)
        with widened(model, 5):
            wide = self.logits(model)
        assert wide.shape == (1, 5)
        assert torch.allclose(wide[:, :3], own)

    def test_what_its_own_part_learnt_stays(self, model):
        with widened(model, 5), torch.no_grad():
            layer = last_layer(model)
            layer.weight += 1
            layer.bias += 2
            learnt = self.logits(model)[:, :3]
        assert torch.allclose(self.logits(model), learnt)
        assert last_layer(model).out_features == 3

    def test_an_error_leaves_no_wide_head(self, model):
        with pytest.raises(RuntimeError), widened(model, 5):
            raise RuntimeError
        assert self.logits(model).shape == (1, 3)

    def test_a_head_without_bias_gets_none(self):
        layer = torch.nn.Linear(2, 2, bias=False)
        with widened(torch.nn.Sequential(layer), 3):
            assert layer.bias is None
            assert layer(torch.zeros(1, 2)).shape == (1, 3)
