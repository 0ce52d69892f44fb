"""`conflictnlp predict`: files in, predictions out, in bounded memory."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from conflictnlp.commands.article_input import open_input
from conflictnlp.commands.prediction_output import record_writer
from conflictnlp.commands.prediction_survey import survey
from conflictnlp.config import ColumnsConfig
from conflictnlp.data.example import Example
from conflictnlp.data.read import Row
from conflictnlp.errors import InputError
from conflictnlp.inference.found import found_questions
from conflictnlp.inference.model import NO_ACTOR, Model
from conflictnlp.inference.records import questions, record

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PredictResult:
    """How a run of predict went.

    Attributes:
        rows: records written.
        errors: of them, how many carry an error.
    """

    rows: int
    errors: int


def predict(
    model: Model,
    source: str,
    output: str | None = None,
    actors: Sequence[str] = (),
    columns: ColumnsConfig | None = None,
    abstain_below: float | None = None,
) -> PredictResult:
    """Classify every record of a file, a folder of texts or standard input.

    Args:
        model: a loaded model.
        source: `.txt`, `.jsonl`, `.csv`, `.tsv`, `.parquet` (or `.gz`), a folder of `.txt`, or `-`.
        output: a file whose suffix tells the format; None for JSON lines to stdout.
        actors: `NAME|ALIAS|…`, each asked of every text; empty to take the input's own columns, or where it has none
            the actors that the model finds.
        columns: names of the input's columns.
        abstain_below: see `Model.predict`.

    Returns:
        how many records were written, and how many with an error.

    Raises:
        InputError: the input cannot be used; no output is left.
    """
    columns = columns or ColumnsConfig()
    asked = [[name.strip() for name in actor.split("|") if name.strip()] for actor in actors]
    if any(not names for names in asked):
        raise InputError("--actor: an empty name")
    if asked and model.task.spans != ("actor",):
        raise InputError(f"--actor: task {model.task.name} does not read a text for one actor")
    rows, single = open_input(source, columns)
    if source == "-":
        rows = iter(kept := list(rows))
    names, total, finds = survey(rows, model, columns, asked, source)
    rows = iter(kept) if source == "-" else open_input(source, columns)[0]
    if finds:
        pairs = found_questions(rows, model, columns)
    else:
        pairs = ((row, question) for row in rows for question in questions(row, model, columns, asked))
    written = errors = 0
    bar = tqdm(total=total, desc="predict", unit=" texts", file=sys.stderr, disable=not sys.stderr.isatty())
    with record_writer(output, model, names) as write, bar:
        for row, example, prediction in _answers(model, pairs, abstain_below):
            if single and prediction.error:
                asked_for = f" ({prediction.actor or 'none is found'})" if prediction.error == NO_ACTOR else ""
                raise InputError(f"{row.where}: {prediction.error}{asked_for}; nothing to predict")
            write(record(model, row.values, example, prediction))
            written += 1
            errors += prediction.error is not None
            bar.update()
    if errors:
        log.warning("%d of %d records carry an error", errors, written)
    return PredictResult(written, errors)


def _answers(
    model: Model, pairs: Iterable[tuple[Row, Example]], abstain_below: float | None
) -> Iterator[tuple[Row, Example, Any]]:
    """Keep each row beside its prediction while the model reads ahead in chunks."""
    waiting: list[tuple[Row, Example]] = []

    def examples() -> Iterator[Example]:
        for pair in pairs:
            waiting.append(pair)
            yield pair[1]

    for prediction in model.predict_examples(examples(), abstain_below):
        row, example = waiting.pop(0)
        yield row, example, prediction
