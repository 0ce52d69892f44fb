"""How shall the encoder be told whom it is asked about, and does it then look at names?

CONFLICTNLP_DATA=... python experiments/momentum-inputs/study.py --out results.jsonl
    [--variants "marked words" ...] [--folds year conflict dev] [--seeds 1 2 3] [--epochs 8] [--device auto]

Folds inside momentum/train: three of whole years and three of whole conflicts, each held out once (of the latter also
the score of each conflict); `dev` trains on all of it and scores dev, the name dependence, texts without ISIL, and seen
and unseen actor names. All ways read as many texts: with renamed copies there are fewer passes. Every finished job is a
line of --out; started again, the study goes on. Without jobs left it prints the tables.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
from names import by_names, macro_f1, read_momentum
from variants import VARIANTS, know_parties

from conflictnlp.data import Example


def main() -> None:
    options = arguments()
    task, train, dev = read_momentum()
    know_parties([*train, *dev])
    done = {(line["variant"], line["fold"], line["seed"]) for line in lines(options.out)}
    for fold, (fitted, held) in folds(train, dev, options.folds).items():
        for variant in options.variants:
            for seed in options.seeds:
                if (variant, fold, seed) not in done:
                    result = job(variant, task, fitted, held, seed, options, fold == "dev")
                    with options.out.open("a", encoding="utf-8") as stream:
                        stream.write(json.dumps({"variant": variant, "fold": fold, "seed": seed, **result}) + "\n")
    tables(lines(options.out))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    parser.add_argument("--folds", nargs="+", default=["year", "conflict", "dev"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=float, default=8)
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def folds(train: list[Example], dev: list[Example], kinds: list[str]) -> dict[str, tuple[list, list]]:
    """Return (fitted, held out) by the fold's name."""
    found, tags = {}, conflict_tags()
    for kind, key in (("year", lambda row: (row.date or "")[:4]), ("conflict", lambda row: tags[row.id])):
        if kind in kinds:
            sizes = defaultdict(int)
            for example in train:
                sizes[key(example)] += 1
            # Largest first to the emptiest fold.
            loads, place = [0, 0, 0], {}
            for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
                place[name] = int(np.argmin(loads))
                loads[place[name]] += size
            for number in range(3):
                held = [example for example in train if place[key(example)] == number]
                fitted = [example for example in train if place[key(example)] != number]
                found[f"{kind} {number + 1}"] = (fitted, held)
    if "dev" in kinds:
        texts = {example.text for example in dev}
        found["dev"] = ([example for example in train if example.text not in texts], dev)
    return found


def conflict_tags() -> dict[str, str]:
    """Return the rough tag of each row's conflict by id."""
    path = Path(os.environ["CONFLICTNLP_DATA"]) / "momentum" / "train.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["id"]: row["conflict"] for row in rows}


def job(variant: str, task, fitted: list[Example], held: list[Example], seed: int, options, is_dev: bool) -> dict:
    estimator, settings = VARIANTS[variant]
    epochs = options.epochs / (1 + settings.get("renamed_copies", 0))
    model = estimator(
        labels=task.label_names, spans=task.spans, background=task.background, epochs=epochs,
        split_length=64, seed=seed, device=options.device, **settings,
    )  # fmt: skip
    model.fit([row.passage(task) for row in fitted], [row.label for row in fitted])
    gold, found = [row.label for row in held], list(model.predict([row.passage(task) for row in held]))
    result = {"macro_f1": macro_f1(gold, found), "rows": len(held)}
    if not is_dev:
        return result | {"by_conflict": by_conflict(held, found)}
    return result | by_names(model, fitted, held, found, task)


def by_conflict(held: list[Example], found: list[str]) -> dict[str, list]:
    """Return macro-F1 and number of rows of each conflict among held-out rows."""
    tags, rows = conflict_tags(), defaultdict(list)
    for example, label in zip(held, found, strict=True):
        rows[tags[example.id]].append((example.label, label))
    return {tag: [macro_f1(*zip(*own, strict=True)), len(own)] for tag, own in sorted(rows.items())}


def tables(results: list[dict]) -> None:
    by_variant = defaultdict(lambda: defaultdict(list))
    for line in results:
        by_variant[line["variant"]][line["fold"].split()[0]].append(line)
    print("| input | macro-F1 by year | by conflict | dev | seeds |\n|---|---|---|---|---|")
    for variant, kinds in by_variant.items():
        cells = [
            f"{np.mean([line['macro_f1'] for line in kinds[kind]]):.3f}" if kinds[kind] else "–"
            for kind in ("year", "conflict", "dev")
        ]
        print(f"| {variant} | {' | '.join(cells)} | {len({line['seed'] for own in kinds.values() for line in own})} |")
    parts = defaultdict(lambda: defaultdict(list))
    for line in results:
        if line["fold"].startswith("conflict"):
            for tag, (score, rows) in line["by_conflict"].items():
                parts[f"{tag} ({rows})"][line["variant"]].append(score)
    print("\n| held-out conflict (rows) | " + " | ".join(by_variant) + " |\n|---|" + "---|" * len(by_variant))
    for tag, own in sorted(parts.items()):
        cells = [f"{np.mean(own[variant]):.3f}" if own[variant] else "–" for variant in by_variant]
        print(f"| {tag} | {' | '.join(cells)} |")
    keys = [key for line in results if line["fold"] == "dev" for key in line if key not in ("variant", "fold", "seed")]
    keys = list(dict.fromkeys(keys))
    print("\n| on dev | " + " | ".join(by_variant) + " |\n|---|" + "---|" * len(by_variant))
    for key in keys:
        cells = [
            f"{np.mean([line[key] for line in kinds['dev']]):.3f}" if kinds["dev"] else "–"
            for kinds in by_variant.values()
        ]
        print(f"| {key} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
