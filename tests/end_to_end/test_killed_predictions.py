"""A prediction that is killed again and again: what it writes in the end."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = 10
ROWS = 1600
# The command with parts of few rows, so that a short run has many.
PROGRAM = """
import sys
from conflictnlp.commands import predict
predict._PART_ROWS = 16
from conflictnlp.cli import main
sys.exit(main(sys.argv[1:]))
"""


def write_rows(path: Path) -> None:
    """Articles of different lengths; every tenth is empty and every ninth names nobody."""
    generator = random.Random(3)
    moves = ("On Monday IS advanced on Ostra.", "On Monday IS met near Velm.", "Rain fell.")
    with gzip.open(path, "wt") as stream:
        for number in range(ROWS):
            words = "" if number % 10 == 0 else " ".join(generator.choices(moves, k=generator.randint(1, 20)))
            text = words.replace("IS", "they") if number % 9 == 0 else words
            stream.write(json.dumps({"id": number, "text": text}) + "\n")


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "predict", *words], cwd=folder, env=settings, stderr=subprocess.DEVNULL
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("bundle", "suffix"), [("actor_bundle", "jsonl.gz"), ("actor_bundle", "csv"), ("encoder_bundle", "parquet")]
)
def test_ten_kills_lose_and_double_nothing(
    bundle: str, suffix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write_rows(tmp_path / "rows.jsonl.gz")
    words = [str(request.getfixturevalue(bundle)), "rows.jsonl.gz", "--actor", "IS", "--device", "cpu", "--output"]
    generator = random.Random(f"{bundle} {suffix}")
    progress = tmp_path / f"out.{suffix}.parts" / "progress.json"

    assert start(tmp_path, *words, f"whole.{suffix}").wait() == 3
    kills = 0
    while kills < KILLS:
        process = start(tmp_path, *words, f"out.{suffix}", "--resume")
        # Some at any moment of the start, most after this process has finished a part or two.
        before = progress.stat().st_mtime_ns if progress.exists() else 0
        parts = generator.choice((0, 1, 1, 2))
        while parts and process.poll() is None:
            if progress.exists() and progress.stat().st_mtime_ns != before:
                before = progress.stat().st_mtime_ns
                parts -= 1
            time.sleep(0.001)
        time.sleep(generator.random() * 0.05)
        if process.poll() is not None:
            process.wait()
            break
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        kills += 1
    assert kills == KILLS
    assert start(tmp_path, *words, f"out.{suffix}", "--resume").wait() == 3
    assert (tmp_path / f"out.{suffix}").read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"out.{suffix}", "rows.jsonl.gz", f"whole.{suffix}"]
    if suffix == "jsonl":
        ids = [json.loads(row)["id"] for row in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert ids == list(range(ROWS))
