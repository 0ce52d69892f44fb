"""Mentions of armed actors out of scores by token: windows, labels and decoding, whichever library computes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from conflictnlp.errors import InputError
from conflictnlp.models.encoding import sentence_units, special_tokens
from conflictnlp.models.scores import Matrix, softmax
from conflictnlp.text import plan_windows, whole_characters

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# The tagger's files in a bundle: weights of a trained one, the graph of an exported one, settings of either.
WEIGHTS, GRAPH, CONFIG = "tagger.safetensors", "tagger.onnx", "tagger.json"
# Source and target of a political event teach where a party's name begins and ends, but need not be armed.
KINDS = ("actor", "party")
LABELS = ("O", *(f"{place}-{kind}" for kind in KINDS for place in "BI"))
_BEGIN, _INSIDE = LABELS.index("B-actor"), LABELS.index("I-actor")


@dataclass(frozen=True, slots=True)
class FoundMention:
    """A mention of an armed actor.

    Attributes:
        start: first character.
        end: character after the last.
        probability: of being part of an armed actor's name, mean over its tokens.
    """

    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class TokenWindow:
    """Tokens that are read at once.

    Attributes:
        ids: token ids, special tokens included.
        lead: special tokens before the text's own.
        places: character offsets of the text's own tokens.
        words: number of the word that each of them belongs to; None for none.
    """

    ids: list[int]
    lead: int
    places: list[tuple[int, int]]
    words: list[int | None]


class TokenWindows:
    """Cut texts into windows of tokens, at sentence borders.

    Args:
        tokenizer: a fast tokenizer; its own truncation and padding are switched off.
        max_length: tokens of a window, special ones included.

    Raises:
        InputError: `max_length` leaves no room for a token of the text.
    """

    def __init__(self, tokenizer: Tokenizer, max_length: int) -> None:
        self._tokenizer = tokenizer
        self._prefix, self._suffix = special_tokens(tokenizer)
        self._budget = max_length - len(self._prefix) - len(self._suffix)
        if self._budget < 1:
            raise InputError(f"tagger.max_length={max_length}: leaves no room beside the encoder's own special tokens")

    def cut(self, text: str) -> Iterator[TokenWindow]:
        """Yield the windows of a text in order; none for a text without a token."""
        encoding = self._tokenizer.encode(whole_characters(text), add_special_tokens=False)
        units = sentence_units(text, [first for first, _ in encoding.offsets], self._budget)
        for window in plan_windows([last - first for first, last in units], self._budget):
            first, last = units[window.first][0], units[window.last - 1][1]
            ids = [*self._prefix, *encoding.ids[first:last], *self._suffix]
            yield TokenWindow(ids, len(self._prefix), encoding.offsets[first:last], encoding.word_ids[first:last])


class MentionFinder(ABC):
    """Find the armed actors' mentions: the trained tagger, and the runtime of an exported one.

    Attributes:
        windows: cuts texts.
    """

    windows: TokenWindows

    def find(self, texts: Sequence[str]) -> list[list[FoundMention]]:
        """Find the armed actors' mentions.

        Args:
            texts: any texts.

        Returns:
            for each text its mentions in order, without overlaps.
        """
        found: list[list[FoundMention]] = [[] for _ in texts]
        for number, window, chances in self.score(texts):
            found[number].extend(decode(texts[number], window, chances))
        return found

    def score(self, texts: Sequence[str]) -> Iterator[tuple[int, TokenWindow, Matrix]]:
        """Score texts by token.

        Args:
            texts: any texts.

        Yields:
            (number of the text, window, probabilities of its own tokens' labels as an array (n_tokens, n_labels)).
        """
        windows = [(number, window) for number, text in enumerate(texts) for window in self.windows.cut(text)]
        logits = self._logits([window.ids for _, window in windows])
        for (number, window), rows in zip(windows, logits, strict=True):
            yield number, window, softmax(rows[window.lead : window.lead + len(window.places)])

    @abstractmethod
    def _logits(self, windows: Sequence[Sequence[int]]) -> list[Matrix]:
        """Score windows of token ids, each to an array (n_ids or more where padded, n_labels), in order."""


def decode(text: str, window: TokenWindow, chances: Matrix) -> Iterator[FoundMention]:
    """Turn the probabilities of a window's tokens into mentions.

    Args:
        text: the whole text.
        window: of it.
        chances: array (n_tokens, n_labels), columns in the order of `LABELS`.

    Yields:
        the mentions in order. A token is of one from a probability of 0.5 on; a word's first token decides for it.
    """
    current: list[Any] | None = None
    for (start, end), word, previous, row in zip(
        window.places, window.words, [None, *window.words[:-1]], chances, strict=True
    ):
        if word == previous and word is not None:
            if current is not None and current[1] == start:
                current[1] = end
            continue
        chance = float(row[_BEGIN] + row[_INSIDE])
        wanted = chance > 0.5
        if wanted and current is not None and row[_INSIDE] >= row[_BEGIN]:
            current[1] = end
            current[2].append(chance)
            continue
        if current is not None:
            yield _mention(text, *current)
        current = [start, end, [chance]] if wanted else None
    if current is not None:
        yield _mention(text, *current)


def _mention(text: str, start: int, end: int, chances: list[float]) -> FoundMention:
    words = text[start:end]
    end -= len(words) - len(words.rstrip(" .,;:'\"-"))
    return FoundMention(start, max(end, start + 1), float(np.mean(chances)))
