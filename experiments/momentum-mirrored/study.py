"""Do labels follow the story or the names? Ten pairs of articles that tell the same events with the sides exchanged.

python experiments/momentum-mirrored/study.py BUNDLE [BUNDLE ...]      one bundle a seed
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import conflictnlp

ARTICLES = Path(__file__).with_name("articles.jsonl")


def main(bundles: list[str]) -> None:
    pairs = defaultdict(dict)
    for line in ARTICLES.read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        pairs[article["pair"]][article["side"]] = article
    flips, strict, right = [], [], []
    for bundle in bundles:
        model = conflictnlp.load(bundle)
        told = {name: {side: read(model, article) for side, article in pair.items()} for name, pair in pairs.items()}
        flipped = {
            name for name, sides in told.items() if all(gainer(side) == side["gains"] for side in sides.values())
        }
        exact = {
            name
            for name, sides in told.items()
            if all(label == gold for side in sides.values() for label, gold in side["labels"])
        }
        hits = [label == gold for sides in told.values() for side in sides.values() for label, gold in side["labels"]]
        flips.append(len(flipped))
        strict.append(len(exact))
        right.append(statistics.mean(hits))
        print(
            f"{bundle}: {len(flipped)} of {len(pairs)} pairs flip, {len(exact)} with all labels right; "
            f"labels right {right[-1]:.2f}; not flipped: {', '.join(sorted(set(pairs) - flipped)) or 'none'}"
        )
    print(
        f"mean over {len(bundles)} model(s): {statistics.mean(flips):.1f} of {len(pairs)} pairs flip "
        f"({statistics.mean(strict):.1f} with all labels right); labels right {statistics.mean(right):.2f}"
    )


def read(model: conflictnlp.Model, article: dict) -> dict:
    """Predict each actor's course."""
    courses, labels = {}, []
    for actor in article["actors"]:
        names = "|".join([actor["actor"], *actor["aliases"]])
        prediction = model.predict(article["text"], actor=names, title=article["title"])
        courses[actor["actor"]] = prediction.probabilities["gaining"] - prediction.probabilities["losing"]
        labels.append((prediction.label, actor["label"]))
    gains = next(actor["actor"] for actor in article["actors"] if actor["label"] == "gaining")
    return {"courses": courses, "labels": labels, "gains": gains}


def gainer(side: dict) -> str:
    """Return the actor that the model sees ahead."""
    return max(side["courses"], key=side["courses"].__getitem__)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
