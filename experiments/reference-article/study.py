"""Is one long report on a siege read as an analyst reads it? `code` with every seed of the default recipe.

CONFLICTNLP_DATA=... python experiments/reference-article/study.py [BUNDLE ...] [--seeds 1 2 3]

BUNDLEs are momentum models; without them the default recipe is trained for each seed, and so are, with seed 1, a topic
model on 10,000 rows and one of event types that learnt the sample's articles too. The article is no part of this
package: `articles/deir-ezzor.txt` beside the folder of the data sets. Pages with the evidence marked are written to
outputs/experiments/.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from conflictnlp.commands.code import code, load_coder
from conflictnlp.data.actors import gather_actors

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trained import KEPT, bundles, seed_of, trained

STATED = (
    "IS|Islamic State",
    "Syrian government forces|government forces|government troops|Assad military forces",
    "Russia|Russian",
)
COURSES = ("gaining", "losing", "stalemate", "none")


def main(models: list[Path]) -> None:
    article = Path(os.environ["CONFLICTNLP_DATA"]).parent / "articles" / "deir-ezzor.txt"
    topic = trained(["task=topic", "data=topic", "model=minilm", "data.limit=10000"], "topic", 1)
    event_type = trained(["experiment=reference-article/event_type", "model=minilm"], "event_type", 1)
    rows = []
    for bundle in models:
        refs = {"topic": str(topic), "event_type": str(event_type), "momentum": str(bundle)}
        for kind, stated in (("stated", STATED), ("found", ())):
            record = coded(refs, stated, article, KEPT / f"reference-s{seed_of(bundle)}-{kind}.html")
            rows += [(kind, seed_of(bundle), actor) for actor in record["actors"]]
    events = ", ".join(f"{event['label']} {event['probability']:.2f}" for event in record["event_types"])
    print(f"topic {record['topic']['label']} {record['topic']['probability']:.2f}; event types {events}\n")
    print(f"| actor | asked | seed | label | {' | '.join(f'P({course})' for course in COURSES)} | strongest sentence |")
    print("|" + " --- |" * (5 + len(COURSES)))
    for kind, seed, actor in sorted(rows, key=lambda row: (row[0] == "found", row[2]["name"], row[1])):
        chances = " | ".join(f"{actor['probabilities'][course]:.2f}" for course in COURSES)
        best = max(actor["evidence"], key=lambda piece: piece["weight"])
        start = " ".join(best["text"].split()[:9])
        print(f"| {actor['name']} | {kind} | {seed} | {actor['label']} | {chances} | {start} … |")


def coded(refs: dict[str, str | None], stated: tuple[str, ...], article: Path, page: Path) -> dict:
    """Return the article's joint record, and write the page that shows it."""
    coder = load_coder(refs, gather_actors(stated), "cpu")
    with TemporaryDirectory() as folder:
        code(coder, str(article), str(page))
        code(coder, str(article), f"{folder}/record.jsonl")
        return json.loads(Path(f"{folder}/record.jsonl").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(bundles(__doc__))
