"""Whether an exported model answers as the one it was made from."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from conflictnlp.composition import compose, shipped
from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example, Span, parse_row
from conflictnlp.data.load import SPLITS, read_split
from conflictnlp.data.read import find_files
from conflictnlp.data.sample import COUNTRIES, sample_texts
from conflictnlp.data.sources import read_rows
from conflictnlp.errors import InputError
from conflictnlp.evaluation.spans import score_spans
from conflictnlp.inference.model import Model
from conflictnlp.models.mentions import MentionFinder, decode
from conflictnlp.task import Task
from conflictnlp.text import find_mentions, sentence_spans
from conflictnlp.text.spans import Offsets

SAMPLE = "sample"
# Rows of the sample's check: its whole texts, filled up with sentences of them.
_ROWS = 1200
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
    """

    data: str
    rows: int
    equal_labels: float
    largest_difference: float
    mean_difference: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.rows} rows of {self.data}: {self.equal_labels:.2%} equal labels, probabilities differ by "
            f"{self.largest_difference:.1e} at most, {self.mean_difference:.1e} on average"
        )

    def refusal(self, precision: str) -> str | None:
        """Return why an export of a precision does not agree enough, or None."""
        if precision == "float32" and not self.largest_difference <= CLOSEST:
            return f"the exported model's probabilities are not within {CLOSEST:g} of the model's ({self})"
        if precision == "int8" and not self.equal_labels >= EQUAL:
            return f"the int8 model gives fewer than {EQUAL:.1%} of the labels that the model gives ({self})"
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


def check_rows(task: Task, source: str | None = None) -> tuple[str, list[Example]]:
    """Read what an exported model is checked on; labels are not needed.

    Args:
        task: tells the marked roles.
        source: a name in conf/data, or a file (or glob) with a column `text` and those of the roles; None for the
            embedded sample.

    Returns:
        what to call the data, and its rows; those of the sample are made for any task.

    Raises:
        InputError: the data cannot be read or do not fit the task.
    """
    if source is None or source == SAMPLE:
        return "the embedded sample and its sentences", _sample_rows(task)
    if source in shipped("data"):
        config, _ = compose([f"task={task.name}", f"data={source}"])
        return source, [example for split in SPLITS for example in read_split(config.data, task, split)]
    find_files(source)
    columns = ColumnsConfig()
    rows = [parse_row(row, task, columns, None, labelled=False) for row in read_rows(source)]
    if not rows:
        raise InputError(f"--check {source}: holds no rows")
    return Path(source).name, rows


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
    pairs = zip(source.predict_examples(rows), exported.predict_examples(rows), strict=True)
    bar = {"total": len(rows), "desc": "compare", "unit": " rows", "file": sys.stderr}
    for first, second in tqdm(pairs, disable=not sys.stderr.isatty(), **bar):
        if first.error is not None:
            continue
        answered += 1
        equal += first.labels == second.labels
        for label, chance in first.probabilities.items():
            difference = abs(chance - second.probabilities.get(label, float("nan")))
            # Written so that NaN, which compares false, stays.
            largest = largest if difference <= largest else difference
            total += difference
    if not answered:
        raise InputError(f"--check: none of the {len(rows)} rows of {data} can be answered; is the actor in the text?")
    return Parity(data, answered, equal / answered, largest, total / answered / len(source.labels))


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


def _sample_rows(task: Task) -> list[Example]:
    records = [record for split in COUNTRIES for record in sample_texts(split)]
    whole = [example for record in records for example in _questions(task, record, record["text"])]
    sentences = [
        example
        for record in records
        for start, end in sentence_spans(record["text"])
        for example in _questions(task, {**record, "title": ""}, record["text"][start:end])
    ]
    wanted = min(max(_ROWS - len(whole), 0), len(sentences))
    return whole + [sentences[number * len(sentences) // wanted] for number in range(wanted)]


def _questions(task: Task, record: dict[str, Any], text: str) -> Iterator[Example]:
    """Yield a text once, or for every choice of the task's roles among the actors it names."""
    shared = {"where": record["id"], "id": record["id"], "text": text, "title": record["title"] or ""}
    if not task.spans:
        yield Example(**shared)
        return
    names = [[actor["actor"], *actor["aliases"]] for actor in record["actors"]]
    named = [own for own in names if find_mentions(f"{shared['title']}\n{text}", own)]
    for number in range(len(named)):
        chosen = [named[(number + place) % len(named)] for place in range(len(task.spans))]
        marks = [(role, Span("|".join(own))) for role, own in zip(task.spans, chosen, strict=True)]
        if len(named) < len(task.spans):
            marks = [mark for mark in marks if mark[0] not in task.optional_spans] or marks[:1]
        yield Example(**shared, spans=tuple(marks))
