"""A graph is traced on a few tokens and reads many: what it scores is what the encoder scores, whatever its kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from transformers import (
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from conflictnlp.errors import InputError
from conflictnlp.export import graph
from conflictnlp.export.graph import write_graph

LONGEST = 96
SIZES = {
    "vocab_size": 200,
    "hidden_size": 32,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "pad_token_id": 1,
    "num_labels": 3,
    # Large weights, so that attention matters.
    "initializer_range": 0.5,
}
IDS = np.arange(LONGEST)[None] * 3 % 190 + 5


def modern(local: int = 40) -> PreTrainedModel:
    """ModernBERT: of four layers two read the tokens near a token alone."""
    torch.manual_seed(0)
    ids = {"cls_token_id": 0, "bos_token_id": 0, "sep_token_id": 2, "eos_token_id": 2}
    config = ModernBertConfig(num_hidden_layers=4, max_position_embeddings=128, local_attention=local, **ids, **SIZES)
    return ModernBertForSequenceClassification(config).eval()


def roberta() -> PreTrainedModel:
    """RoBERTa: positions are counted from the padding's number on."""
    torch.manual_seed(0)
    config = RobertaConfig(num_hidden_layers=2, max_position_embeddings=LONGEST + 2, **SIZES)
    return RobertaForSequenceClassification(config).eval()


def scores(model: PreTrainedModel) -> np.ndarray:
    with torch.no_grad():
        return model(input_ids=torch.tensor(IDS)).logits.numpy()


def run(path: Path) -> tuple[list[str], np.ndarray]:
    session = onnxruntime.InferenceSession(path)
    feed = {"input_ids": IDS, "attention_mask": np.ones_like(IDS)}
    names = [item.name for item in session.get_inputs()]
    return names, session.run(None, {name: feed[name] for name in names})[0]


@pytest.fixture
def unrounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what int8 does to the graph but for the rounding."""
    monkeypatch.setattr(graph, "_quantize", lambda source, target: source.rename(target))
    monkeypatch.setattr(graph, "ease_rounding", lambda *_: None)


@pytest.mark.parametrize(
    ("make", "inputs"), [(modern, ["input_ids", "attention_mask"]), (roberta, ["input_ids"])], ids=["modern", "roberta"]
)
@pytest.mark.usefixtures("unrounded")
def test_an_int8_graph_goes_without_a_mask_only_where_none_is_needed(tmp_path, make, inputs):
    write_graph(make(), 1, tmp_path / "model.onnx", LONGEST, IDS.tolist())
    names, found = run(tmp_path / "model.onnx")
    assert names == inputs
    assert np.abs(found - scores(make())).max() < 1e-4


@pytest.mark.parametrize("make", [modern, roberta])
def test_a_float32_graph_scores_windows_longer_than_its_trace(tmp_path, make):
    write_graph(make(), 1, tmp_path / "model.onnx", LONGEST)
    assert np.abs(run(tmp_path / "model.onnx")[1] - scores(make())).max() < 1e-4


def test_a_graph_that_scores_otherwise_even_with_a_mask_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "_same_scores", lambda *_: False)
    with pytest.raises(InputError, match="this encoder scores windows of 96 tokens otherwise"):
        write_graph(roberta(), 1, tmp_path / "model.onnx", LONGEST)
    assert not (tmp_path / "model.onnx").exists()
