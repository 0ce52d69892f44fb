"""Which sentences a label rests on: each sentence that names the actor, asked by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from conflictnlp.data.example import Example
from conflictnlp.inference.prediction import Evidence
from conflictnlp.models.scores import Matrix, WindowScores
from conflictnlp.task import Task
from conflictnlp.text import Passage, sentence_spans
from conflictnlp.text.spans import Offsets

# An example, what the model read of it, and its scores or why there are none.
Scored = tuple[Example, Passage, WindowScores | str]


def naming_sentences(passage: Passage) -> list[Offsets]:
    """Return the sentences that name the marked actor.

    Args:
        passage: a text with its mentions.

    Returns:
        character offsets into the passage's text, in order.
    """
    mentions = [mention for role in passage.spans for mention in role]
    return [
        (start, end)
        for start, end in sentence_spans(passage.text)
        if any(start <= first < end for first, _ in mentions)
    ]


def cut_out(passage: Passage, start: int, end: int) -> Passage:
    """Return a stretch of a passage as a passage of its own.

    Args:
        passage: a text with its mentions.
        start: first character.
        end: character after the last.

    Returns:
        the stretch with the mentions that lie in it.
    """
    spans = tuple(
        tuple((first - start, min(last, end) - start) for first, last in role if start <= first < end)
        for role in passage.spans
    )
    return Passage(passage.text[start:end], spans)


def shares(chances: Matrix, label: int) -> Matrix:
    """Share a label among the sentences that name the actor.

    Args:
        chances: calibrated probabilities of each sentence alone, array (n_sentences, n_labels).
        label: number of the predicted label.

    Returns:
        weights that sum to one, array (n_sentences,): a sentence weighs by the label's probability when asked alone.
    """
    own = chances[:, label]
    return own / own.sum()


class Scorer(Protocol):
    """What evidence needs of a loaded model."""

    @property
    def task(self) -> Task:
        """The task."""

    @property
    def labels(self) -> list[str]:
        """The labels in their declared order."""

    def probabilities(self, logits: Matrix) -> Matrix:
        """Calibrated probabilities of pooled logits."""

    def passage_probabilities(self, passages: Iterable[Passage]) -> Iterator[Matrix]:
        """Calibrated probabilities of bare passages."""


def find_evidence(model: Scorer, chunk: Sequence[Scored], chances: Sequence[Matrix]) -> list[tuple[Evidence, ...]]:
    """Find what each label rests on: the sentences that name the actor; for tasks without one the windows.

    Args:
        model: scores sentences.
        chunk: scored examples.
        chances: calibrated probabilities of each, array (n_labels,); anything for one that was not scored.

    Returns:
        for each example its evidence in the order of the text; none for one that was not scored.
    """
    if not model.task.spans:
        return [
            ()
            if isinstance(scores, str)
            else _told(model, example, passage, scores.spans, model.probabilities(scores.logits), scores.weights)
            for example, passage, scores in chunk
        ]
    sentences = [[] if isinstance(scores, str) else naming_sentences(passage) for _, passage, scores in chunk]
    # A text of one sentence was asked by itself already.
    asked = [own == [(0, len(passage.text))] for (_, passage, _), own in zip(chunk, sentences, strict=True)]
    scored = model.passage_probabilities(
        cut_out(passage, *sentence)
        for (_, passage, _), own, known in zip(chunk, sentences, asked, strict=True)
        for sentence in own
        if not known
    )
    found = []
    for (example, passage, _), own, known, whole in zip(chunk, sentences, asked, chances, strict=True):
        rows = [whole] if known else [next(scored) for _ in own]
        weights = shares(np.array(rows), int(whole.argmax())) if rows else np.empty(0)
        found.append(_told(model, example, passage, own, rows, weights))
    return found


def _told(
    model: Scorer,
    example: Example,
    passage: Passage,
    spans: Sequence[Offsets],
    rows: Iterable[Matrix],
    weights: Iterable[float],
) -> tuple[Evidence, ...]:
    """Turn offsets in the passage into offsets in the original text; words of the title have none."""
    evidence = []
    for (start, end), row, weight in zip(spans, rows, weights, strict=True):
        words = passage.text[start:end].strip()
        if not words:
            continue
        first = passage.text.index(words, start) - passage.offset
        place: tuple[int | None, int | None] = (None, None)
        if first + len(words) > 0:
            place = (max(0, first), first + len(words))
            words = example.text[slice(*place)]
        by_label = {label: float(value) for label, value in zip(model.labels, row, strict=True)}
        evidence.append(Evidence(*place, words, by_label, float(weight)))
    return tuple(evidence)
