"""Train on the embedded sample and code one long article of its test split: `make demo`.

Momentum is learnt by MiniLM, topic and event type by TF-IDF. Runs and bundles lie in demo/.
"""

from __future__ import annotations

import logging
import os
import textwrap
import time
from pathlib import Path

import conflictnlp
from conflictnlp.data.sample import sample_texts

ARTICLE = "halvenia-a01"
# Less than the default recipe does (shorter windows, no renamed copies, few passes, frozen word embeddings), so that
# it takes minutes on a laptop: it shows the road, not what the recipe scores.
MOMENTUM = [
    "task=momentum",
    "model=minilm",
    "data=sample",
    "model.max_length=128",
    "model.renamed_copies=0",
    "model.freeze_embeddings=true",
    "trainer.epochs=6",
    "tagger.train=false",  # The article's actors are named below; to learn to find them takes as long again.
    "trainer.batch_size=16",
]


def main() -> None:
    """Train three models, apply them, print what they say."""
    logging.basicConfig(level=logging.WARNING)
    started = time.time()
    folder = Path("demo").absolute()
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    models = {}
    for task, overrides in (
        ("topic", ["task=topic", "model=tfidf", "data=sample"]),
        ("event_type", ["task=event_type", "model=tfidf", "data=sample"]),
        ("momentum", MOMENTUM),
    ):
        print(f"training {task} ...", flush=True)
        result = conflictnlp.train(overrides)
        models[task] = conflictnlp.load(result.bundle)
        print(f"  test macro-F1 {result.metrics['test/macro_f1']:.2f} (1 seed); bundle {result.bundle}")
    article = next(record for record in sample_texts("test") if record["id"] == ARTICLE)
    text, title = article["text"], article["title"]
    print(f"\n{title}\n")
    print(textwrap.shorten(text, 400, placeholder=" ..."))
    print(f"\ntopic       {_told(models['topic'].predict(text, title=title))}")
    print("event type  " + ", ".join(_ranked(models["event_type"].predict(text, title=title))))
    for actor in article["actors"]:
        names = "|".join([actor["actor"], *actor["aliases"]])
        prediction = models["momentum"].predict(text, actor=names, title=title)
        print(f"momentum    {actor['actor']}: {_told(prediction)}; coded by hand: {actor['label']}")
    print(f"\n{time.time() - started:.0f} s in all. Look at the runs: cd demo && ../.venv/bin/conflictnlp ui")


def _told(prediction: conflictnlp.Prediction) -> str:
    return f"{prediction.label} ({prediction.probability:.2f})"


def _ranked(prediction: conflictnlp.Prediction) -> list[str]:
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    return [f"{label} ({p:.2f})" for number, (label, p) in enumerate(ranked) if number == 0 or p > 0.2]


if __name__ == "__main__":
    main()
