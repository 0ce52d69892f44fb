"""Texts without labels, for continued pre-training: each once, dated where it must be, none that is scored."""

from __future__ import annotations

import calendar
import logging
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from conflictnlp.config import DataConfig, PretrainConfig
from conflictnlp.data.load import load_splits
from conflictnlp.data.near_duplicates import normalise
from conflictnlp.data.read import Row
from conflictnlp.data.sources import INVENTED, present, read_rows
from conflictnlp.errors import InputError
from conflictnlp.files import sha256_json
from conflictnlp.task import Task

log = logging.getLogger(__name__)
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ].*)?)?)?")


@dataclass
class UnlabelledTexts:
    """What an encoder is to read.

    Attributes:
        train: texts to learn from, in the order of their sources.
        held_out: texts for the perplexity alone.
        keys: normalised text of each, of both parts.
        latest_date: of all of them (ISO), or None where none bears a date.
        undated: how many bear none; texts that were written for this package do not count.
        sources: rows that each source gave.
        dropped: rows that were left out, by reason.
    """

    train: list[str] = field(default_factory=list)
    held_out: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    latest_date: str | None = None
    undated: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the texts of both parts, in order."""
        return sha256_json([self.train, self.held_out])


def load_unlabelled(pretrain: PretrainConfig, data: DataConfig, task: Task, seed: int) -> UnlabelledTexts:
    """Read the texts of `pretrain.texts`.

    A text stands in it once, whatever its case and punctuation. A title becomes its first line.

    Args:
        pretrain: `texts`, `before`, `exclude`, `validation`.
        data: its root and columns; its test and validation are what is left out by default.
        task: how the data config is split, where it gives no validation or test.
        seed: draws the held-out texts.

    Returns:
        the texts.

    Raises:
        InputError: a source is missing or faulty, a row has no date where `before` is set, or too few texts are left.
    """
    if not pretrain.texts:
        raise InputError("pretrain.texts: name the texts to read, for instance pretrain.texts=[corpus.jsonl]")
    excluded = _excluded(pretrain, data, task)
    dropped: Counter[str] = Counter()
    found = UnlabelledTexts()
    seen: set[str] = set()
    texts: list[str] = []
    for source in _sources(pretrain.texts, "pretrain.texts", data):
        rows = 0
        invented = source.startswith(INVENTED)
        for row in read_rows(source, data.root):
            rows += 1
            text = _text(row, data)
            key = normalise(text)
            latest = None if invented else _latest_day(row, data, pretrain.before)
            reason = _reason(key, latest, pretrain.before, seen, excluded)
            if reason is not None:
                dropped[reason] += 1
                continue
            seen.add(key)
            found.keys.append(key)
            title = row.values.get(data.columns.title)
            texts.append(f"{title}\n{text}" if title else text)
            found.undated += latest is None and not invented
            found.latest_date = max(filter(None, (found.latest_date, latest)), default=None)
        if not rows:
            raise InputError(f"pretrain.texts: {source} holds no rows")
        found.sources[source] = rows
    found.dropped = dict(dropped)
    told = ", ".join(f"{reason} {count}" for reason, count in dropped.items()) or "none"
    sources = ", ".join(f"{source} ({rows} rows)" for source, rows in found.sources.items())
    log.info("pretrain: %d texts of %s; left out: %s", len(texts), sources, told)
    if len(texts) < 2:
        raise InputError(f"pretrain.texts: {len(texts)} texts are left (left out: {told}); two or more are needed")
    number = min(max(1, round(pretrain.validation * len(texts))), len(texts) - 1)
    drawn = set(random.Random(seed).sample(range(len(texts)), number))
    found.train = [text for index, text in enumerate(texts) if index not in drawn]
    found.held_out = [text for index, text in enumerate(texts) if index in drawn]
    return found


def _reason(key: str, latest: str | None, before: str | None, seen: set[str], excluded: set[str]) -> str | None:
    """Return why a row is left out, or None."""
    if not key:
        return "no words"
    if before is not None and latest is not None and latest >= before:
        return "too late"
    if key in excluded:
        return "excluded"
    return "repeated" if key in seen else None


def _excluded(pretrain: PretrainConfig, data: DataConfig, task: Task) -> set[str]:
    """Return the normalised texts that must not be read."""
    if pretrain.exclude is not None:
        return {
            normalise(_text(row, data))
            for source in _sources(pretrain.exclude, "pretrain.exclude", data)
            for row in read_rows(source, data.root)
        }
    if data.root == "":
        raise InputError(
            f"data={data.name}: set the environment variable CONFLICTNLP_DATA to its folder (or data.root=...), or "
            "choose another data=, so that the texts it scores are left out; pretrain.exclude=[] leaves out none"
        )
    # As the files give them: what training drops from a scored split is no text to read either.
    given = [
        source
        for sources in (data.test, data.validation)
        if sources is not None
        for source in (sources if isinstance(sources, list) else [sources])
    ]
    excluded = {normalise(_text(row, data)) for source in given for row in read_rows(source, data.root)}
    if data.train is not None and (data.test is None or data.validation is None):
        # What training cuts off with this seed.
        splits = load_splits(replace(data, extra=[], auxiliary=[], limit_test=None), task)
        excluded |= {normalise(example.text) for example in [*splits.validation, *splits.test]}
    return excluded


def _sources(names: list[str], key: str, data: DataConfig) -> Iterator[str]:
    for name in names:
        if data.root == "" and not name.startswith((*INVENTED, "datasets:", "/")):
            told = name.removesuffix("?")
            raise InputError(f"{key}: {told}: set the environment variable CONFLICTNLP_DATA, or name it from / on")
    return present(names, data.root, key)


def _text(row: Row, data: DataConfig) -> str:
    column = data.columns.text
    if column not in row.values:
        raise InputError(
            f"{row.where}: no column {column!r}; there are {', '.join(map(str, row.values))}; set data.columns.text=..."
        )
    value = row.values[column]
    if value is not None and not isinstance(value, str):
        raise InputError(f"{row.where}: {column} is {type(value).__name__}, not text")
    return value or ""


def _latest_day(row: Row, data: DataConfig, before: str | None) -> str | None:
    """Return the row's date; of a year or month alone its last day, since nothing earlier is certain."""
    value: Any = row.values.get(data.columns.date)
    match = _DATE.fullmatch(str(value)) if value else None
    if match is not None:
        year, month = int(match[1]), int(match[2] or 12)
        last = calendar.monthrange(year, month)[1] if year and 1 <= month <= 12 else 0
        day = int(match[3] or last)
        if 1 <= day <= last:
            return f"{year:04d}-{month:02d}-{day:02d}"
    if before is not None:
        raise InputError(
            f"{row.where}: date {value or 'missing'}: with pretrain.before={before} every row needs a date "
            f"(YYYY-MM-DD in the column {data.columns.date}); add it, or set pretrain.before=null"
        )
    return None
