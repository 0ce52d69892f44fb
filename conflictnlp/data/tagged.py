"""Texts in which armed parties are marked: what a tagger of actors learns from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from conflictnlp.config import DataConfig
from conflictnlp.data.beside import refuse_late
from conflictnlp.data.codes import coded_texts
from conflictnlp.data.example import Example
from conflictnlp.data.near_duplicates import normalise
from conflictnlp.data.read import Row
from conflictnlp.data.sources import present, read_rows
from conflictnlp.errors import InputError
from conflictnlp.task import Task
from conflictnlp.text.spans import Offsets


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A text in which a coder has marked parties.

    Attributes:
        text: the text.
        spans: character offsets of each mention, without overlaps.
        kind: actor (every armed party is marked) or party (source and target of an event are).
    """

    text: str
    spans: tuple[Offsets, ...]
    kind: str = "actor"


def tagged_examples(examples: Iterable[Example], task: Task) -> list[TaggedText]:
    """Join the rows of one text, each of which asks about one actor.

    Args:
        examples: rows of a task that marks an actor.
        task: the task.

    Returns:
        one tagged text for each text, in the order of their first rows.
    """
    spans: dict[str, list[Offsets]] = {}
    for example in examples:
        passage = example.passage(task)
        spans.setdefault(passage.text, []).extend(passage.spans[0])
    return [TaggedText(text, _without_overlaps(found)) for text, found in spans.items()]


def tagger_texts(
    config: DataConfig, task: Task, train: Iterable[Example], scored: Iterable[Example]
) -> list[TaggedText]:
    """Gather what a tagger learns from: the training rows, texts without an armed party, and marked events.

    Args:
        config: `no_actors` and `parties`; a source that ends in `?` is left out where its file is not there. Under
            `extra_before`, texts of other sets must be earlier; only those of `parties` may lack a date.
        task: the task.
        train: training rows.
        scored: rows of the other splits; texts that stand among them are left out.

    Returns:
        the texts, each once.

    Raises:
        InputError: a source cannot be read, or a row breaks the rule of `extra_before`.
    """
    # With its title and without: a source of texts may give either.
    kept = {normalise(text) for example in scored for text in (example.text, example.passage(task).text)}
    texts = []
    for text in (*tagged_examples(train, task), *_without_actors(config), *_events(config)):
        words = normalise(text.text)
        if words and words not in kept:
            kept.add(words)
            texts.append(text)
    return texts


def _without_actors(config: DataConfig) -> Iterator[TaggedText]:
    for source in present(config.no_actors, config.root, "data.no_actors"):
        if source.startswith("codes:"):
            name, _, texts = source.removeprefix("codes:").partition("@")
            for number, record in enumerate(coded_texts(name, texts, config.root), 1):
                if not record["actors"]:
                    refuse_late(Row(f"{source}:{number}", record), source, config)
                    yield TaggedText(record["text"], ())
        else:
            own = _is_own(source, config)
            for row in read_rows(source, config.root):
                if not own:
                    refuse_late(row, source, config)
                yield TaggedText(_text(row, config.columns.text), ())


def _events(config: DataConfig) -> Iterator[TaggedText]:
    for source in present(config.parties, config.root, "data.parties"):
        for row in read_rows(source, config.root):
            # Sets of events have no dates as a rule; where they have, the rule holds.
            if row.values.get(config.columns.date):
                refuse_late(row, source, config)
            yield TaggedText(_text(row, "text"), _without_overlaps(_roles(row.values)), "party")


def _is_own(source: str, config: DataConfig) -> bool:
    """Tell whether a file lies beside the training rows: then it is part of their set, and the rule is for others."""
    train = config.train if isinstance(config.train, list) else [config.train]
    return not source.startswith("datasets:") and PurePath(source).parent in {
        PurePath(name).parent for name in train if isinstance(name, str)
    }


def _text(row: Row, column: str) -> str:
    text = row.values.get(column)
    if not isinstance(text, str):
        raise InputError(f"{row.where}: no column {column!r} with a text; the columns are {', '.join(row.values)}")
    return text


def _roles(values: Mapping[str, Any]) -> list[Offsets]:
    found = [(values.get(f"{role}_start"), values.get(f"{role}_end")) for role in ("source", "target")]
    return [(int(start), int(end)) for start, end in found if start is not None and end is not None]


def _without_overlaps(spans: Iterable[Offsets]) -> tuple[Offsets, ...]:
    """Keep the longest of mentions that overlap."""
    kept: list[Offsets] = []
    for start, end in sorted(set(spans), key=lambda span: (span[0] - span[1], span)):
        if all(end <= first or start >= last for first, last in kept):
            kept.append((start, end))
    return tuple(sorted(kept))
