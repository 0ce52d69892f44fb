"""Compare this package's runtimes with transformers.pipeline: articles a second, memory, start-up; table, CSV, plot.

python scripts/benchmark_inference.py --encoder BUNDLE [--tfidf BUNDLE] [--output DIR] [--threads 2] [--articles 64]

BUNDLE is a trained model of a task without marked actors. Its ONNX forms are exported first; each contender then runs
in a process of its own, in turn (five rounds; --rounds), with the same texts, threads and longest input; medians are
told. The pipeline is tried with six batch sizes in the first round, and with the two that were fastest for a length in
the others; the better of these two is told.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BATCHES = (1, 2, 4, 8, 16, 32)
PIPELINE = "transformers.pipeline"
KEPT = 2  # Batch sizes that are tried in more than the first round.
WORDS = {"sentences": 20, "articles": 300}  # Articles are then cut to TOKENS.
TOKENS = 250  # Of an article as the encoder reads it, with the tokens that begin and end it.


def main() -> None:
    """Run every contender and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--tfidf", type=Path)
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark_inference"))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--articles", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(**json.loads(options.one))))
        return
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        texts = Path(name) / "texts.json"
        texts.write_text(json.dumps(texts_of_lengths(options.encoder, options.articles)))
        rows = compare(contenders(options, Path(name)), texts, options)
    write(rows, options.output)


def texts_of_lengths(encoder: Path, articles: int) -> dict[str, list[str]]:
    """Cut the sample's words into texts of two lengths, as many as there are articles, four times the sentences."""
    from conflictnlp.data.sample import sample_texts

    records = [record for split in ("train", "validation", "test") for record in sample_texts(split)]
    words = [word for record in records for word in record["text"].split()]
    starts = (at * WORDS["sentences"] % len(words) for at in range(4 * articles))
    sentences = [" ".join(words[start:][: WORDS["sentences"]]) for start in starts]
    return {"sentences": sentences, "articles": articles_of_tokens(encoder, words, articles)}


