"""Attention over an article's windows, trained on battle reports and long invented articles; the encoder is frozen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from conflictnlp.bundle import load_estimator
from conflictnlp.config import ColumnsConfig
from conflictnlp.data import Example, read_rows
from conflictnlp.data.example import parse_row
from conflictnlp.inference.model import Model
from conflictnlp.models.base import softmax

_PASSES, _RATE, _DECAY = 200, 0.01, 0.1


@dataclass(frozen=True)
class Article:
    """What the frozen encoder makes of an article: states (n_windows, width), probabilities (n_windows, n_labels)."""

    states: torch.Tensor
    chances: torch.Tensor


def read_articles(model: Model, examples: Sequence[Example]) -> list[Article]:
    """Run the encoder over the windows that the model itself would read."""
    estimator = load_estimator(model.folder, model.manifest, "cpu")
    encoded = estimator._windows_of([example.passage(model.task) for example in examples])
    articles = []
    with torch.no_grad():
        for windows in encoded:
            states, logits = [], []
            for window in windows:
                ids = torch.tensor([window.ids])
                hidden = estimator.model_.base_model(input_ids=ids, attention_mask=torch.ones_like(ids))
                states.append(hidden.last_hidden_state[0].mean(0).numpy())
                logits.append(estimator.model_(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].numpy())
            chances = softmax(np.array(logits, dtype=np.float64) / model.manifest.temperature)
            articles.append(Article(torch.tensor(np.array(states)), torch.tensor(chances, dtype=torch.float32)))
    return articles


class Attention(torch.nn.Module):
    """Weigh windows by a learnt direction of their states and probabilities, and by their place (first or later)."""

    def __init__(self, width: int, labels: int) -> None:
        super().__init__()
        self.query = torch.nn.Linear(width + labels + 1, 1)
        torch.nn.init.zeros_(self.query.weight)

    def forward(self, article: Article) -> torch.Tensor:
        """Return pooled probabilities, array (n_labels,)."""
        first = torch.zeros(len(article.states), 1)
        first[0] = 1
        weights = self.query(torch.cat([article.states, article.chances, first], 1)).softmax(0)
        return (weights * article.chances).sum(0)


def train_attention(model: Model, examples: Sequence[Example], seed: int) -> Attention:
    """Learn the weights on articles of several windows."""
    pairs = [
        (article, model.labels.index(str(example.label)))
        for article, example in zip(read_articles(model, examples), examples, strict=True)
        if len(article.states) > 1
    ]
    torch.manual_seed(seed)
    attention = Attention(pairs[0][0].states.shape[1], len(model.labels))
    optimizer = torch.optim.AdamW(attention.parameters(), lr=_RATE, weight_decay=_DECAY)
    gold = torch.tensor([label for _, label in pairs])
    for _ in range(_PASSES):
        optimizer.zero_grad()
        pooled = torch.stack([attention(article) for article, _ in pairs])
        torch.nn.functional.nll_loss((pooled + 1e-6).log(), gold).backward()
        optimizer.step()
    return attention


def teaching_articles(task) -> list[Example]:
    """Return battle reports, and the sample's and the invented reports' long articles for training."""
    sources = [
        str(Path(os.environ["CONFLICTNLP_DATA"]) / "battles" / "train.jsonl"),
        "sample:train/actors",
        "reports:articles",
        "reports:dispatches",
    ]
    return [
        parse_row(row, task, ColumnsConfig(), "label")
        for source in sources
        for row in read_rows(source)
        if len(row.values["text"].split()) > 85
    ]
