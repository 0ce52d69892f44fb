"""`python scripts/predict.py …` from a checkout: the same as `conflictnlp predict …`."""

import sys

from conflictnlp.cli import main

sys.exit(main(["predict", *sys.argv[1:]]))
