"""Words of the commands that train and score."""

from __future__ import annotations

import argparse
from pathlib import Path

from conflictnlp.command_line.parser import Commands
from conflictnlp.errors import InputError

_SEARCH_EPILOG = "What is varied stands in conf/search/*.yaml: choose a file with search=NAME."


def add_commands(commands: Commands) -> None:
    """Declare the commands and what carries them out."""
    commands.add_parser("train", help="fine-tune, evaluate, track and save a model (a Hydra application)")

    evaluate = commands.add_parser("evaluate", help="score a saved model on labelled data")
    evaluate.add_argument("ref", metavar="REF", help="the model")
    evaluate.add_argument("overrides", metavar="OVERRIDE", nargs="*", help="Hydra's words: data=topic, data.test=FILE")
    evaluate.set_defaults(run=_evaluate)

    search = commands.add_parser(
        "search", help="hyper-parameter search on validation; started again, it goes on", epilog=_SEARCH_EPILOG
    )
    search.add_argument(
        "overrides", metavar="OVERRIDE", nargs="*", help="Hydra's words: task=topic model=tfidf search.trials=20"
    )
    search.add_argument("--config-dir", metavar="DIR", help="a folder of your own config groups")
    search.set_defaults(run=_search)
    curve = commands.add_parser("learning-curve", help="score against growing shares of the training data")
    curve.add_argument(
        "overrides", metavar="OVERRIDE", nargs="*", help="as for train, and learning_curve.shares, .seeds, .target"
    )
    curve.add_argument("--config-dir", metavar="DIR", help="a folder of your own config groups")
    curve.set_defaults(run=_learning_curve)


def _evaluate(options: argparse.Namespace) -> int:
    from conflictnlp.commands.evaluate import evaluate

    result = evaluate(options.ref, options.overrides)
    print(f"run_id: {result.run_id}\nresult: {result.folder / 'result.json'}")
    return 0


def _learning_curve(options: argparse.Namespace) -> int:
    from conflictnlp.commands.learning_curve import main as learning_curve

    return learning_curve(_words(options))


def _search(options: argparse.Namespace) -> int:
    import signal

    from conflictnlp.commands.application import terminated
    from conflictnlp.commands.search import search

    signal.signal(signal.SIGTERM, terminated)
    result = search(_words(options))
    print(f"run_id: {result.run_id}\nbundle: {result.bundle}\nparent_run_id: {result.parent_run_id}")
    print(f"experiment: {result.experiment}")
    return 0


def _words(options: argparse.Namespace) -> list[str]:
    """Return Hydra's words, the folder of the user's own groups among them."""
    if not options.config_dir:
        return list(options.overrides)
    folder = Path(options.config_dir).absolute()
    if not folder.is_dir():
        raise InputError(f"--config-dir {options.config_dir}: no such folder")
    return [f"hydra.searchpath=['file://{folder}']", *options.overrides]
