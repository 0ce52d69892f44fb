"""Passages into windows of token ids: tokenised once, split at sentence borders where too long."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from conflictnlp.errors import InputError
from conflictnlp.models.scores import Matrix, WindowScores, softmax
from conflictnlp.text import Passage, insert_markers, plan_windows, sentence_spans

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """One window of a passage.

    Attributes:
        ids: token ids, special tokens included.
        start: first character in the passage's text.
        end: character after the last.
    """

    ids: list[int]
    start: int
    end: int


class WindowEncoder:
    """Turn passages into windows that an encoder reads at once.

    Args:
        tokenizer: a fast tokenizer; its own truncation and padding are switched off.
        roles: the task's marked roles in order.
        max_length: tokens of a window, special ones included.
        overlap: tokens that a window may repeat of its predecessor.
        split_length: tokens of the windows of a text that does not fit one; None for `max_length`.
        mask: what is read in place of each mention, between its markers; None for the mention itself.

    Raises:
        InputError: `max_length` leaves no room for a token of the text.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        roles: Sequence[str],
        max_length: int,
        overlap: int,
        split_length: int | None = None,
        mask: str | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._roles = tuple(roles)
        self._mask_words = mask
        self.max_length = max_length
        self._prefix, self._suffix = special_tokens(tokenizer)
        self._budget = max_length - len(self._prefix) - len(self._suffix)
        if self._budget < 1:
            raise InputError(f"model.max_length={max_length}: leaves no room beside the encoder's own special tokens")
        self._split_budget = min(self._budget, (split_length or max_length) - max_length + self._budget)
        if self._split_budget < 1:
            raise InputError(f"model.split_length={split_length}: leaves no room beside the special tokens")
        self._overlap = overlap

    def encode(self, passages: Sequence[Passage]) -> list[list[EncodedWindow]]:
        """Tokenise passages.

        A passage that fits is one window. In a longer one of a task with marked spans, only windows that hold a
        mention are kept: the others ask about nobody.

        Args:
            passages: texts with their mentions.

        Returns:
            for each passage its windows in order, at least one.
        """
        marked = [self._mark(passage) for passage in passages]
        encodings = self._tokenizer.encode_batch([text for text, _ in marked], add_special_tokens=False)
        return [
            self._windows(passage, encoding.ids, encoding.offsets, origins)
            for passage, encoding, (_, origins) in zip(passages, encodings, marked, strict=True)
        ]

    def _mark(self, passage: Passage) -> tuple[str, np.ndarray | None]:
        if not any(passage.spans):
            return passage.text, None
        return insert_markers(passage.text, zip(self._roles, passage.spans, strict=True), self._mask_words)

    def _windows(
        self, passage: Passage, ids: list[int], offsets: list[tuple[int, int]], origins: np.ndarray | None
    ) -> list[EncodedWindow]:
        if len(ids) <= self._budget:
            return [EncodedWindow([*self._prefix, *ids, *self._suffix], 0, len(passage.text))]
        places = [first for first, _ in offsets]
        if origins is not None:
            places = origins[places].tolist()
        units = sentence_units(passage.text, places, self._split_budget)
        windows = []
        for window in plan_windows([last - first for first, last in units], self._split_budget, self._overlap):
            first, last = units[window.first][0], units[window.last - 1][1]
            start = places[first]
            end = places[last] if last < len(places) else len(passage.text)
            windows.append(EncodedWindow([*self._prefix, *ids[first:last], *self._suffix], start, end))
        if any(passage.spans):
            mentions = [mention for role in passage.spans for mention in role]
            asking = [w for w in windows if any(w.start <= first < w.end for first, _ in mentions)]
            return asking or windows[:1]
        return windows


def weigh_windows(
    encoded: Sequence[Sequence[EncodedWindow]], logits: Matrix, background: int | None
) -> Iterator[WindowScores]:
    """Give each window its weight in its passage's score.

    Args:
        encoded: the windows of each passage.
        logits: of all windows in that order, array (n_windows, n_labels).
        background: column of the label of a window that says nothing of the question; each window of a
            passage of several then weighs as evidence by its probability of saying something. None weighs windows by
            their tokens.

    Yields:
        the scores of each passage.
    """
    at = 0
    for windows in encoded:
        lengths = np.array([len(window.ids) for window in windows], dtype=np.float64)
        spans = tuple((window.start, window.end) for window in windows)
        own = logits[at : at + len(windows)]
        at += len(windows)
        if background is None or len(windows) == 1:
            yield WindowScores(own, spans, lengths / lengths.sum())
            continue
        telling = 1 - softmax(own)[:, background] + 1e-6
        yield WindowScores(own, spans, telling / telling.sum(), background)


def special_tokens(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """Return the ids that an encoder wants before and after a text; truncation and padding are switched off.

    Args:
        tokenizer: a fast tokenizer.

    Returns:
        (before, after).

    Raises:
        InputError: the tokenizer makes no token of a letter.
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    with_special = tokenizer.encode("a").ids
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    if not plain or plain[0] not in with_special:
        raise InputError(
            "tokenizer.json: makes no tokens of a text; take an encoder, or a bundle, whose tokenizer does"
        )
    at = with_special.index(plain[0])
    return with_special[:at], with_special[at + len(plain) :]


def sentence_units(text: str, places: Sequence[int], budget: int) -> list[tuple[int, int]]:
    """Cut a text's tokens at its sentence borders, and over-long sentences into pieces.

    Args:
        text: the text.
        places: for each token the offset of its first character.
        budget: tokens of a piece at most.

    Returns:
        (first, last) token indexes of each sentence or piece.
    """
    starts = [start for start, _ in sentence_spans(text)] or [0]
    units: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(places) + 1):
        at_end = index == len(places)
        if at_end or bisect_right(starts, places[index]) != bisect_right(starts, places[first]):
            units.extend((piece, min(piece + budget, index)) for piece in range(first, index, budget))
            first = index
    return units


def batches(lengths: Sequence[int], tokens: int, most: int | None = None) -> Iterator[list[int]]:
    """Group windows of like length.

    Args:
        lengths: tokens of each window.
        tokens: padded tokens of a batch at most; a longer window is a batch of its own.
        most: windows of a batch at most.

    Yields:
        numbers of the windows of each batch, shortest first.
    """
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        # The last one is the longest: the others are padded to it.
        if batch and ((len(batch) + 1) * lengths[number] > tokens or len(batch) == most):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
