"""Which ways to train help a small encoder on small data? Cross-validation, the same folds for every way.

CONFLICTNLP_DATA=... python experiments/training-ways/study.py --out results.jsonl
    [--sets plover ...] [--ways default r_drop ...] [--rows own all] [--seeds 1 2] [--folds 3] [--over train|all]
    [--examples 8000] [--set model.freeze_embeddings=true ...]

Each job is one cross-validation, scored on the pooled held-out predictions; a finished one is a line of --out, and
started again the study goes on. `--examples` bounds what a model sees, so that many ways can be tried; null leaves the
recipe's own, and `--set` settings stand in every way. Without jobs left it prints the table.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

import conflictnlp

SETS = {
    "plover": ("task=plover", "data=plover"),
    "plover_quad": ("task=plover_quad", "data=plover"),
    "event_type": ("task=event_type", "data=case21"),
    "event_subtype": ("task=event_subtype", "data=case21"),
    "momentum": ("task=momentum", "data=momentum", "tagger.train=false"),
    "satp": ("task=satp", "data=satp"),
    "newsmtsc": ("task=newsmtsc", "data=newsmtsc"),
}
WAYS: dict[str, tuple[str, ...]] = {
    "default": (),
    "layer_decay": ("trainer=layer_decay",),
    "smoothed": ("trainer=smoothed",),
    "focal": ("trainer.loss=focal",),
    "balanced": ("trainer.class_weights=balanced",),
    "averaged": ("trainer=averaged",),
    "r_drop": ("trainer=r_drop",),
    "adversarial": ("trainer=adversarial",),
    "contrastive": ("trainer=contrastive",),
    "multi_dropout": ("trainer=multi_dropout",),
    "cosine": ("trainer.schedule=cosine",),
    "long warm-up": ("trainer.warmup=0.3",),
    "first token": ("model.pooling=first",),
    "half rate": ("model.learning_rate=1e-4",),
    "own rows last": ("trainer.finish_epochs=6", "trainer.finish_rate=0.5"),
    "topics beside": ("data.auxiliary=[topic]",),
    "mean of the tokens": ("model.pooling=mean",),
    "small batches": ("trainer.batch_size=8", "model.pooling=mean", "model.freeze_embeddings=true"),
}


def main() -> None:
    options = arguments()
    done = {(line["set"], line["way"], line["seed"]) for line in lines(options.out)}
    for seed in options.seeds:
        for name in options.sets:
            for way in options.ways:
                for rows in options.rows:
                    told = way if rows == "own" else f"{way}, invented rows too"
                    if (name, told, seed) not in done:
                        words = [*SETS[name], *WAYS[way], *(["data.extra=[]"] if rows == "own" else [])]
                        result = {"set": name, "way": told, "seed": seed, **score(words, seed, options)}
                        with options.out.open("a", encoding="utf-8") as stream:
                            stream.write(json.dumps(result) + "\n")
    table(lines(options.out))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["plover", "event_subtype", "momentum"], choices=SETS)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--over", default="train", choices=["train", "all"])
    parser.add_argument("--examples", default="8000")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], help="settings of every way")
    parser.add_argument("--rows", nargs="+", default=["own"], choices=["own", "all"], help="all: data.extra as shipped")
    return parser.parse_args()


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def score(words: list[str], seed: int, options: argparse.Namespace) -> dict:
    """Cross-validate one recipe, and return its scores and what it took."""
    own = [] if options.examples == "null" else [f"trainer.examples_seen={options.examples}"]
    folds = [f"evaluation.folds={options.folds}", f"evaluation.folds_over={options.over}", "evaluation.plots=false"]
    started = time.monotonic()
    result = conflictnlp.train([*words, "model=minilm", *options.settings, *own, *folds, f"seed={seed}"])
    # Those of a coarser coding too, such as plover_quad/macro_f1.
    kept = {
        key.removeprefix("cv/"): value
        for key, value in result.metrics.items()
        if "fold" not in key and "macro_f1" in key
    }
    kept |= {"folds": options.folds, "over": options.over, "examples": options.examples}
    return kept | {"minutes": (time.monotonic() - started) / 60}


def table(results: list[dict]) -> None:
    """Print macro-F1 of each way and set, the mean over seeds, and the difference from the default."""
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for line in results:
        scores[line["way"]][line["set"]].append(line["macro_f1"])
    sets = list(dict.fromkeys(line["set"] for line in results))
    print("| way | " + " | ".join(sets) + " | seeds |\n|---|" + "---|" * (len(sets) + 1))
    for way, own in scores.items():
        cells = []
        for name in sets:
            base = scores["default"][name]
            change = f" ({np.mean(own[name]) - np.mean(base):+.3f})" if own[name] and base and way != "default" else ""
            cells.append(f"{np.mean(own[name]):.3f}{change}" if own[name] else "–")
        print(f"| {way} | {' | '.join(cells)} | {max(map(len, own.values()))} |")


if __name__ == "__main__":
    main()
