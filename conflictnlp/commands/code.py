"""`conflictnlp code`: one joint record for each article of a file, a folder or standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from conflictnlp.commands.load import load
from conflictnlp.commands.predict import open_input
from conflictnlp.config import ColumnsConfig
from conflictnlp.data.actors import Actor
from conflictnlp.data.example import Example
from conflictnlp.errors import InputError
from conflictnlp.files import atomic_path, open_text
from conflictnlp.inference.coding import Coder
from conflictnlp.inference.model import EMPTY, Model
from conflictnlp.inference.page import render_page

OUTPUTS = (".jsonl", ".jsonl.gz", ".html")
CHAMPION = "models:/{task}@champion"


def load_coder(refs: dict[str, str | None], actors: Sequence[Actor], device: str = "auto") -> Coder:
    """Load the models that code together.

    Args:
        refs: REF by task (topic, event_type, momentum); None for the registered champion.
        actors: asked of every article that names them.
        device: auto, cpu, cuda, cuda:N or mps.

    Returns:
        the coder.

    Raises:
        InputError: a model is not found, is of another task, or momentum is asked of nobody.
    """
    models: dict[str, Model] = {}
    for task, ref in refs.items():
        name = ref or CHAMPION.format(task=task)
        try:
            models[task] = load(name, device)
        except InputError as error:
            option = f"--{task.replace('_', '-')} REF"
            raise InputError(f"{error}" if ref else f"code: no {option} given, and {error}") from error
        if models[task].task.name != task:
            raise InputError(f"{name}: a model of task {models[task].task.name}, where one of {task} is needed")
    if not actors:
        raise InputError("code: say whose momentum to code, with --actor 'NAME|ALIAS' or --actors FILE")
    return Coder(models.get("topic"), models.get("event_type"), models.get("momentum"), tuple(actors))


def code(coder: Coder, source: str, output: str | None = None, columns: ColumnsConfig | None = None) -> tuple[int, int]:
    """Code every article of an input.

    Args:
        coder: models and actors.
        source: as for `predict`.
        output: `.jsonl`, `.jsonl.gz` or `.html` (a page with the evidence marked in the text); None for JSON lines to
            stdout.
        columns: names of the input's columns.

    Returns:
        articles coded, and how many of them carry an error.

    Raises:
        InputError: the input cannot be used; no output is left.
    """
    columns = columns or ColumnsConfig()
    if output is not None and not output.endswith(OUTPUTS):
        raise InputError(f"--output {output}: unknown format; use one of {', '.join(OUTPUTS)}")
    rows, single = open_input(source, columns)
    if source == "-":
        rows = iter(list(rows))
    texts: list[Example] = []
    articles = errors = 0

    def examples() -> Iterator[Example]:
        for row in rows:
            if columns.text not in row.values:
                raise InputError(f"{row.where}: no column {columns.text!r}; the columns are {', '.join(row.values)}")
            article = _article(row.where, row.values, columns)
            texts.append(article)
            yield article

    bar = tqdm(desc="code", unit=" articles", file=sys.stderr, disable=not sys.stderr.isatty())
    with _writer(output) as write, bar:
        for record in coder.code(examples()):
            article = texts.pop(0)
            if single and record["error"] == EMPTY:
                raise InputError(f"{article.where}: {EMPTY}; nothing to code")
            write(record, article)
            articles += 1
            errors += record["error"] is not None
            bar.update()
    if not articles:
        raise InputError(f"{source}: holds no rows")
    return articles, errors


def _article(where: str, values: dict[str, Any], columns: ColumnsConfig) -> Example:
    def told(column: str) -> str | None:
        value = values.get(column)
        return None if value is None else str(value)

    return Example(
        where=where,
        id=told(columns.id) or where,
        text=told(columns.text) or "",
        title=told(columns.title) or "",
        date=told(columns.date),
    )


@contextmanager
def _writer(output: str | None) -> Iterator[Callable[[dict[str, Any], Example], object]]:
    if output is None:
        yield lambda record, _: print(json.dumps(record, ensure_ascii=False))
        sys.stdout.flush()
        return
    with atomic_path(output) as temporary, open_text(temporary, "wt") as stream:
        if output.endswith(".html"):
            kept: list[tuple[dict[str, Any], Example]] = []
            yield lambda record, article: kept.append((record, article))
            stream.write(render_page(kept))
        else:
            yield lambda record, _: stream.write(json.dumps(record, ensure_ascii=False) + "\n")
