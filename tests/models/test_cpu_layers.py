"""Layers of a training step on a CPU: what they drop, that they attend as torch does, and that they leave no trace."""

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, MPNetConfig, MPNetForSequenceClassification

from conflictnlp.models.cpu_layers import Dropout, attend, drop, fast_on_cpu

CPU = torch.device("cpu")
SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def tiny(kind=BertForSequenceClassification, config=BertConfig, **settings):
    torch.manual_seed(0)
    return kind(config(**SIZES, **settings))


def batch():
    ids = torch.arange(12).reshape(2, 6) + 3
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    return {"input_ids": ids, "attention_mask": mask}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_kept(share):
    torch.manual_seed(1)
    dropped = drop(torch.ones(200_003), share)
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=0.005)
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)


def test_each_place_of_a_drawn_number_drops_its_share():
    torch.manual_seed(1)
    places = (drop(torch.ones(400_000), 0.25) == 0).view(-1, 4).float().mean(dim=0)
    assert places.tolist() == pytest.approx([0.25] * 4, abs=0.01)


def test_a_share_of_none_changes_nothing():
    states = torch.rand(3, 5)
    assert drop(states, 0.0) is states


def test_what_is_dropped_depends_on_the_seed_and_has_no_gradient():
    states = torch.ones(64, requires_grad=True)
    torch.manual_seed(3)
    once = drop(states, 0.5)
    torch.manual_seed(3)
    assert torch.equal(once, drop(states, 0.5))
    once.sum().backward()
    assert torch.equal(states.grad, once.detach())


def test_the_layer_drops_while_training_alone():
    layer, states = Dropout(0.5), torch.ones(100)
    assert (layer(states) == 0).any()
    assert layer.eval()(states) is states


@pytest.mark.parametrize("heads", [4, 2])
def test_attention_is_that_of_torch(heads):
    torch.manual_seed(0)
    query, key, value = torch.rand(2, 4, 5, 8), torch.rand(2, heads, 5, 8), torch.rand(2, heads, 5, 8)
    mask = torch.zeros(2, 1, 5, 5)
    mask[1, :, :, 3:] = torch.finfo(torch.float32).min
    states, weights = attend(nn.Identity().eval(), query, key, value, mask, dropout=0.3)
    expected = nn.functional.scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)
    assert torch.allclose(states, expected.transpose(1, 2), atol=1e-6)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4, 5))


def test_within_a_training_a_model_scores_as_outside_of_it():
    model = tiny().eval()
    with torch.no_grad():
        before = model(**batch()).logits
        with fast_on_cpu(model, CPU):
            within = model(**batch()).logits
        after = model(**batch()).logits
    assert torch.allclose(before, within, atol=1e-6)
    assert torch.equal(before, after)


@pytest.mark.parametrize(
    ("kind", "config", "attention"),
    [(BertForSequenceClassification, BertConfig, "sdpa"), (MPNetForSequenceClassification, MPNetConfig, "eager")],
)
def test_layers_are_replaced_and_given_back(kind, config, attention):
    model = tiny(kind, config).train()
    names = list(model.state_dict())
    layers = {name: module for name, module in model.named_modules() if isinstance(module, nn.Dropout)}
    with fast_on_cpu(model, CPU):
        inner = [module for module in model.modules() if isinstance(module, nn.Dropout)]
        assert {type(module) for module in inner} == {Dropout}
        assert [module.p for module in inner] == [module.p for module in layers.values()]
        model(**batch()).logits.sum().backward()
        assert list(model.state_dict()) == names
        model.eval()
    assert {name: module for name, module in model.named_modules() if isinstance(module, nn.Dropout)} == layers
    assert not any(module.training for module in layers.values())
    assert model.config._attn_implementation == attention


def test_nothing_changes_on_another_device():
    model = tiny()
    with fast_on_cpu(model, torch.device("cuda")):
        assert not any(type(module) is Dropout for module in model.modules())
        assert model.config._attn_implementation == "sdpa"


def test_a_training_that_fails_gives_the_layers_back():
    model = tiny()
    with pytest.raises(RuntimeError, match="stopped"), fast_on_cpu(model, CPU):
        raise RuntimeError("stopped")
    assert not any(type(module) is Dropout for module in model.modules())
