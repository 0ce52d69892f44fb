"""Does a label rest on the sentence that weighs most? Removal of it against removal of another that names the actor.

CONFLICTNLP_DATA=... python experiments/momentum-evidence/study.py [BUNDLE ...] [--seeds 1 2 3]

Without bundles the default recipe is trained for each seed.

On texts with at least two sentences that name the actor: momentum/dev.jsonl, dev_articles.jsonl, and the sample's
validation and test split. Drop: probability of the predicted label of the whole text, minus without the sentence.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from conflictnlp.composition import load_task
from conflictnlp.config import ColumnsConfig
from conflictnlp.data import read_rows
from conflictnlp.data.example import parse_row
from conflictnlp.inference.evidence import cut_out, naming_sentences, shares
from conflictnlp.inference.model import Model
from conflictnlp.text import Passage

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trained import bundles, seed_of

RESAMPLES = 2000


def main(models: list[Path]) -> None:
    task = load_task("momentum")
    root = Path(os.environ["CONFLICTNLP_DATA"]) / "momentum"
    sources = [root / "dev.jsonl", root / "dev_articles.jsonl", "sample:validation/actors", "sample:test/actors"]
    rows = [row for source in sources for row in read_rows(source)]
    passages = [parse_row(row, task, ColumnsConfig(), "label").passage(task) for row in rows]
    cases = [(p, own) for p in passages if len(own := naming_sentences(p)) > 1]
    differences = []
    print(
        "| seed | cases | without the top sentence | without another | difference | the same where a course is told |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for bundle in models:
        top, other, framed = drops(Model(bundle), cases)
        difference = top - other
        differences.append(difference)
        print(
            f"| {seed_of(bundle)} | {len(cases)} | {top.mean():.3f} | {other.mean():.3f} | "
            f"{interval(difference)} | {interval(difference[framed])}, {framed.sum()} cases |"
        )
    print(f"\nmean over {len(models)} model(s): {interval(np.mean(differences, axis=0))}")


def drops(model: Model, cases: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the drop without the top sentence, the mean drop without another, and where the label is a course."""
    whole = list(model.passage_probabilities(passage for passage, _ in cases))
    alone = model.passage_probabilities(cut_out(passage, *place) for passage, own in cases for place in own)
    less = model.passage_probabilities(without(passage, *place) for passage, own in cases for place in own)
    top, other, framed = [], [], []
    for (_, own), chances in zip(cases, whole, strict=True):
        label = int(chances.argmax())
        best = int(shares(np.array([next(alone) for _ in own]), label).argmax())
        lost = np.array([chances[label] - next(less)[label] for _ in own])
        top.append(lost[best])
        other.append(np.delete(lost, best).mean())
        framed.append(model.labels[label] != "none")
    return np.array(top), np.array(other), np.array(framed)


def without(passage: Passage, start: int, end: int) -> Passage:
    """Return a passage without one stretch and the mentions in it."""
    gone = end - start
    spans = tuple(
        tuple(
            (first, last) if last <= start else (first - gone, last - gone)
            for first, last in role
            if last <= start or first >= end
        )
        for role in passage.spans
    )
    return Passage(passage.text[:start] + passage.text[end:], spans, min(passage.offset, start))


def interval(values: np.ndarray) -> str:
    generator = np.random.default_rng(0)
    means = generator.choice(values, (RESAMPLES, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main(bundles(__doc__))
