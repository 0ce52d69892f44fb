"""`conflictnlp code`: one joint record for each article of a file, a folder or standard input."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence

from tqdm import tqdm

from conflictnlp.commands.article_input import open_input
from conflictnlp.commands.code_output import check_output, record_writer
from conflictnlp.commands.load import load
from conflictnlp.config import ColumnsConfig
from conflictnlp.data.actors import Actor
from conflictnlp.data.example import Example
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.inference.arguments import is_missing
from conflictnlp.inference.coding import Coder
from conflictnlp.inference.model import Model
from conflictnlp.inference.records import Unreadable, text_fault

log = logging.getLogger(__name__)
CHAMPION = "models:/{task}@champion"


def load_coder(
    refs: dict[str, str | None],
    actors: Sequence[Actor] = (),
    device: str = "auto",
    find_actors: bool = False,
    abstain_below: float | None = None,
) -> Coder:
    """Load the models that code together.

    Args:
        refs: REF by task (topic, event_type, momentum); None for the registered champion.
        actors: asked of every article that names them; without any, the momentum model finds them.
        device: auto, cpu, cuda, cuda:N or mps.
        find_actors: ask about found actors beside the stated ones.
        abstain_below: see `Coder`.

    Returns:
        the coder.

    Raises:
        InputError: a model is not found, is of another task, or cannot find the actors that nobody names.
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
    if (find_actors or not actors) and not models["momentum"].finds_actors:
        raise InputError(
            f"{models['momentum'].ref}: this model finds no actors by itself; "
            "name them with --actor 'NAME|ALIAS' or --actors FILE"
        )
    return Coder(models["topic"], models["event_type"], models["momentum"], tuple(actors), find_actors, abstain_below)


def code(coder: Coder, source: str, output: str | None = None, columns: ColumnsConfig | None = None) -> tuple[int, int]:
    """Code every article of an input.

    Args:
        coder: models and actors.
        source: as for `predict`.
        output: `.jsonl`, `.jsonl.gz`, `.parquet` or `.html` (a page with the evidence marked); None for JSON
            lines to stdout.
        columns: names of the input's columns.

    Returns:
        articles coded, and how many of them carry an error.

    Raises:
        InputError: the input or output cannot be used; no output is left. A row that cannot be read is no such fault:
            its record tells the reason in `error`.
    """
    columns = columns or ColumnsConfig()
    check_output(output, source)
    rows, single = open_input(source, columns)
    kept = list(rows) if source == "-" else None
    total = _survey(rows if kept is None else kept, single, columns, source)
    rows = open_input(source, columns)[0] if kept is None else iter(kept)
    waiting: list[Example] = []

    def examples() -> Iterator[Example]:
        for row in rows:
            waiting.append(_article(row, columns))
            yield waiting[-1]

    articles = errors = 0
    unnamed = dict.fromkeys(actor.name for actor in coder.actors)
    bar = tqdm(total=total, desc="code", unit=" articles", file=sys.stderr, disable=not sys.stderr.isatty())
    with record_writer(output) as write, bar:
        for record in coder.code(examples()):
            write(record, waiting.pop(0))
            articles += 1
            errors += record["error"] is not None
            for actor in record["actors"] if unnamed else ():
                unnamed.pop(actor["name"], None)
            bar.update()
    if errors:
        log.warning("%d of %d articles carry an error", errors, articles)
    if unnamed:
        log.warning("named in no article: %s", ", ".join(unnamed))
    return articles, errors


def _survey(rows: Iterable[Row], single: bool, columns: ColumnsConfig, source: str) -> int:
    """Read every row once, so that a fault in the input is told before the models start.

    Args:
        rows: the input, which is read to its end.
        single: whether it is one text, which must not be empty.
        columns: names of the input's columns.
        source: what to call the input in messages.

    Returns:
        the number of rows.

    Raises:
        InputError: no row is there, none has the column of the text or of the id, or the one text is empty.
    """
    total = 0
    names: dict[str, None] = {}
    for row in rows:
        if single and (fault := text_fault(_article(row, columns))):
            raise InputError(f"{row.where}: {fault}; nothing to code")
        names.update(dict.fromkeys(row.values))
        total += 1
    if not total:
        raise InputError(f"{source}: holds no rows")
    told = f"the columns are {', '.join(names)}"
    if columns.text not in names:
        raise InputError(f"{source}: no column {columns.text!r}; {told}; name the text's with --text-column")
    if columns.id not in names and columns.id != ColumnsConfig.id:
        raise InputError(f"{source}: no column {columns.id!r}; {told}; correct --id-column")
    return total


def _article(row: Row, columns: ColumnsConfig) -> Example:
    """Read a row; one that cannot be read gets a record with the reason, so that it does not end the run."""

    def told(column: str) -> str | None:
        value = row.values.get(column)
        # JSON's NaN is a missing value too.
        return None if is_missing(value) or value == "" else str(value)

    own, title, date = told(columns.id) or row.where, told(columns.title) or "", told(columns.date)
    text = row.values.get(columns.text)
    if is_missing(text) and columns.text in row.values:
        text = ""
    if isinstance(text, str):
        return Example(where=row.where, id=own, text=text, title=title, date=date)
    reason = (
        f"{columns.text} is of type {type(text).__name__}, not a text"
        if columns.text in row.values
        else f"no column {columns.text!r} in this row"
    )
    return Unreadable(where=row.where, id=own, text="", title=title, date=date, reason=reason)
