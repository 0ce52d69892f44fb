"""Words of the commands for labelled data."""

from __future__ import annotations

import argparse
import json

from conflictnlp.command_line.parser import Commands
from conflictnlp.commands import importing
from conflictnlp.errors import InputError


def add_commands(commands: Commands) -> None:
    """Declare the commands and what carries them out."""
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


def _data_check(options: argparse.Namespace) -> int:
    from conflictnlp.commands.data import check

    report, stops = check(options.source, options.overrides)
    print(json.dumps(report.to_dict(), ensure_ascii=False, indent=2) if options.json else report.to_text())
    if stops:
        raise InputError(f"{options.source}: training would stop at these rows; correct them, or set {' '.join(stops)}")
    return 0
