"""Words of the commands for finished runs."""

from __future__ import annotations

import argparse
import json
import sys

from conflictnlp.command_line.parser import Commands


def add_commands(commands: Commands) -> None:
    """Declare the commands and what carries them out."""
    compare = commands.add_parser("compare", help="table, tests and plots for finished runs of one test set")
    compare.add_argument("run_refs", metavar="RUN", nargs="*", help="a run id, the beginning of one, or a run name")
    compare.add_argument("--query", metavar="Q", help="instead of RUN: MLflow's search filter")
    compare.add_argument("--task", help="with --query: only this task's")
    compare.add_argument(
        "--output", metavar="DIR", help="tables (.md .csv .tex), plots, disagreements, comparison.json"
    )
    compare.add_argument("--resamples", metavar="N", type=_resamples, default=10_000, help="of each test (10000)")
    compare.set_defaults(run=_compare)

    runs = commands.add_parser("runs", help="list tracked runs, newest first")
    runs.add_argument("--task", help="only this task's")
    runs.add_argument("--query", default="", help="MLflow's search filter")
    runs.add_argument("--limit", type=int, default=50)
    runs.add_argument("--json", action="store_true", help="JSON lines")
    runs.set_defaults(run=_runs)

    rerun = commands.add_parser("rerun", help="repeat a run from its stored config")
    rerun.add_argument("run_ref", metavar="RUN", help="a run id, the beginning of one, or a run name")
    rerun.set_defaults(run=_rerun)

    promote = commands.add_parser("promote", help="register a finished run's model and let an alias name it")
    promote.add_argument("run_ref", metavar="RUN", help="a run id, its beginning, a run name, or a bundle's folder")
    promote.add_argument("--name", metavar="N", help="the registered model; default the run's task")
    promote.add_argument("--alias", metavar="A", default="champion", help="default champion")
    promote.add_argument("--force", action="store_true", help="even if it scores below the alias's present bearer")
    promote.set_defaults(run=_promote)

    upload = commands.add_parser("upload", help="send a run's folder to the store (after a server was lost)")
    upload.add_argument("folder", metavar="FOLDER")
    upload.set_defaults(run=_upload)

    ui = commands.add_parser("ui", help="the MLflow UI of the configured store, on 127.0.0.1")
    ui.add_argument("--port", type=int, default=5000)
    ui.set_defaults(run=_ui)


def _compare(options: argparse.Namespace) -> int:
    from conflictnlp.commands.compare import compare_runs, refuse_words, write_comparison
    from conflictnlp.evaluation.comparison_tables import to_text

    refuse_words(options.run_refs, options.query, options.task, options.output)
    values, comparison = compare_runs(options.run_refs, options.query, options.task, options.resamples)
    print(to_text(comparison), file=sys.stderr)
    if options.output:
        write_comparison(values, comparison, options.output)
    print(json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False))
    return 0


def _runs(options: argparse.Namespace) -> int:
    from conflictnlp.commands.runs import list_runs, runs_table

    records = list_runs(options.task, options.query, options.limit)
    print("\n".join(map(json.dumps, records)) if options.json else runs_table(records))
    return 0


def _rerun(options: argparse.Namespace) -> int:
    from conflictnlp.commands.application import announce
    from conflictnlp.commands.runs import rerun

    announce(rerun(options.run_ref))
    return 0


def _promote(options: argparse.Namespace) -> int:
    from conflictnlp.commands.promote import promote

    print(json.dumps(promote(options.run_ref, options.name, options.alias, options.force).to_dict()))
    return 0


def _upload(options: argparse.Namespace) -> int:
    from conflictnlp.commands.runs import upload

    print(f"run_id: {upload(options.folder)}")
    return 0


def _ui(options: argparse.Namespace) -> int:
    from conflictnlp.commands.runs import ui

    return ui(options.port)


def _resamples(word: str) -> int:
    value = int(word) if word.isdecimal() else 0
    if not 100 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{word} is not between 100 and 1000000")
    return value
