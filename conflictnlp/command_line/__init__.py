"""What the command line understands: the words of every command."""

from __future__ import annotations

import argparse

from conflictnlp.command_line import applying, data, runs, training
from conflictnlp.command_line.parser import Parser

_EPILOG = """
A REF is a bundle folder, a run id, runs:/<id>/model, or models:/<name>@<alias>. Start with:
  conflictnlp train task=topic model=tfidf          (on the embedded sample)
  conflictnlp predict <bundle> article.txt
"""


def build_parser() -> Parser:
    """Return the parser of all commands; each sets `run`, which takes the parsed words and returns the status."""
    from importlib import metadata

    parser = Parser(
        prog="conflictnlp",
        description="Train, track and apply article classifiers for research on armed conflict.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"conflictnlp {metadata.version('conflictnlp')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for room in (training, applying, data, runs):
        room.add_commands(commands)
    return parser
