"""`python -m conflictnlp`: the command, for launchers that start modules (`torchrun -m conflictnlp train`)."""

import sys

from conflictnlp.cli import main

if __name__ == "__main__":
    sys.exit(main())
