"""What a scored passage is, and what every scorer shares, whichever library computes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conflictnlp.errors import InputError
from conflictnlp.text import Passage, whole_characters

Matrix = NDArray[np.float64]
# Passages scored together, so that batches can be sorted by length.
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class WindowScores:
    """What a model says of each window of one passage.

    Attributes:
        logits: array (n_windows, n_labels).
        spans: character offsets of each window in the passage's text.
        weights: share of each window in the pooled score; they sum to one.
        background: number of the label of a window that says nothing of the question; the others then share what
            is left of it. None takes the weighted mean of the logits.
    """

    logits: Matrix
    spans: tuple[tuple[int, int], ...]
    weights: Matrix
    background: int | None = None

    def pooled(self, temperature: float = 1.0) -> Matrix:
        """Pool the windows into one score.

        The background holds only if all windows say so (a noisy-or, Pearl 1988); the rest goes to the other labels in
        proportion to what the windows say of each in sum. A noisy-or of each label would make all of them as good as
        certain in an article of many windows. What windows say counts as calibrated.

        Args:
            temperature: the model's.

        Returns:
            logits of the whole passage, array (n_labels,), which the temperature is yet to divide.
        """
        if self.background is None:
            return self.weights @ self.logits
        chances = softmax(self.logits / temperature)
        silent = np.prod(chances[:, self.background])
        shares = chances.sum(axis=0)
        shares[self.background] = 0
        pooled = (1 - silent) * shares / shares.sum()
        pooled[self.background] = silent
        return temperature * np.log(np.clip(pooled, 1e-9, None))


def softmax(logits: Matrix) -> Matrix:
    """Return probabilities that sum to one in each row."""
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def sigmoid(logits: Matrix) -> Matrix:
    """Return each logit's own probability."""
    return 0.5 * (1.0 + np.tanh(0.5 * logits))


class Scorer(ABC):
    """Passages in, scores of their windows out: the estimators once fitted, and the runtimes of exported models.

    Attributes:
        spans: the roles that a passage must mark.
    """

    spans: Sequence[str]

    def window_scores(self, X: Iterable[Any]) -> Iterator[WindowScores]:
        """Score passages one by one, in order, in bounded memory.

        Args:
            X: texts or passages.

        Yields:
            the scores of each one's windows.
        """
        stream = iter(X)
        while chunk := [self._passage(item) for item in islice(stream, _CHUNK)]:
            yield from self._score(chunk)

    @abstractmethod
    def _score(self, passages: list[Passage]) -> Iterator[WindowScores]:
        """Score a chunk of checked passages, in order."""

    def _passage(self, item: Any) -> Passage:
        if isinstance(item, Passage):
            passage = item
        elif isinstance(item, str):
            passage = Passage(item)
        else:
            raise InputError(f"a text must be a str or a Passage, not {type(item).__name__}")
        if len(passage.spans) != len(self.spans):
            roles = ", ".join(self.spans) or "no actor"
            raise InputError(f"this model reads a text for {roles}; the passage marks {len(passage.spans)} role(s)")
        return replace(passage, text=whole_characters(passage.text))
