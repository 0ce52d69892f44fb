"""Words of the commands that apply models."""

from __future__ import annotations

import argparse
import json
import sys

from conflictnlp.command_line.parser import Commands


def add_commands(commands: Commands) -> None:
    """Declare the commands and what carries them out."""
    predict = commands.add_parser("predict", help="apply a model to texts")
    predict.add_argument("ref", metavar="REF", help="the model")
    predict.add_argument("input", metavar="INPUT", help=".txt .jsonl .csv .tsv .parquet (.gz), a folder of .txt, or -")
    predict.add_argument("--output", metavar="FILE", help="format by suffix; JSON lines to stdout without it")
    predict.add_argument("--actor", metavar="NAME|ALIAS", action="append", default=[], help="may be repeated")
    predict.add_argument("--text-column", metavar="C", default="text")
    predict.add_argument("--id-column", metavar="C", default="id")
    predict.add_argument("--abstain-below", metavar="P", type=_share, help="leave less probable predictions empty")
    predict.add_argument("--resume", action="store_true", help="go on where a killed run with the same words stopped")
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
    code.add_argument(
        "--output", metavar="FILE", help=".jsonl (.gz), .parquet or .html; JSON lines to stdout without it"
    )
    code.add_argument("--abstain-below", metavar="P", type=_share, help="leave less probable labels empty")
    code.add_argument("--text-column", metavar="C", default="text")
    code.add_argument("--id-column", metavar="C", default="id")
    code.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    code.set_defaults(run=_code)

    agree = commands.add_parser("agree", help="agreement of predictions with a human coder's labels")
    agree.add_argument("predictions", metavar="PREDICTIONS", help="what predict or code wrote, not the page")
    agree.add_argument("labels", metavar="LABELS", help="the human's file: id (or text), actor, label")
    agree.add_argument("--label-column", metavar="C", help="the column of the human's code")
    agree.add_argument(
        "--task", choices=("momentum", "topic"), help="of what code wrote: momentum (default, by actor) or topic"
    )
    agree.add_argument("--output", metavar="FILE", help="the disagreements to read: .csv, .tsv or .jsonl")
    agree.set_defaults(run=_agree)

    export = commands.add_parser("export", help="a trained model for a faster runtime, or for a model hub")
    export.add_argument("ref", metavar="REF", help="the model")
    export.add_argument("--output", metavar="DIR", required=True, help="a folder that is not there yet")
    export.add_argument("--format", choices=("onnx", "hub"), default="onnx", help="default onnx")
    export.add_argument("--quantize", choices=("int8",), help="weights of 8 bits: smaller and faster (onnx)")
    export.add_argument("--check", metavar="DATA", help="compare on this file or data set; default the sample (onnx)")
    export.add_argument("--license", metavar="ID", help="a hub's name of the model's licence, e.g. apache-2.0 (hub)")
    export.set_defaults(run=_export)


def _predict(options: argparse.Namespace) -> int:
    from conflictnlp.commands.load import load
    from conflictnlp.commands.predict import predict
    from conflictnlp.config import ColumnsConfig

    columns = ColumnsConfig(text=options.text_column, id=options.id_column)
    model = load(options.ref, device=options.device)
    result = predict(
        model, options.input, options.output, options.actor, columns, options.abstain_below, options.resume
    )
    return 3 if result.errors else 0


def _code(options: argparse.Namespace) -> int:
    from conflictnlp.commands.code import code, load_coder
    from conflictnlp.config import ColumnsConfig
    from conflictnlp.data.actors import gather_actors

    actors = gather_actors(options.actor, options.actors)
    refs = {"topic": options.topic, "event_type": options.event_type, "momentum": options.momentum}
    columns = ColumnsConfig(text=options.text_column, id=options.id_column)
    coder = load_coder(refs, actors, options.device, options.find_actors, options.abstain_below)
    _, errors = code(coder, options.input, options.output, columns)
    return 3 if errors else 0


def _agree(options: argparse.Namespace) -> int:
    from conflictnlp.commands.agree import agree, check_output, write_disagreements

    check_output(options.output)
    result = agree(options.predictions, options.labels, options.label_column, options.task)
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


def _share(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number between 0 and 1")
    return value
