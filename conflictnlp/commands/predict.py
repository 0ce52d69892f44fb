"""`conflictnlp predict`: files in, predictions out, in bounded memory."""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from conflictnlp.commands.article_input import open_input
from conflictnlp.commands.prediction_output import check_output
from conflictnlp.commands.prediction_parts import open_parts
from conflictnlp.commands.prediction_survey import Survey, survey
from conflictnlp.config import ColumnsConfig
from conflictnlp.data.actors import gather_actors
from conflictnlp.data.example import Example
from conflictnlp.data.parquet import read_schema
from conflictnlp.data.read import Row, suffix_of
from conflictnlp.errors import InputError
from conflictnlp.inference.found import found_questions
from conflictnlp.inference.model import NO_ACTOR, Model
from conflictnlp.inference.records import questions, record, to_json, version

log = logging.getLogger(__name__)
# A multiple of the chunks that models and taggers read at once; some two minutes of a small encoder's work.
_PART_ROWS = 2048


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
    resume: bool = False,
) -> PredictResult:
    """Classify every record of a file, a folder of texts or standard input.

    An output grows in durable parts beside it (`<output>.parts`), each of the same number of input rows. Texts share
    batches only within a part, since a batch's padding reaches the last bits of a probability: where a run was cut
    off does not show in what it writes.

    Args:
        model: a loaded model.
        source: `.txt`, `.jsonl`, `.csv`, `.tsv`, `.parquet` (or `.gz`), a folder of `.txt`, or `-`.
        output: a file whose suffix tells the format; None for JSON lines to stdout.
        actors: `NAME|ALIAS|…`, each asked of every text that names it; no two share a name. Empty to take the
            input's own columns, or where it has none the actors that the model finds.
        columns: names of the input's columns.
        abstain_below: see `Model.predict`.
        resume: go on with the parts that a killed run of the same arguments left; without any, start anew.

    Returns:
        how many records were written, and how many with an error.

    Raises:
        InputError: the input cannot be used, or the parts are of another run; no output is left.
    """
    columns = columns or ColumnsConfig()
    asked = [list(actor.names) for actor in gather_actors(actors)]
    if asked and model.task.spans != ("actor",):
        raise InputError(f"--actor: task {model.task.name} does not read a text for one actor")
    if output is not None:
        check_output(output, source)
    elif resume:
        raise InputError("--resume: what went to stdout is gone; give --output FILE")
    rows, single = open_input(source, columns)
    if source == "-":
        rows = iter(kept := list(rows))
    typed = output is not None and suffix_of(output) == ".parquet"
    given = read_schema(Path(source).expanduser()) if typed and suffix_of(source) == ".parquet" else None
    found = survey(rows, model, columns, asked, source, typed, given)
    rows = iter(kept) if source == "-" else open_input(source, columns)[0]
    asking = _Asking(model, columns, asked, abstain_below, found.finds, single)
    result = _print(rows, asking, found) if output is None else _write(rows, asking, found, Path(output), resume)
    if result.errors:
        log.warning("%d of %d records carry an error", result.errors, result.rows)
    if found.unnamed:
        log.warning("named in no article: %s", ", ".join(found.unnamed))
    # One text is answered before anyone asks how it goes.
    if not single:
        asking.tell()
    return result


@dataclass
class _Asking:
    """How rows are asked about, and of whom; it counts those that it has answered."""

    model: Model
    columns: ColumnsConfig
    asked: list[list[str]]
    abstain_below: float | None
    finds: bool
    single: bool
    texts: int = 0
    errors: int = 0
    begun: float = field(default_factory=time.monotonic)

    def plan(self, found: Survey) -> dict[str, Any]:
        """Return all that the records depend on, by the names that a user knows it by."""
        return {
            "input": found.digest,
            "model": [self.model.ref, self.model.fingerprint],
            "version of conflictnlp": version(),
            "--actor": self.asked,
            "--text-column or --id-column": asdict(self.columns),
            "--abstain-below": self.abstain_below,
            "--device": self.model.device,
            "number of rows per part": _PART_ROWS,
        }

    def records(self, chunk: Sequence[Row], bar: Any) -> Iterator[dict[str, Any]]:
        """Answer the rows of one part in order; the bar counts them."""
        if self.finds:
            pairs = found_questions(chunk, self.model, self.columns)
        else:
            pairs = ((row, asked) for row in chunk for asked in questions(row, self.model, self.columns, self.asked))
        last = None
        for row, example, prediction in _answers(self.model, pairs, self.abstain_below):
            if self.single and prediction.error:
                asked_for = f" ({prediction.actor or 'none is found'})" if prediction.error == NO_ACTOR else ""
                raise InputError(f"{row.where}: {prediction.error}{asked_for}; nothing to predict")
            yield record(self.model, row.values, example, prediction)
            bar.update(row is not last)
            self.texts += row is not last
            self.errors += prediction.error is not None
            last = row

    def tell(self) -> None:
        """Tell how much was answered, and how fast; a resumed run tells of its own part."""
        took = time.monotonic() - self.begun
        rate = self.texts / max(took, 1e-6)
        log.info("%d texts in %.1f s (%.*f/s), %d errors", self.texts, took, rate < 10, rate, self.errors)


def _print(rows: Iterator[Row], asking: _Asking, found: Survey) -> PredictResult:
    written = errors = 0
    with _progress(found.rows) as bar:
        for chunk in _by_part(rows):
            for values in asking.records(chunk, bar):
                print(to_json(values))
                written += 1
                errors += values["error"] is not None
    sys.stdout.flush()
    return PredictResult(written, errors)


def _write(rows: Iterator[Row], asking: _Asking, found: Survey, output: Path, resume: bool) -> PredictResult:
    with open_parts(output, found.table, asking.plan(found), resume) as parts:
        done = min(parts.done.parts * _PART_ROWS, found.rows)
        with _progress(found.rows, done) as bar:
            for chunk in _by_part(islice(rows, done, None)):
                with parts.next_part() as write:
                    for values in asking.records(chunk, bar):
                        write(values)
        parts.join()
    return PredictResult(parts.done.records, parts.done.errors)


def _by_part(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, _PART_ROWS)):
        yield chunk


def _progress(total: int, done: int = 0) -> Any:
    """Return a bar on stderr; where that is no terminal, a line every half minute of a longer run."""
    wait = {} if sys.stderr.isatty() else {"delay": 30, "mininterval": 30, "maxinterval": 30}
    return tqdm(total=total, initial=done, desc="predict", unit=" texts", file=sys.stderr, **wait)


def _answers(
    model: Model, pairs: Iterable[tuple[Row, Example]], abstain_below: float | None
) -> Iterator[tuple[Row, Example, Any]]:
    """Keep each row beside its prediction while the model reads ahead in chunks."""
    waiting: deque[tuple[Row, Example]] = deque()

    def examples() -> Iterator[Example]:
        for pair in pairs:
            waiting.append(pair)
            yield pair[1]

    for prediction in model.predict_examples(examples(), abstain_below):
        row, example = waiting.popleft()
        yield row, example, prediction
