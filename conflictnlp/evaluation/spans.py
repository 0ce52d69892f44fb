"""How well found mentions match marked ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conflictnlp.text.spans import Offsets


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Precision, recall and F1 of found spans.

    Attributes:
        precision: share of the found spans that are right.
        recall: share of the marked spans that are found.
    """

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def score_spans(
    marked: Sequence[Sequence[Offsets]], found: Sequence[Sequence[Offsets]], overlap: bool = False
) -> SpanScores:
    """Score found spans over many texts (micro average).

    Args:
        marked: for each text the coder's spans.
        found: for each text the found spans.
        overlap: a span is right if it shares a character with one of the other side; else only if both ends are equal.

    Returns:
        the scores; a ratio without cases is 0.
    """

    def hits(mine: Sequence[Offsets], theirs: Sequence[Offsets]) -> int:
        if not overlap:
            return len(set(mine) & set(theirs))
        return sum(any(start < last and first < end for first, last in theirs) for start, end in mine)

    pairs = list(zip(marked, found, strict=True))
    right_found = sum(hits(ours, gold) for gold, ours in pairs)
    right_marked = sum(hits(gold, ours) for gold, ours in pairs)
    all_found, all_marked = sum(len(ours) for _, ours in pairs), sum(len(gold) for gold, _ in pairs)
    return SpanScores(right_found / max(1, all_found), right_marked / max(1, all_marked))
