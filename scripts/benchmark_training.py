"""Compare this package's training with the plain transformers Trainer and SetFit: speed, macro-F1, memory; table, plot.

python scripts/benchmark_training.py [--task plover_quad] [--data plover] [--epochs 3] [--limit ROWS] [--runs 3]
    [--threads 2] [--pairs PAIRS] [--output DIR]

All contenders fine-tune the encoder of `model=minilm` on the CPU, each in a process of its own, in turn, run by run
(seeds 1 to --runs), on the same rows, marked texts, threads and longest input:

- conflictnlp as `conflictnlp.train` is called, without early stopping; the same with frozen embeddings; and tfidf;
- the transformers Trainer as it comes: float32, batches padded to their longest text, and its default arguments but
  for epochs, learning rate, batch size and seed, which are conflictnlp's;
- SetFit, where it is installed, with its own defaults, on --pairs pairs of texts (default: rows times epochs; all
  pairs of a set take hours).

Seconds are those from texts to a trained model; conflictnlp's (`fit_seconds`) hold more than the others': loading the
weights, and after each epoch a checkpoint and the score of the validation rows (the best epoch is kept). Examples are
rows times epochs; of SetFit two texts a pair, of tfidf the rows. Speeds, ratios (to the Trainer of the same run) and
memory are medians, macro-F1 is the mean, all with their range in the CSV. Memory is the process's peak, reports and
scoring included.

The last column sets a training against the machine: 6 floating-point operations for each parameter of the encoder's
layers (without embeddings and pooler) and each token read (without padding), a second, as a share of what the best
of many products of two float32 matrices of 1024 x 1024 reached. The products of queries and keys are left out (a few
hundredths for sentences), and in bfloat16, which conflictnlp takes where the processor has it, the share may pass 100%.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TRAINER = "transformers Trainer"
CONTENDERS: dict[str, dict[str, Any]] = {
    "conflictnlp": {"kind": "own", "words": ["model=minilm", "model.renamed_copies=0"]},
    "conflictnlp, frozen embeddings": {
        "kind": "own",
        "words": ["model=minilm", "model.renamed_copies=0", "model.freeze_embeddings=true"],
    },
    TRAINER: {"kind": "trainer"},
    "SetFit": {"kind": "setfit"},
    "conflictnlp tfidf": {"kind": "own", "words": ["model=tfidf"]},
}
ALONE = Path(__file__).with_name("training_contenders.py")


def main() -> None:
    """Run every contender and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="plover_quad", help="a single-label task")
    parser.add_argument("--data", default="plover", help="a data set that serves it")
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--limit", type=int, help="read so many rows for training and validation (data.limit)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--pairs", type=int, help="pairs that SetFit learns from; default: rows times epochs")
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark_training"))
    options = parser.parse_args()
    if options.runs < 1 or (options.pairs is not None and options.pairs < 1):
        parser.error("--runs and --pairs must be above zero")
    from conflictnlp.errors import InputError

    with tempfile.TemporaryDirectory() as name:
        try:
            rounds = [read_round(options, seed, Path(name)) for seed in range(1, options.runs + 1)]
        except InputError as error:
            parser.error(str(error))
        options.output.mkdir(parents=True, exist_ok=True)
        machine = run_alone({"kind": "machine", "file": str(rounds[0])}, options.threads)
        results = compare(rounds, options.threads)
    write(summarise(results, machine), results, machine, options)


def read_round(options: argparse.Namespace, seed: int, folder: Path) -> Path:
    """Write down what the contenders of one run are given: rows as conflictnlp reads them, and settings."""
    from transformers import AutoTokenizer

    from conflictnlp.composition import compose
    from conflictnlp.data import load_splits
    from conflictnlp.errors import InputError
    from conflictnlp.evaluation.report import gold_targets
    from conflictnlp.models.weights import find_encoder
    from conflictnlp.text import insert_markers

    words = [f"task={options.task}", f"data={options.data}", f"seed={seed}", f"trainer.epochs={options.epochs}"]
    words += [f"threads={options.threads}", "device=cpu", "trainer.patience=null", "trainer.batch_size=32"]
    words += [] if options.limit is None else [f"data.limit={options.limit}"]
    config, _ = compose([*words, *CONTENDERS["conflictnlp"]["words"]])
    task = config.to_task()
    if task.is_multi:
        raise InputError(f"--task {options.task}: a text may bear several labels; take a single-label task")
    splits = load_splits(config.data, task)
    encoder = find_encoder(config.model.encoder, config.model.revision)
    given: dict[str, Any] = {}
    for name, rows in (("train", splits.train), ("test", splits.test)):
        passages = [row.passage(task) for row in rows]
        texts = [insert_markers(own.text, zip(task.spans, own.spans, strict=True))[0] for own in passages]
        given[name] = {"text": texts, "label": gold_targets(rows, task).tolist()}
    reading = {"truncation": True, "max_length": config.model.max_length}
    tokens = AutoTokenizer.from_pretrained(encoder)(given["train"]["text"], **reading)["input_ids"]
    given |= {"labels": list(task.label_names), "fingerprints": splits.fingerprints, "encoder": str(encoder)}
    given |= {"words": words, "seed": seed, "epochs": options.epochs, "reading": reading}
    given |= {"tokens": sum(map(len, tokens)), "pairs": options.pairs or math.ceil(len(tokens) * options.epochs)}
    given |= {"learning_rate": config.model.learning_rate, "batch_size": config.trainer.batch_size}
    file = folder / f"round_{seed}.json"
    file.write_text(json.dumps(given))
    return file


