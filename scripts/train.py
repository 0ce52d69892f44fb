"""`python scripts/train.py …` from a checkout: the same as `conflictnlp train …`."""

import sys

from conflictnlp.cli import main

sys.exit(main(["train", *sys.argv[1:]]))
