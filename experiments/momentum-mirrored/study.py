"""Do labels follow the story or the names? Ten pairs of articles that tell the same events with the sides exchanged.

python experiments/momentum-mirrored/study.py [BUNDLE ...] [--seeds 1 2 3]

Without bundles the default recipe is trained for each seed. TF-IDF is trained beside it, for comparison.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean

import conflictnlp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trained import bundles, seed_of, trained

ARTICLES = Path(__file__).with_name("articles.jsonl")
COLUMNS = ("pairs that flip", "gaining side labelled gaining", "both labels of both right", "labels right")


def main(models: list[Path]) -> None:
    pairs = defaultdict(dict)
    for line in ARTICLES.read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        pairs[article["pair"]][article["side"]] = article
    found = {f"minilm, seed {seed_of(bundle)}": measure(bundle, pairs) for bundle in models}
    if len(found) > 1:
        found["minilm, mean"] = {key: mean(own[key] for own in found.values()) for key in COLUMNS}
    plain = trained(["task=momentum", "data=momentum", "model=tfidf"], "momentum-tfidf", 1)
    found["tfidf, seed 1"] = measure(plain, pairs)
    print(f"| model | {' | '.join(COLUMNS)} |\n|{' --- |' * (1 + len(COLUMNS))}")
    for name, own in found.items():
        print(f"| {name} | {' | '.join(f'{own[key]:.4g}' for key in COLUMNS)} |")


def measure(bundle: Path, pairs: dict[str, dict[str, dict]]) -> dict[str, float]:
    """Count the pairs whose answers turn with the story, by three measures from lenient to strict."""
    model = conflictnlp.load(bundle)
    told = {name: [read(model, article) for article in pair.values()] for name, pair in pairs.items()}
    hits = [label == gold for sides in told.values() for side in sides for label, gold in side["labels"].values()]
    ahead = {name for name, sides in told.items() if all(gainer(side) == side["gains"] for side in sides)}
    labelled = {
        name for name, sides in told.items() if all(side["labels"][side["gains"]][0] == "gaining" for side in sides)
    }
    exact = {
        name
        for name, sides in told.items()
        if all(label == gold for side in sides for label, gold in side["labels"].values())
    }
    print(
        f"{bundle}: the side ahead does not turn in {', '.join(sorted(set(pairs) - ahead)) or 'none'}", file=sys.stderr
    )
    return dict(zip(COLUMNS, (len(ahead), len(labelled), len(exact), mean(hits)), strict=True))


def read(model: conflictnlp.Model, article: dict) -> dict:
    """Predict each actor's course."""
    courses, labels = {}, {}
    for actor in article["actors"]:
        names = "|".join([actor["actor"], *actor["aliases"]])
        prediction = model.predict(article["text"], actor=names, title=article["title"])
        courses[actor["actor"]] = prediction.probabilities["gaining"] - prediction.probabilities["losing"]
        labels[actor["actor"]] = prediction.label, actor["label"]
    gains = next(actor["actor"] for actor in article["actors"] if actor["label"] == "gaining")
    return {"courses": courses, "labels": labels, "gains": gains}


def gainer(side: dict) -> str:
    """Return the actor that the model sees ahead."""
    return max(side["courses"], key=side["courses"].__getitem__)


if __name__ == "__main__":
    main(bundles(__doc__))
