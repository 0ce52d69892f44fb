"""Ways to tell an encoder whom it is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import BertForSequenceClassification

from conflictnlp.models import TransformerClassifier
from conflictnlp.models.encoding import EncodedWindow, WindowEncoder
from conflictnlp.text import Passage, rename

MASK = "the force"


class Masked(TransformerClassifier):
    """Markers, with the asked actor's name written over: no name can be learnt."""

    def _windows_of(self, passages: Sequence[Passage]) -> list[list[EncodedWindow]]:
        return super()._windows_of([rename(passage, 0, MASK) for passage in passages])


class SecondSegment(TransformerClassifier):
    """The plain text, then the actor's name behind a separator."""

    def _windows_of(self, passages: Sequence[Passage]) -> list[list[EncodedWindow]]:
        tokenizer = self.tokenizer_.backend_tokenizer
        plain = WindowEncoder(tokenizer, (), self.max_length, self.overlap, self.split_length)
        names = [passage.text[slice(*passage.spans[0][0])] if passage.spans[0] else "" for passage in passages]
        encoded = plain.encode([Passage(passage.text) for passage in passages])
        behind = [
            [*tokenizer.encode(name, add_special_tokens=False).ids, self.tokenizer_.sep_token_id] for name in names
        ]
        return [
            [EncodedWindow([*window.ids, *ids], window.start, window.end) for window in windows]
            for windows, ids in zip(encoded, behind, strict=True)
        ]


class MentionPooling(TransformerClassifier):
    """Markers, and the head reads the mean of the tokens between them rather than the first token."""

    def _load(self, folder: Any, fresh: bool) -> None:
        super()._load(folder, fresh)
        pooling = _MentionHead(self.model_.config)
        pooling.load_state_dict(self.model_.state_dict())
        first, last = (
            self.tokenizer_.backend_tokenizer.encode(words, add_special_tokens=False).ids for words in ("<a>", "</a>")
        )
        pooling.opening, pooling.closing = first, last
        self.model_ = pooling


class _MentionHead(BertForSequenceClassification):
    opening: list[int]
    closing: list[int]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Any:
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        begins, ends = self._after(input_ids, self.opening), self._after(input_ids, self.closing)
        inside = ((begins.cumsum(1) - ends.cumsum(1)) > 0).float()
        # Without a marked mention (a window of a long text) all tokens count.
        inside = torch.where(inside.sum(1, keepdim=True) > 0, inside, attention_mask.float())
        mean = (hidden * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)
        return _Output(self.classifier(self.dropout(mean)))

    @staticmethod
    def _after(ids: torch.Tensor, marker: list[int]) -> torch.Tensor:
        """Return 1 at the last token of each marker."""
        hit = torch.ones_like(ids)
        for back, token in enumerate(reversed(marker)):
            shifted = torch.roll(ids, back, dims=1)
            hit = hit * (shifted == token)
        return hit


class _Output(dict):
    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__(logits=logits)
        self.logits = logits


VARIANTS: dict[str, tuple[type[TransformerClassifier], dict[str, Any]]] = {
    "markers": (TransformerClassifier, {}),
    "markers, renamed copies": (TransformerClassifier, {"renamed_copies": 1}),
    "masked name": (Masked, {}),
    "second segment": (SecondSegment, {}),
    "pooled at mentions": (MentionPooling, {}),
}
