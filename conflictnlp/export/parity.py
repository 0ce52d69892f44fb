"""Whether an exported model answers as the one it was made from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from conflictnlp.data.example import Example
from conflictnlp.errors import InputError
from conflictnlp.evaluation.metrics import Outcome, score
from conflictnlp.evaluation.report import gold_targets
from conflictnlp.evaluation.spans import score_spans
from conflictnlp.inference.model import Model
from conflictnlp.inference.prediction import Prediction
from conflictnlp.models.mentions import MentionFinder, decode
from conflictnlp.task import Task
from conflictnlp.text.spans import Offsets

# Fewer rows tell little of a share of equal labels.
ENOUGH = 1000
CLOSEST = 1e-4
EQUAL = 0.985
SHARED_MENTIONS = 0.95
# Texts in which actors are looked for together.
_TOGETHER = 64


@dataclass(frozen=True)
class Parity:
    """How far two models agree.

    Attributes:
        data: what they were compared on.
        rows: of it.
        equal_labels: share of the rows that get the same label (multi-label: the same labels).
        largest_difference: of two probabilities of one label.
        mean_difference: the same, on average.
        labelled: rows that bear a gold label.
        source_f1: macro-F1 of the source on these; None where there are none.
        exported_f1: macro-F1 of the exported model on these.
    """

    data: str
    rows: int
    equal_labels: float
    largest_difference: float
    mean_difference: float
    labelled: int = 0
    source_f1: float | None = None
    exported_f1: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; without the scores where there are none."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        told = (
            f"{self.rows} rows of {self.data}: {self.equal_labels:.2%} equal labels, probabilities differ by "
            f"{self.largest_difference:.1e} at most, {self.mean_difference:.1e} on average"
        )
        if self.source_f1 is None or self.exported_f1 is None:
            return told
        return (
            f"{told}; macro-F1 on the {self.labelled} labelled rows {self.exported_f1:.3f}, the source's "
            f"{self.source_f1:.3f} ({100 * (self.exported_f1 - self.source_f1):+.1f} points)"
        )

    def refusal(self, precision: str) -> str | None:
        """Return why an export of a precision does not agree enough, or None."""
        if precision == "float32" and not self.largest_difference <= CLOSEST:
            return f"the exported model's probabilities are not within {CLOSEST:g} of the model's ({self})"
        if precision == "int8" and not self.equal_labels >= EQUAL:
            return (
                f"the int8 model gives fewer than {EQUAL:.1%} of the labels that the model gives ({self}); compare "
                "them on rows like those that you will score (--check DATA), or leave --quantize out"
            )
        if precision == "int8" and self.rows < ENOUGH:
            return f"{self.rows} rows tell too little of an int8 model, which needs {ENOUGH:,} or more ({self})"
        return None


@dataclass(frozen=True)
class FinderParity:
    """How far two taggers of actors agree.

    Attributes:
        texts: in which they looked for actors.
        mentions: that the trained one found.
        equal_mentions: F1 of the exported one's mentions against these; both ends must be the same.
        shared_mentions: the same, where a shared character is enough.
        largest_difference: of two probabilities of one label of a token.
    """

    texts: int
    mentions: int
    equal_mentions: float
    shared_mentions: float
    largest_difference: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.texts} texts: {self.mentions} mentions, {self.shared_mentions:.2%} (F1) also found, "
            f"{self.equal_mentions:.2%} with the same ends, probabilities differ by "
            f"{self.largest_difference:.1e} at most"
        )

    def refusal(self, precision: str) -> str | None:
        """Return why an export of a precision does not agree enough, or None."""
        if precision == "float32" and not self.largest_difference <= CLOSEST:
            return f"the exported tagger's probabilities are not within {CLOSEST:g} of the tagger's ({self})"
        if precision == "int8" and not self.shared_mentions >= SHARED_MENTIONS:
            return f"the int8 tagger finds other actors than the tagger (F1 below {SHARED_MENTIONS:.0%}; {self})"
        return None


def compare_models(source: Model, exported: Model, data: str, rows: Sequence[Example]) -> Parity:
    """Let two models of one task answer the same questions.

    Args:
        source: the model as it was trained.
        exported: the model that was made from it.
        data: what to call the rows.
        rows: the questions; those that the trained model cannot answer (no text, no actor) are left out.

    Returns:
        how far they agree.

    Raises:
        InputError: no row can be answered.
    """
    equal = answered = 0
    largest = total = 0.0
    labelled: list[tuple[tuple[Example, Prediction], tuple[Example, Prediction]]] = []
    pairs = zip(source.predict_examples(rows), exported.predict_examples(rows), strict=True)
    bar = {"total": len(rows), "desc": "compare", "unit": " rows", "file": sys.stderr}
    for row, (first, second) in zip(rows, tqdm(pairs, disable=not sys.stderr.isatty(), **bar), strict=True):
        if first.error is not None:
            continue
        if row.labels is not None:
            labelled.append(((row, first), (row, second)))
        answered += 1
        equal += first.labels == second.labels
        for label, chance in first.probabilities.items():
            difference = abs(chance - second.probabilities.get(label, float("nan")))
            # Written so that NaN, which compares false, stays.
            largest = largest if difference <= largest else difference
            total += difference
    if not answered:
        raise InputError(f"--check: none of the {len(rows)} rows of {data} can be answered; is the actor in the text?")
    scores = [macro_f1(source.task, answers) for answers in zip(*labelled, strict=True)]
    mean = total / answered / len(source.labels)
    return Parity(data, answered, equal / answered, largest, mean, len(labelled), *scores)


def macro_f1(task: Task, answered: Sequence[tuple[Example, Prediction]]) -> float:
    """Return the macro-F1 of predictions.

    Args:
        task: tells the labels.
        answered: labelled rows, each with what a model says of it.

    Returns:
        the score, as `evaluate` reckons it.
    """
    rows = [row for row, _ in answered]
    said = gold_targets([replace(row, labels=prediction.labels) for row, prediction in answered], task)
    chances = np.array([[prediction.probabilities[name] for name in task.label_names] for _, prediction in answered])
    outcome = Outcome(task.label_names, gold_targets(rows, task), said, chances, [row.cluster for row in rows])
    return score(outcome)["macro_f1"]


def compare_finders(source: MentionFinder, exported: MentionFinder, texts: Sequence[str]) -> FinderParity:
    """Let two taggers find the actors of the same texts.

    Args:
        source: as it was trained.
        exported: made from it.
        texts: any; each once.

    Returns:
        how far they agree.
    """
    pairs: list[tuple[set[Offsets], set[Offsets]]] = []
    largest = 0.0
    for first in range(0, len(texts), _TOGETHER):
        chunk = texts[first : first + _TOGETHER]
        for (number, window, chances), (_, _, others) in zip(source.score(chunk), exported.score(chunk), strict=True):
            difference = float(np.abs(chances - others).max(initial=0.0))
            # Written so that NaN, which compares false, stays.
            largest = largest if difference <= largest else difference
            own, theirs = (
                {(mention.start, mention.end) for mention in decode(chunk[number], window, values)}
                for values in (chances, others)
            )
            pairs.append((own, theirs))
    marked, found = ([sorted(pair[side]) for pair in pairs] for side in (0, 1))
    mentions = sum(map(len, marked))
    # Where neither finds anybody they agree.
    silent = not mentions and not any(found)
    equal, shared = (1.0 if silent else score_spans(marked, found, overlap).f1 for overlap in (False, True))
    return FinderParity(len(texts), mentions, equal, shared, largest)
