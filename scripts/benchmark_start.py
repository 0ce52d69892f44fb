"""Report the seconds from start to answer; medians of five runs.

python scripts/benchmark_start.py [BUNDLE]

With a bundle (of a task without marked actors) also those of a whole process until its first prediction.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import conflictnlp": [sys.executable, "-c", "import conflictnlp"],
    "conflictnlp --help": [sys.executable, "-m", "conflictnlp.cli", "--help"],
    "conflictnlp predict --help": [sys.executable, "-m", "conflictnlp.cli", "predict", "--help"],
    "conflictnlp train --help": [sys.executable, "-m", "conflictnlp.cli", "train", "--help"],
}
RUNS = 5
FIRST = "import sys, conflictnlp; print(conflictnlp.load(sys.argv[1]).predict('Troops entered the town.').label)"


def main() -> None:
    """Time each command and print a table."""
    commands = dict(COMMANDS)
    if len(sys.argv) > 1:
        commands["first prediction"] = [sys.executable, "-c", FIRST, sys.argv[1]]
    for name, command in commands.items():
        seconds = []
        for _ in range(RUNS):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
        print(f"{name:30}{statistics.median(seconds):6.2f} s  (of {RUNS}: {min(seconds):.2f} to {max(seconds):.2f})")


if __name__ == "__main__":
    main()
