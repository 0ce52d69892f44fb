"""What is done before rounding changes nothing but what rounding would lose."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

from conflictnlp.export.graph import write_graph
from conflictnlp.export.rounding import EasedLinear, RowwiseEmbedding, _outliers, ease_rounding

WINDOWS = [[2, 5, 6, 7, 3], [2, 8, 9, 3]]


@pytest.fixture
def model(tiny_encoder):
    return AutoModelForSequenceClassification.from_pretrained(tiny_encoder, num_labels=3).eval()


def eased(model) -> dict[str, EasedLinear]:
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, EasedLinear)}


def test_an_eased_layer_returns_what_it_returned():
    torch.manual_seed(0)
    linear = nn.Linear(64, 8)
    states = torch.randn(5, 64)
    states[:, 7] *= 40
    expected = linear(states)
    layer = EasedLinear(linear, torch.rand(64) + 0.5, torch.tensor([7, 2]))
    assert torch.allclose(layer(states), expected, atol=1e-4)
    assert (states * layer.scales).abs().max() < 40
    assert layer.linear.weight[:, [7, 2]].abs().max() == 0


def test_without_channels_apart_it_is_rescaled_alone():
    torch.manual_seed(0)
    linear = nn.Linear(64, 8)
    states = torch.randn(5, 64)
    expected = linear(states)
    layer = EasedLinear(linear, torch.full((64,), 4.0), torch.tensor([], dtype=torch.long))
    assert torch.allclose(layer(states), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("large", "apart"), [({}, []), ({5: 30.0}, [5]), ({5: 30.0, 900: 50.0}, [900, 5]), ({5: 1.9}, [])]
)
def test_the_largest_channels_are_kept_apart(large, apart):
    peaks = torch.ones(1024)
    for channel, peak in large.items():
        peaks[channel] = peak
    assert _outliers(peaks).tolist() == apart


def test_few_channels_at_most_are_kept_apart():
    peaks = torch.ones(4096)
    peaks[:30] = 100
    assert len(_outliers(peaks)) == 16
    assert len(_outliers(torch.tensor([100.0, *[1.0] * 40]))) <= 1


def test_embeddings_are_rounded_by_a_scale_each():
    embedding = nn.Embedding(3, 4)
    embedding.weight.data = torch.tensor([[1.0, -0.5, 0.25, 0.0], [100.0, 3.0, -50.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    rounded = RowwiseEmbedding(embedding)
    ids = torch.tensor([[0, 1, 2]])
    wanted = embedding(ids)
    steps = wanted.abs().amax(dim=-1, keepdim=True) / 127
    assert ((rounded(ids) - wanted).abs() <= steps / 2 + 1e-6).all()
    assert rounded.rounded.dtype == torch.int8


def test_a_prepared_encoder_scores_nearly_as_before(model):
    ids = torch.tensor([[2, 5, 9, 7, 3]])
    with torch.no_grad():
        expected = model(input_ids=ids).logits
        ease_rounding(model, WINDOWS)
        found = model(input_ids=ids).logits
    # Only the embeddings have been rounded.
    assert 0 < (found - expected).abs().max() < 0.05
    assert isinstance(model.get_input_embeddings(), RowwiseEmbedding)


def test_layers_that_read_the_same_states_are_rescaled_alike(model):
    ease_rounding(model, WINDOWS)
    layers = eased(model)
    attention = {name: layer for name, layer in layers.items() if "layer.0.attention.self" in name}
    assert sorted(name.rpartition(".")[2] for name in attention) == ["key", "query", "value"]
    query, key, value = (layer.scales for layer in attention.values())
    assert torch.equal(query, key) and torch.equal(key, value)
    other = next(layer for name, layer in layers.items() if "layer.0.intermediate" in name)
    assert not torch.equal(other.scales, query)
    # The head is not the encoder's: it stays as it is.
    assert type(model.classifier) is nn.Linear


def test_an_int8_graph_holds_matrices_and_embeddings_in_8_bits(model, tmp_path):
    vocabulary = model.config.vocab_size
    write_graph(model, 0, tmp_path / "model.onnx", 64, WINDOWS)
    weights = onnx.load(tmp_path / "model.onnx").graph.initializer
    integers = [weight for weight in weights if weight.data_type in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)]
    assert [vocabulary, model.config.hidden_size] in [list(weight.dims) for weight in integers]
    width = model.config.hidden_size
    large = [
        weight.name
        for weight in weights
        if weight.data_type == onnx.TensorProto.FLOAT and len(weight.dims) == 2 and min(weight.dims) >= width
    ]
    assert all("position" in name for name in large)
