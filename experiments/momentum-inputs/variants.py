"""Ways to tell an encoder whom it is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


VARIANTS: dict[str, tuple[type[TransformerClassifier], dict[str, Any]]] = {
    "markers": (TransformerClassifier, {}),
    "markers, renamed copies": (TransformerClassifier, {"renamed_copies": 1}),
    "masked name": (Masked, {}),
    "second segment": (SecondSegment, {}),
    "pooled at mentions": (TransformerClassifier, {"pooling": "marks"}),
    "pooled at mentions, renamed copies": (TransformerClassifier, {"pooling": "marks", "renamed_copies": 1}),
}
