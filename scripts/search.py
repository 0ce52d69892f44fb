"""`python scripts/search.py …` from a checkout: the same as `conflictnlp search …`."""

import sys

from conflictnlp.cli import main

sys.exit(main(["search", *sys.argv[1:]]))