def compare(rounds: Sequence[Path], threads: int) -> dict[str, list[dict[str, Any]]]:
    """Run each contender in turn, run by run; one that is not installed is asked once."""
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    for number, file in enumerate(rounds, start=1):
        for name, settings in CONTENDERS.items():
            if any("missing" in run for run in results[name]):
                continue
            found = run_alone({**settings, "file": str(file)}, threads)
            results[name].append(found)
            told = found.get("missing") or f"{found['seconds']:.1f} s, macro-F1 {found['macro_f1']:.3f}"
            print(f"run {number} of {len(rounds)}: {name}: {told}", file=sys.stderr)
    return results


def run_alone(settings: dict[str, Any], threads: int) -> dict[str, Any]:
    """Measure one contender in a process of its own; what it prints is told only if it fails."""
    fixed = {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    environment = {**os.environ, **fixed, "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, str(ALONE), json.dumps({**settings, "threads": threads})]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{settings['kind']} failed ({done.returncode}):\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def summarise(results: dict[str, list[dict[str, Any]]], machine: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn each contender's runs into a row; what it has not is None."""
    rows = []
    for name, runs in results.items():
        row: dict[str, Any] = {"what": name}
        if "missing" in runs[0]:
            rows.append({"what": f"{name}: {runs[0]['missing']}"})
            continue
        pairs = list(zip(runs, results[TRAINER], strict=True))
        speeds = [run["examples"] / run["seconds"] for run in runs]
        ratios = [speed * base["seconds"] / base["examples"] for speed, (_, base) in zip(speeds, pairs, strict=True)]
        row |= {"runs": len(runs), "seconds": statistics.median(run["seconds"] for run in runs)}
        row |= spread("per_second", speeds, statistics.median) | spread("ratio", ratios, statistics.median)
        row |= spread("macro_f1", [run["macro_f1"] for run in runs], statistics.mean)
        row |= spread("points", [100 * (run["macro_f1"] - base["macro_f1"]) for run, base in pairs], statistics.mean)
        row |= spread("peak_mib", [run["peak_mib"] for run in runs], statistics.median)
        if runs[0]["tokens"]:
            work = [6 * machine["parameters"] * run["tokens"] / run["seconds"] for run in runs]
            row |= spread("share_of_peak", [own / machine["operations"] for own in work], statistics.median)
        rows.append(row)
    return rows


def spread(name: str, values: Sequence[float], middle: Callable[[Sequence[float]], float]) -> dict[str, float]:
    """Return the middle of several runs' values, the least and the most."""
    return {name: middle(values), f"{name}_low": min(values), f"{name}_high": max(values)}


def write(
    rows: list[dict[str, Any]],
    results: dict[str, list[dict[str, Any]]],
    machine: dict[str, Any],
    options: argparse.Namespace,
) -> None:
    """Print the table; write it and every run as CSV, and a plot."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    giga = machine["operations"] / 1e9
    print(f"{options.task} on {options.data}, {options.threads} thread(s), {options.runs} run(s);", end=" ")
    print(f"float32 matrix product: {giga:.0f} billion operations a second")
    print(
        f"{'':32}{'a second':>10}{'(range)':>18}{'ratio':>7}{'seconds':>9}{'macro-F1':>10}{'points':>8}"
        f"{'peak MiB':>10}{'of product':>12}"
    )
    for row in rows:
        if "runs" not in row:
            print(row["what"])
            continue
        span = f"{row['per_second_low']:.1f} to {row['per_second_high']:.1f}"
        share = f"{row['share_of_peak']:.1%}" if "share_of_peak" in row else ""
        print(
            f"{row['what']:32}{row['per_second']:10.1f}{span:>18}{row['ratio']:7.2f}{row['seconds']:9.1f}"
            f"{row['macro_f1']:10.3f}{row['points']:+8.1f}{row['peak_mib']:10.0f}{share:>12}"
        )
    runs = [
        {"what": name, "seed": seed, **run} for name, own in results.items() for seed, run in enumerate(own, start=1)
    ]
    told = {"task": options.task, "data": options.data, "epochs": options.epochs, "threads": options.threads}
    told |= {"product_operations_a_second": machine["operations"]}
    for name, table in (("training", [row | told for row in rows]), ("training_runs", runs)):
        with (options.output / f"{name}.csv").open("w", newline="") as stream:
            sheet = csv.DictWriter(stream, list(dict.fromkeys(key for row in table for key in row)))
            sheet.writeheader()
            sheet.writerows(table)
    trained = [row for row in rows if "runs" in row]
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.5), layout="constrained", sharey=True)
    for axis, key, title in zip(axes, ("per_second", "macro_f1"), ("examples a second", "macro-F1"), strict=True):
        beyond = [[row[key] - row[f"{key}_low"] for row in trained], [row[f"{key}_high"] - row[key] for row in trained]]
        axis.barh([row["what"] for row in trained], [row[key] for row in trained], xerr=beyond)
        axis.set_title(title)
    axes[0].set_xscale("log")
    axes[0].invert_yaxis()
    figure.savefig(options.output / "training.png", dpi=150)
    plt.close(figure)
    written = ", ".join(str(options.output / name) for name in ("training.csv", "training_runs.csv", "training.png"))
    print(f"written: {written}", file=sys.stderr)


if __name__ == "__main__":
    main()
