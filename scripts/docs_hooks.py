"""What mkdocs.yml cannot say: parts of pages that are made from the code."""

from __future__ import annotations

import argparse
from typing import Any


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what a page says it takes from the code."""
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", commands())
    if "<!-- tasks -->" in markdown:
        markdown = markdown.replace("<!-- tasks -->", tasks())
    return markdown


def commands() -> str:
    """Return every command with its words, from the parser itself, as Markdown."""
    from conflictnlp.command_line import build_parser

    return "\n".join(_describe(build_parser(), "conflictnlp"))


def _describe(parser: argparse.ArgumentParser, name: str) -> list[str]:
    lines: list[str] = []
    nested = next((a for a in parser._actions if isinstance(a, argparse._SubParsersAction)), None)
    if nested is None:
        rows = [row for action in parser._actions if (row := _row(action))]
        return ["| word | meaning |", "| --- | --- |", *rows, ""] if rows else []
    told = {choice.dest: choice.help or "" for choice in nested._choices_actions}
    for word, child in nested.choices.items():
        lines += [f"## {name} {word}", "", f"{told[word][:1].upper()}{told[word][1:]}.", ""]
        lines += _describe(child, f"{name} {word}")
    return lines


def _row(action: argparse.Action) -> str:
    if isinstance(action, argparse._HelpAction):
        return ""
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices and action.option_strings:
        metavar = "|".join(map(str, action.choices))
    words = f"{', '.join(action.option_strings)} {'' if action.nargs == 0 else metavar}".strip()
    if not action.option_strings:
        words = f"{metavar} …" if action.nargs == "*" else metavar
    default = action.default
    told = (action.help or "").replace("%%", "%")
    if action.option_strings and default not in (None, False, [], "") and str(default) not in told:
        told = f"{told}; default `{default}`".removeprefix("; ")
    return "| `{}` | {} |".format(words.replace("|", "\\|"), told.replace("|", "\\|").replace("<", "&lt;"))


def tasks() -> str:
    """Return every shipped task with the definitions of its labels, as Markdown."""
    from conflictnlp.composition import load_task, shipped

    lines: list[str] = []
    for name in shipped("task"):
        task = load_task(name)
        kind = "several labels or none a text" if task.is_multi else "one label a text"
        marked = f"; marked: {', '.join(task.spans)}" if task.spans else ""
        lines += [
            f"## {name}",
            "",
            f"{task.description} ({kind}{marked})",
            "",
            "| label | definition |",
            "| --- | --- |",
        ]
        lines += [f"| `{label.name}` | {label.definition} |" for label in task.labels]
        lines.append("")
    return "\n".join(lines)
