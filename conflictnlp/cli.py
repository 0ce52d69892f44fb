"""The command `conflictnlp`: words in, exit status out."""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from conflictnlp.commands import importing
from conflictnlp.errors import IncompleteError, InputError, TrackingError

_EPILOG = """
A REF is a bundle folder, a run id, runs:/<id>/model, or models:/<name>@<alias>. Start with:
  conflictnlp train task=topic model=tfidf          (on the embedded sample)
  conflictnlp predict <bundle> article.txt
"""

_SEARCH_EPILOG = "What is varied stands in conf/search/*.yaml: choose a file with search=NAME."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after `conflictnlp`; None for the process's own.

    Returns:
        the exit status: 0 done, 2 nothing done because of the input, 3 done but some rows carry an error, 130
        interrupted, 1 anything else.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Hydra parses these words itself; argparse would stumble over its overrides.
        if words[:1] == ["train"]:
            from conflictnlp.commands.application import main as train

            return train(words[1:])
        options = _parser().parse_args(words)
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
        command: Callable[[argparse.Namespace], int] = options.run
        return command(options)
    except InputError as error:
        print(f"conflictnlp: {_line(error)}", file=sys.stderr)
        return 2
    except (TrackingError, IncompleteError) as error:
        print(f"conflictnlp: {_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("conflictnlp: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); Python must not complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        line = _environment_fault(error)
        if line is None:
            raise
        print(f"conflictnlp: {line}", file=sys.stderr)
        return 1


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _environment_fault(error: BaseException) -> str | None:
    """Tell a full or write-protected disk in one line, from whatever error a library made of it; None for others."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        number = link.errno if isinstance(link, OSError) else None
        where = f" at {link.filename}" if isinstance(link, OSError) and link.filename else ""
        # safetensors, torch and SQLite have errors of their own for it.
        if (
            number in (errno.ENOSPC, errno.EDQUOT)
            or "No space left on device" in str(link)
            or "disk is full" in str(link)
        ):
            return f"the disk is full{where}; free some space and start again"
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            return f"no permission{where} ({os.strerror(number or 0)}); start where you may write"
        link = link.__cause__ or link.__context__
    return None


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like every other.

    Attributes:
        late_epilog: makes the end of the help from what only the help needs to import.
    """

    late_epilog: Callable[[], str] | None = None

    def format_help(self) -> str:
        """Return the help."""
        if self.late_epilog is not None:
            self.epilog = self.late_epilog()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Refuse the words."""
        raise InputError(f"{message} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="conflictnlp",
        description="Train, track and apply article classifiers for research on armed conflict.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
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

    predict = commands.add_parser("predict", help="apply a model to texts")
    predict.add_argument("ref", metavar="REF", help="the model")
    predict.add_argument("input", metavar="INPUT", help=".txt .jsonl .csv .tsv .parquet (.gz), a folder of .txt, or -")
    predict.add_argument("--output", metavar="FILE", help="format by suffix; JSON lines to stdout without it")
    predict.add_argument("--actor", metavar="NAME|ALIAS", action="append", default=[], help="may be repeated")
    predict.add_argument("--text-column", metavar="C", default="text")
    predict.add_argument("--id-column", metavar="C", default="id")
    predict.add_argument("--abstain-below", metavar="P", type=_share, help="leave less probable predictions empty")
    predict.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    predict.set_defaults(run=_predict)

    code = commands.add_parser(
        "code", help="topic, event types and each actor's momentum of articles, as joint records"
    )
    code.add_argument("input", metavar="INPUT", help="as for predict")
    for task in ("topic", "event-type", "momentum"):
        told = task.replace("-", "_")
        code.add_argument(f"--{task}", metavar="REF", help=f"the model; default models:/{told}@champion")
    code.add_argument("--actor", metavar="NAME|ALIAS", action="append", default=[], help="may be repeated")
    code.add_argument("--actors", metavar="FILE", help="YAML: a list of name, aliases, kind")
    code.add_argument("--find-actors", action="store_true", help="ask about found actors beside those named")
    code.add_argument("--output", metavar="FILE", help=".jsonl, .jsonl.gz or .html; JSON lines to stdout without it")
    code.add_argument("--text-column", metavar="C", default="text")
    code.add_argument("--id-column", metavar="C", default="id")
    code.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    code.set_defaults(run=_code)

    agree = commands.add_parser("agree", help="agreement of predictions with a human coder's labels")
    agree.add_argument("predictions", metavar="PREDICTIONS", help="what predict wrote")
    agree.add_argument("labels", metavar="LABELS", help="the human's file: id (or text), actor, label")
    agree.add_argument("--label-column", metavar="C", help="the column of the human's code")
    agree.add_argument("--output", metavar="FILE", help="the disagreements to read: .csv, .tsv or .jsonl")
    agree.set_defaults(run=_agree)

    export = commands.add_parser("export", help="a trained model for a faster runtime, or for a model hub")
    export.add_argument("ref", metavar="REF", help="the model")
    export.add_argument("--output", metavar="DIR", required=True, help="a folder that is not there yet")
    export.add_argument("--format", choices=("onnx", "hub"), default="onnx", help="default onnx")
    export.add_argument("--quantize", choices=("int8",), help="weights of 8 bits: smaller and faster (onnx)")
    export.add_argument(
        "--check",
        metavar="DATA",
        help="compare on this file or data set; default the sample (onnx)",
    )
    export.add_argument("--license", metavar="ID", help="a hub's name of the model's licence, e.g. apache-2.0 (hub)")
    export.set_defaults(run=_export)

    data = commands.add_parser("data", help="check or import labelled data").add_subparsers(
        required=True, metavar="ACTION"
    )
    check = data.add_parser("check", help="report faults, duplicates and leaks")
    check.add_argument("source", metavar="FILE|NAME", help="a file, or a data set of conf/data")
    check.add_argument(
        "overrides", metavar="OVERRIDE", nargs="*", help="task=topic, data.test=FILE, data.columns.text=C"
    )
    check.add_argument("--json", action="store_true", help="the report as JSON")
    check.set_defaults(run=_data_check)
    imports = data.add_parser(
        "import", help="convert others' formats", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    importing.add_arguments(imports)
    imports.late_epilog = importing.describe_formats

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

    upload = commands.add_parser("upload", help="send a run's folder to the store (after a server was lost)")
    upload.add_argument("folder", metavar="FOLDER")
    upload.set_defaults(run=_upload)

    ui = commands.add_parser("ui", help="the MLflow UI of the configured store, on 127.0.0.1")
    ui.add_argument("--port", type=int, default=5000)
    ui.set_defaults(run=_ui)
    return parser


def _share(word: str) -> float:
    value = float(word)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{word} is not between 0 and 1")
    return value


def _resamples(word: str) -> int:
    value = int(word)
    if not 100 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{word} is not between 100 and 1000000")
    return value


def _version() -> str:
    from importlib import metadata

    return f"conflictnlp {metadata.version('conflictnlp')}"


def _evaluate(options: argparse.Namespace) -> int:
    from conflictnlp.commands.evaluate import evaluate

    result = evaluate(options.ref, options.overrides)
    print(f"run_id: {result.run_id}\nresult: {result.folder / 'result.json'}")
    return 0


def _search(options: argparse.Namespace) -> int:
    import signal
    from pathlib import Path

    from conflictnlp.commands.application import terminated
    from conflictnlp.commands.search import search

    signal.signal(signal.SIGTERM, terminated)
    words = list(options.overrides)
    if options.config_dir:
        folder = Path(options.config_dir).absolute()
        if not folder.is_dir():
            raise InputError(f"search: --config-dir {options.config_dir}: no such folder")
        words.insert(0, f"hydra.searchpath=['file://{folder}']")
    result = search(words)
    print(f"run_id: {result.run_id}\nbundle: {result.bundle}\nparent_run_id: {result.parent_run_id}")
    print(f"experiment: {result.experiment}")
    return 0


def _predict(options: argparse.Namespace) -> int:
    from conflictnlp.commands.load import load
    from conflictnlp.commands.predict import predict
    from conflictnlp.config import ColumnsConfig

    columns = ColumnsConfig(text=options.text_column, id=options.id_column)
    model = load(options.ref, device=options.device)
    result = predict(model, options.input, options.output, options.actor, columns, options.abstain_below)
    return 3 if result.errors else 0


def _code(options: argparse.Namespace) -> int:
    from conflictnlp.commands.code import code, load_coder
    from conflictnlp.config import ColumnsConfig
    from conflictnlp.data.actors import gather_actors

    actors = gather_actors(options.actor, options.actors)
    refs = {"topic": options.topic, "event_type": options.event_type, "momentum": options.momentum}
    columns = ColumnsConfig(text=options.text_column, id=options.id_column)
    _, errors = code(
        load_coder(refs, actors, options.device, options.find_actors), options.input, options.output, columns
    )
    return 3 if errors else 0


def _agree(options: argparse.Namespace) -> int:
    from conflictnlp.commands.agree import agree, write_disagreements

    result = agree(options.predictions, options.labels, options.label_column)
    # With a file the disagreements stand there.
    print(result.to_text(limit=0 if options.output else 10), file=sys.stderr)
    if options.output:
        write_disagreements(result.disagreements, options.output)
    print(json.dumps({**result.agreement.to_dict(), "disagreements": len(result.disagreements)}))
    return 0


def _export(options: argparse.Namespace) -> int:
    from conflictnlp.commands.export import export

    folder = export(options.ref, options.output, options.format, options.quantize, options.check, options.license)
    print(f"bundle: {folder}")
    return 0


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


def _data_check(options: argparse.Namespace) -> int:
    from conflictnlp.commands.data import check

    report, stops = check(options.source, options.overrides)
    print(json.dumps(report.to_dict(), ensure_ascii=False, indent=2) if options.json else report.to_text())
    if stops:
        raise InputError(f"{options.source}: training would stop at these rows; correct them, or set {' '.join(stops)}")
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


def _upload(options: argparse.Namespace) -> int:
    from conflictnlp.commands.runs import upload

    print(f"run_id: {upload(options.folder)}")
    return 0


def _ui(options: argparse.Namespace) -> int:
    from conflictnlp.commands.runs import ui

    return ui(options.port)


if __name__ == "__main__":
    sys.exit(main())
