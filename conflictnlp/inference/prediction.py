"""What a model says of one text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of the text that the model read and what it made of it.

    Attributes:
        start: first character in the original text; None for words of the title.
        end: character after the last, or None.
        text: the words.
        probabilities: by label, of this stretch alone.
        weight: its share in the prediction.
    """

    start: int | None
    end: int | None
    text: str
    probabilities: dict[str, float]
    weight: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        # Not dataclasses.asdict, whose deep copies take longer than a small model's answer.
        return {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "probabilities": dict(self.probabilities),
            "weight": self.weight,
        }


@dataclass(frozen=True, slots=True)
class Prediction:
    """A label with its probability and what it rests on.

    Attributes:
        label: the predicted label; for multi-label the most probable of `labels`; None on error, abstention, or
            where no label applies.
        labels: all predicted labels; one for single-label tasks.
        probability: of `label`; for multi-label tasks the highest of all.
        probabilities: by label, in declared order.
        actor: the actor that was asked about, or None.
        start: first character of the actor's first mention, or None.
        end: character after it, or None.
        evidence: stretches of the text, in its order.
        abstained: whether the probability was below the wanted one.
        error: why there is no prediction, or None.
    """

    label: str | None
    labels: tuple[str, ...] = ()
    probability: float | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    actor: str | None = None
    start: int | None = None
    end: int | None = None
    evidence: tuple[Evidence, ...] = ()
    abstained: bool = False
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "label": self.label,
            "labels": list(self.labels),
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "actor": self.actor,
            "start": self.start,
            "end": self.end,
            "evidence": [item.to_dict() for item in self.evidence],
            "abstained": self.abstained,
            "error": self.error,
        }
