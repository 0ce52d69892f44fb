"""Measure the peak memory of `conflictnlp predict` on Parquet files of different sizes.

`python scripts/measure_predict_memory.py` makes one generated model (TF-IDF) and files of generated articles, lets
`predict` read each in a process of its own, and prints a Markdown table. Linux only (the kernel tells the peak).
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from conflictnlp.bundle import save_bundle
from conflictnlp.data.sample import sample_texts
from conflictnlp.models import TfidfClassifier
from conflictnlp.task import Label, Task
from conflictnlp.text import sentence_spans

TEXTS = [row["text"] for row in sample_texts("train")]
# The process itself reads its peak: what `wait4` tells of a child counts the parent's memory too.
CHILD = """
import re, sys
from conflictnlp.cli import main
status = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
sys.exit(status)
"""


def make_model(folder: Path) -> None:
    """Train TF-IDF on the embedded sample's topics."""
    rows = list(sample_texts("train"))
    labels = sorted({row["topic"] for row in rows})
    task = Task("topic", "single", tuple(Label(name, name) for name in labels))
    texts, topics = [row["text"] for row in rows], [row["topic"] for row in rows]
    save_bundle(folder, TfidfClassifier(labels=task.label_names, word_ngrams=1, char_ngrams=0).fit(texts, topics), task)


def make_articles(path: Path, rows: int, sentences: int) -> None:
    """Write articles of random sentences of the sample, as one row group as pandas would."""
    generator = random.Random(1)
    stock = [text[start:end] for text in TEXTS for start, end in sentence_spans(text)]
    texts = [" ".join(generator.choices(stock, k=sentences)) for _ in range(rows)]
    ids = [f"article-{number}" for number in range(rows)]
    pq.write_table(pa.table({"id": ids, "text": texts}), path, row_group_size=1 << 20)


def measure(*words: str) -> tuple[float, float]:
    """Run a command in a process of its own; return its seconds and its peak resident memory in MiB."""
    started = time.perf_counter()
    told = subprocess.run([sys.executable, "-c", CHILD, *words], check=True, stdout=subprocess.PIPE, text=True).stdout
    return time.perf_counter() - started, int(told) / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--sentences", type=int, default=4, help="of each article")
    options = parser.parse_args()
    print("| rows | input, MiB | output, MiB | seconds | rows/s | peak memory, MiB |")
    print("| --: | --: | --: | --: | --: | --: |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_model(folder / "model")
        for rows in options.rows:
            articles, output = folder / "articles.parquet", folder / "output.parquet"
            make_articles(articles, rows, options.sentences)
            seconds, peak = measure("predict", str(folder / "model"), str(articles), "--output", str(output))
            assert pq.ParquetFile(output).metadata.num_rows == rows
            sizes = [path.stat().st_size / 2**20 for path in (articles, output)]
            print(
                f"| {rows:,} | {sizes[0]:.1f} | {sizes[1]:.1f} | {seconds:.0f} | {rows / seconds:.0f} | {peak:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
