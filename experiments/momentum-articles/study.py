"""How shall the windows of a whole article be cut and pooled into one label?

CONFLICTNLP_DATA=... python experiments/momentum-articles/study.py [BUNDLE ...] [--seeds 1 2 3]

Without bundles the default recipe is trained for each seed. Scores momentum/dev_articles.jsonl (44 pairs), the long
articles of the sample's validation and test split, and articles.jsonl beside this file: articles of several courses
that were written for this study.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from attention import read_articles, teaching_articles, train_attention
from sklearn.metrics import f1_score

from conflictnlp.bundle import load_estimator
from conflictnlp.composition import load_task
from conflictnlp.config import ColumnsConfig
from conflictnlp.data import Example, read_rows
from conflictnlp.data.example import parse_row
from conflictnlp.inference.arguments import make_examples
from conflictnlp.inference.evidence import cut_out, naming_sentences
from conflictnlp.inference.model import Model
from conflictnlp.models.base import softmax
from conflictnlp.models.encoding import EncodedWindow, WindowEncoder, sentence_units

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trained import bundles

LENGTHS = (256, 128, 64)
_LONG = 85  # words of a sample text that is an article


def main(models: list[Path]) -> None:
    task = load_task("momentum")
    sets = {"dev articles": dev_articles(task), "sample articles": list(sample_articles(task))}
    sets["articles of several courses"] = written_articles(task)
    scores: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed, bundle in enumerate(models, 1):
        model = Model(bundle, device="cpu")
        attention = train_attention(model, teaching_articles(task), seed)
        for name, examples in sets.items():
            gold = np.array([model.labels.index(example.label) for example in examples])
            for windows, chances in cuts(model, examples):
                found = defaultdict(list)
                for rows in chances:
                    for pooling, pooled in poolings(rows, model.labels.index("none")):
                        found[pooling].append(int(pooled.argmax()))
                for pooling, labels in found.items():
                    value = f1_score(gold, labels, average="macro", labels=np.unique(gold), zero_division=0)
                    scores[windows, pooling][name].append(value)
            with torch.no_grad():
                found = [int(attention(article).argmax()) for article in read_articles(model, examples)]
            value = f1_score(gold, found, average="macro", labels=np.unique(gold), zero_division=0)
            scores["the model's", "attention, trained on long articles"][name].append(value)
    print(f"macro-F1, mean over {len(models)} model(s): " + ", ".join(f"{n} ({len(e)} pairs)" for n, e in sets.items()))
    print("\n| windows | pooling | " + " | ".join(sets) + " |\n|---|---|" + "---|" * len(sets))
    for (windows, pooling), by_set in sorted(
        scores.items(), key=lambda item: -sum(np.mean(v) for v in item[1].values())
    ):
        print(f"| {windows} | {pooling} | " + " | ".join(f"{np.mean(by_set[name]):.3f}" for name in sets) + " |")


def dev_articles(task) -> list[Example]:
    path = Path(os.environ["CONFLICTNLP_DATA"]) / "momentum" / "dev_articles.jsonl"
    return [parse_row(row, task, ColumnsConfig(), "label") for row in read_rows(path)]


def sample_articles(task) -> Iterator[Example]:
    for split in ("validation", "test"):
        for row in read_rows(f"sample:{split}/actors"):
            if len(row.values["text"].split()) > _LONG:
                yield parse_row(row, task, ColumnsConfig(), "label")


def written_articles(task) -> list[Example]:
    articles = [json.loads(line) for line in Path(__file__).with_name("articles.jsonl").read_text("utf-8").splitlines()]
    asked = [(article, actor) for article in articles for actor in article["actors"]]
    texts = ["\n\n".join([article["title"], *article["sentences"]]) for article, _ in asked]
    examples = make_examples(task, texts, {"actors": ["|".join(actor["names"]) for _, actor in asked]})
    return [replace(example, labels=(actor["main"],)) for example, (_, actor) in zip(examples, asked, strict=True)]


def cuts(model: Model, examples: list[Example]) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield a name and each article's windows' probabilities, arrays (n_windows, n_labels)."""
    passages = [example.passage(model.task) for example in examples]
    estimator = load_estimator(model.folder, model.manifest, "cpu")
    for length in LENGTHS:
        estimator.encoder_windows_ = WindowEncoder(
            estimator.tokenizer_.backend_tokenizer, model.task.spans, estimator.max_length, 32, length
        )
        scored = list(estimator.window_scores(passages))
        yield f"{length} tokens", [softmax(scores.logits / model.manifest.temperature) for scores in scored]
    estimator.encoder_windows_ = LeadWindows(
        estimator.tokenizer_.backend_tokenizer, model.task.spans, estimator.max_length, 32, LENGTHS[-1]
    )
    scored = list(estimator.window_scores(passages))
    yield f"{LENGTHS[-1]} tokens behind the lead", [softmax(s.logits / model.manifest.temperature) for s in scored]
    sentences = [naming_sentences(passage) for passage in passages]
    alone = [cut_out(p, *sentence) for p, own in zip(passages, sentences, strict=True) for sentence in own]
    rows = model.passage_probabilities(alone)
    yield "sentences", [np.array([next(rows) for _ in own]) for own in sentences]


class LeadWindows(WindowEncoder):
    """Each later window begins with the article's first sentence or headline."""

    def _windows(self, passage, ids, offsets, origins) -> list[EncodedWindow]:
        windows = super()._windows(passage, ids, offsets, origins)
        if len(ids) <= self._budget:
            return windows
        places = [first for first, _ in offsets] if origins is None else origins[[first for first, _ in offsets]]
        first, last = sentence_units(passage.text, list(places), self._split_budget)[0]
        lead, before = ids[first:last], len(self._prefix)
        return [
            window if window.start == 0
            else EncodedWindow([*self._prefix, *lead, *window.ids[before:]], window.start, window.end)
            for window in windows
        ]  # fmt: skip


def poolings(rows: np.ndarray, background: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a name and the pooled probabilities (up to a factor), arrays (n_labels,)."""
    telling = 1 - rows[:, background] + 1e-6
    lead = np.ones(len(rows))
    lead[0] = 3
    others = np.arange(rows.shape[1]) != background
    yield "mean", rows.mean(axis=0)
    yield "mean, lead thrice", lead @ rows
    yield "weighed by 1 - P(none)", telling @ rows
    yield "weighed by 1 - P(none), lead thrice", (telling * lead) @ rows
    highest = rows.max(axis=0)
    highest[background] = rows[:, background].min()
    yield "max-evidence", highest
    place = 1 / np.arange(1, len(rows) + 1)
    yield "mean, the k-th window 1/k", place @ rows
    for name, weights in (("", np.ones(len(rows))), (", first window thrice", lead), (", the k-th window 1/k", place)):
        noisy = 1 - np.prod((1 - rows) ** weights[:, None], axis=0)
        noisy[background] = np.prod(rows[:, background] ** weights)
        yield "noisy-or" + name, noisy
        for power in (1.0, 0.5):
            # Whether there is a course as noisy-or has it; which one by the windows' shares.
            shares = weights @ rows * others
            none = noisy[background] ** power
            pooled = (1 - none) * shares / shares.sum()
            pooled[background] = none
            yield "shares" + (" of the square root" if power < 1 else "") + name, pooled
    yield "most telling window", rows[rows[:, others].max(axis=1).argmax()]
    yield "first window", rows[0]


if __name__ == "__main__":
    main(bundles(__doc__))
