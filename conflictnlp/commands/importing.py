"""`conflictnlp data import`: what researchers have, in this package's rows."""

from __future__ import annotations

import argparse
import json
import sys

from conflictnlp.errors import InputError

_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words.

    Args:
        parser: the parser of `data import`.
    """
    parser.add_argument("format", metavar="FORMAT", help="one of those below")
    parser.add_argument("source", metavar="SOURCE", help="the file as you have it (.gz too), or a glob")
    parser.add_argument("target", metavar="TARGET", help=".jsonl, .csv, .tsv (each also .gz) or .parquet")
    parser.add_argument("--labels", metavar="A,B,…", help="names of numbered classes, from 0 on (conflibert, case)")
    parser.add_argument("--multi", action="store_true", help="lists of labels (label-studio, doccano)")
    parser.add_argument("--text-field", metavar="F", help="the field that holds the text (label-studio, doccano)")
    parser.add_argument(
        "--control", metavar="NAME", help="whose codes are the labels, if there are several (label-studio, doccano)"
    )
    parser.add_argument("--skip-faulty", action="store_true", help="leave out and count rows that cannot be used")
    parser.set_defaults(run=run)


def describe_formats() -> str:
    """Return a line for each format, for `--help`."""
    from conflictnlp.data.importers import FORMATS

    width = max(map(len, FORMATS))
    lines = [f"  {form.name:<{width}}  {form.summary}" for form in FORMATS.values()]
    return "\n".join(["formats (docs/import.md shows an example of each):", *lines])


def run(options: argparse.Namespace) -> int:
    """Import a file; tell on stderr what was done, and on stdout the same as JSON.

    Args:
        options: the parsed words.

    Returns:
        the exit status, 0.

    Raises:
        InputError: as `import_file`.
    """
    from conflictnlp.data.importers import Options, import_file

    told = Options(_names(options.labels), options.multi, options.text_field, options.control)
    result = import_file(options.format, options.source, options.target, told, options.skip_faulty)
    print(f"{result.rows} rows in {options.target}: {', '.join(result.columns)}", file=sys.stderr)
    print("labels: " + ", ".join(f"{name} {n}" for name, n in result.labels.most_common()), file=sys.stderr)
    for what, number in result.notes.items():
        print(f"note: {number} {what}", file=sys.stderr)
    if result.left_out:
        print(f"left out: {len(result.left_out)} faulty rows", file=sys.stderr)
        for fault in result.left_out[:_SHOWN]:
            print(f"    {fault.where}: {fault.reason}", file=sys.stderr)
    summary = {
        "target": options.target,
        "rows": result.rows,
        "labels": dict(result.labels),
        "left_out": len(result.left_out),
        "notes": dict(result.notes),
    }
    print(json.dumps(summary, ensure_ascii=False))
    return 0


def _names(words: str | None) -> tuple[str, ...]:
    if words is None:
        return ()
    names = tuple(name.strip() for name in words.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise InputError(f"--labels {words}: names separated by commas, each once, in order of the numbers")
    return names
