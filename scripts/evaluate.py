"""`python scripts/evaluate.py …` from a checkout: the same as `conflictnlp evaluate …`."""

import sys

from conflictnlp.cli import main

sys.exit(main(["evaluate", *sys.argv[1:]]))