def articles_of_tokens(encoder: Path, words: list[str], wanted: int) -> list[str]:
    """Cut words into articles that the encoder's tokenizer reads as exactly TOKENS tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    inner = TOKENS - tokenizer.num_special_tokens_to_add(False)
    twice = words + words
    found: list[str] = []
    # A piece of a word may be read as other tokens than within the word: then the next start is tried.
    for at in range(50 * wanted):
        start = at * WORDS["articles"] % len(words) + at // len(words)
        text = " ".join(twice[start : start + WORDS["articles"]])
        offsets = tokenizer.encode(text, add_special_tokens=False).offsets
        text = text[: offsets[inner - 1][1]]
        if len(tokenizer.encode(text).ids) == TOKENS:
            found.append(text)
        if len(found) == wanted:
            return found
    raise SystemExit(f"{encoder}: its tokenizer reads no {wanted} articles as {TOKENS} tokens")


def contenders(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """Export the encoder and name what is compared."""
    from conflictnlp.bundle import read_manifest
    from conflictnlp.commands.export import export
    from conflictnlp.errors import InputError

    found: dict[str, dict[str, Any]] = {"conflictnlp torch": {"kind": "bundle", "folder": str(options.encoder)}}
    for name, quantize in (("onnx", None), ("int8", "int8")):
        try:
            target = export(str(options.encoder), str(folder / name), quantize=quantize)
        except InputError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        found[f"conflictnlp {name}"] = {"kind": "bundle", "folder": str(target)}
    if options.tfidf:
        found["conflictnlp tfidf"] = {"kind": "bundle", "folder": str(options.tfidf)}
    longest = read_manifest(options.encoder).estimator["parameters"]["max_length"]
    for batch in BATCHES:
        settings = {"kind": "pipeline", "folder": str(options.encoder), "batch": batch, "longest": longest}
        found[f"{PIPELINE}, batch {batch}"] = settings
    return found


def compare(found: dict[str, dict[str, Any]], texts: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run each contender in turn, round by round; of the pipeline's batch sizes the best is kept for each length."""
    fixed = {"OMP_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    environment = {**os.environ, **fixed}
    results: dict[tuple[str, str], list[dict[str, float]]] = {(name, kind): [] for name in found for kind in WORDS}
    for number in range(options.rounds):
        for (name, kind), runs in results.items():
            words = {**found[name], "texts": str(texts), "length": kind, "threads": options.threads}
            command = [sys.executable, __file__, "--encoder", str(options.encoder), "--one", json.dumps(words)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
            print(f"round {number + 1}: {name}, {kind} {runs[-1]['per_second']:.1f}", file=sys.stderr)
        # Of the pipeline's batch sizes two are left after the first round, and one at the end.
        results = without_slow(results, 1 if number == options.rounds - 1 else KEPT)
    return [
        {"what": name, "texts": kind, **{key: statistics.median(run[key] for run in runs) for key in runs[0]}}
        | {"slowest": min(run["per_second"] for run in runs), "fastest": max(run["per_second"] for run in runs)}
        for (name, kind), runs in results.items()
    ]


def without_slow(
    results: dict[tuple[str, str], list[dict[str, float]]], kept: int
) -> dict[tuple[str, str], list[dict[str, float]]]:
    """Leave out all but the pipeline's fastest batch sizes for each length, by median."""
    left = set()
    for wanted in WORDS:
        speeds = {
            key: statistics.median(run["per_second"] for run in runs)
            for key, runs in results.items()
            if key[0].startswith(PIPELINE) and key[1] == wanted
        }
        left |= set(sorted(speeds, key=lambda key: speeds[key])[:-kept])
    return {key: runs for key, runs in results.items() if key not in left}


def measure(kind: str, folder: str, texts: str, length: str, threads: int, **settings: int) -> dict[str, float]:
    """Time one contender in this process: start-up to the first answer, then all texts; peak memory in MiB."""
    started = time.perf_counter()
    classify = load_pipeline(folder, threads, **settings) if kind == "pipeline" else load_bundle(folder)
    rows = json.loads(Path(texts).read_text())[length]
    classify(rows[:1])
    ready = time.perf_counter() - started
    started = time.perf_counter()
    assert len(classify(rows)) == len(rows)
    seconds = time.perf_counter() - started
    return {"per_second": len(rows) / seconds, "start_seconds": ready, "peak_mib": peak_mib()}


def peak_mib() -> float:
    """Return the most memory that this process held."""
    import resource

    status = Path("/proc/self/status")
    if status.is_file():
        # On Linux getrusage would tell the parent's peak where that is higher.
        kib = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kib) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def load_bundle(folder: str) -> Any:
    import conflictnlp

    return conflictnlp.load(folder, device="cpu").predict


def load_pipeline(folder: str, threads: int, batch: int, longest: int) -> Any:
    import torch
    from transformers import pipeline

    torch.set_num_threads(threads)
    classify = pipeline("text-classification", model=folder, device="cpu")
    return lambda rows: classify(rows, batch_size=batch, truncation=True, max_length=longest, top_k=None)


def write(rows: list[dict[str, Any]], folder: Path) -> None:
    """Print the table; write it as CSV and as a plot."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    print(f"{'':34}{'texts':12}{'a second':>10}{'(range)':>16}{'start s':>9}{'peak MiB':>10}")
    for row in rows:
        span = f"{row['slowest']:.1f} to {row['fastest']:.1f}"
        print(
            f"{row['what']:34}{row['texts']:12}{row['per_second']:10.1f}{span:>16}"
            f"{row['start_seconds']:9.2f}{row['peak_mib']:10.0f}"
        )
    with (folder / "inference.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    figure, axes = plt.subplots(1, len(WORDS), figsize=(11, 3.5), layout="constrained")
    for axis, kind in zip(axes, WORDS, strict=True):
        own = [row for row in rows if row["texts"] == kind]
        bars = axis.barh([row["what"] for row in own], [row["per_second"] for row in own])
        axis.bar_label(bars, fmt="%.0f", padding=3)
        axis.set_title(f"{kind} a second")
        axis.set_xscale("log")
        axis.set_xlim(1, 3 * max(row["per_second"] for row in own))
    figure.savefig(folder / "inference.png", dpi=150)
    print(f"written: {folder / 'inference.csv'}, {folder / 'inference.png'}", file=sys.stderr)


if __name__ == "__main__":
    main()
