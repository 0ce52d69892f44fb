"""Ways to tell an encoder whom it is asked about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from conflictnlp.data import Example
from conflictnlp.models import TransformerClassifier
from conflictnlp.models.encoding import EncodedWindow, WindowEncoder
from conflictnlp.text import Passage, find_mentions, rename

MASK, OTHERS = "the force", "the others"
# The coded actors of each text; `know_parties` fills it.
PARTIES: dict[str, set[str]] = defaultdict(set)


def know_parties(examples: Iterable[Example]) -> None:
    """Note whom the coders found in each text, for what masks them all."""
    for example in examples:
        PARTIES[example.text].update(dict(example.spans)["actor"].names)


class Masked(TransformerClassifier):
    """Markers, with the asked actor's name written over."""

    def _windows_of(self, passages: Sequence[Passage]) -> list[list[EncodedWindow]]:
        return super()._windows_of([rename(passage, 0, MASK) for passage in passages])


class AllMasked(TransformerClassifier):
    """Markers, with the asked actor's name and the names of the text's other actors written over."""

    def _windows_of(self, passages: Sequence[Passage]) -> list[list[EncodedWindow]]:
        return super()._windows_of([self._mask(passage) for passage in passages])

    def _mask(self, passage: Passage) -> Passage:
        asked = passage.spans[0]
        found = [mention for name in sorted(PARTIES[passage.text]) for mention in find_mentions(passage.text, [name])]
        others: list[tuple[int, int]] = []
        # The longest first: "Libyan National Army" hides "National Army".
        for start, end in sorted(found, key=lambda span: (span[0] - span[1], span)):
            if not any(start < last and first < end for first, last in [*asked, *others]):
                others.append((start, end))
        both = rename(rename(Passage(passage.text, (asked, tuple(sorted(others)))), 0, MASK), 1, OTHERS)
        return Passage(both.text, both.spans[:1])


class SecondSegment(TransformerClassifier):
    """The plain text, then the actor's name as second segment."""

    def _prepare(self, folder: Path) -> None:
        super()._prepare(folder)

        def tell_segments(_: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
            ends = (ids == self.tokenizer_.sep_token_id).long()
            behind = (ends.cumsum(1) - ends > 0).long()
            return args, {**kwargs, "token_type_ids": behind * kwargs["attention_mask"]}

        self.model_.base_model.register_forward_pre_hook(tell_segments, with_kwargs=True)

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
    "markers, first token": (TransformerClassifier, {}),
    "second segment": (SecondSegment, {}),
    "name masked, first token": (Masked, {}),
    "name masked, marked words": (Masked, {"pooling": "marks"}),
    "all names masked, first token": (AllMasked, {}),
    "all names masked, marked words": (AllMasked, {"pooling": "marks"}),
    "marked words": (TransformerClassifier, {"pooling": "marks"}),
    "marked words, renamed copies": (TransformerClassifier, {"pooling": "marks", "renamed_copies": 1}),
}
