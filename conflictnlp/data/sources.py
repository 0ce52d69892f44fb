"""Where rows come from: files, the `datasets` library, and what ships with this package."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from conflictnlp.data.codes import coded_rows
from conflictnlp.data.events import event_rows
from conflictnlp.data.read import Row, find_files, read_file
from conflictnlp.data.reports import report_rows
from conflictnlp.data.sample import sample_rows
from conflictnlp.errors import InputError
from conflictnlp.task import Task

log = logging.getLogger(__name__)
# Texts that were written for this package: nothing real stands in them that could leak.
INVENTED = ("sample:", "reports:", "events:")


def read_rows(source: str | Path, root: str | Path | None = None) -> Iterator[Row]:
    """Read records one by one, never the whole file.

    Args:
        source: a path, a glob, `datasets:NAME[:CONFIG]@SPLIT`, `datasets:FOLDER` (saved by `save_to_disk`),
            `sample:SPLIT`, `reports:KIND`, `events:CODING`, or `codes:NAME@FILE` (this package's codes of texts).
        root: the folder that a relative path starts from.

    Yields:
        the rows in order.

    Raises:
        InputError: the file is missing, not UTF-8, damaged or of an unknown format; the message says where.
    """
    name = str(source)
    kind, colon, rest = name.partition(":")
    if kind == "datasets" and colon:
        yield from _read_datasets(rest)
    elif kind in ("sample", "reports", "events", "codes") and colon:
        for number, values in enumerate(_packaged(kind, rest, root), 1):
            yield Row(f"{name}:{number}", values)
    else:
        for path in find_files(source, root):
            yield from read_file(path)


def named_for(source: str, task: Task) -> str:
    """Name a source as a task reads it: of the sample, where the task marks spans, one row an actor."""
    whole_texts = source.startswith("sample:") and "/" not in source
    return f"{source}/actors" if whole_texts and task.spans else source


def present(sources: Iterable[str], root: str | Path | None, key: str) -> Iterator[str]:
    """Name the sources that can be read: one that ends in `?` is left out, with a warning, where its file is not there.

    Args:
        sources: as `read_rows` takes them, some with `?`.
        root: the folder that a relative path starts from.
        key: the config's key that names them, for the warning.

    Yields:
        the names without `?`; what ships with the package is always there.
    """
    for source in sources:
        name = source.removesuffix("?")
        if name == source or _is_there(name, root):
            yield name
        else:
            log.warning("%s: %s is not there; training goes on without it", key, name)


def _is_there(source: str, root: str | Path | None) -> bool:
    codes, at, texts = source.partition("@")
    if source.startswith((*INVENTED, "datasets:")) or (codes.startswith("codes:") and not at):
        return True
    try:
        find_files(texts if codes.startswith("codes:") else source, root)
    except InputError:
        return False
    return True


def _packaged(kind: str, rest: str, root: str | Path | None) -> Iterator[dict[str, Any]]:
    if kind == "sample":
        return sample_rows(rest)
    if kind == "reports":
        return report_rows(rest)
    if kind == "events":
        return event_rows(rest)
    name, _, texts = rest.partition("@")
    if not texts:
        raise InputError(f"codes:{rest}: name the file of the texts after @, for instance codes:momentum@topic.parquet")
    return coded_rows(name, texts, root)


def _read_datasets(name: str) -> Iterator[Row]:
    import datasets

    name, _, split = name.partition("@")
    try:
        if Path(name).is_dir():
            loaded = datasets.load_from_disk(name)
        else:
            repository, _, config = name.partition(":")
            loaded = datasets.load_dataset(repository, config or None)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise InputError(f"datasets:{name}: cannot be loaded ({str(error).splitlines()[0]})") from error
    if isinstance(loaded, datasets.DatasetDict):
        if split not in loaded:
            raise InputError(f"datasets:{name}: name a split with @, one of {', '.join(loaded)}")
        loaded = loaded[split]
    names = {
        column: feature.names for column, feature in loaded.features.items() if isinstance(feature, datasets.ClassLabel)
    }
    for number, values in enumerate(loaded, 1):
        for column, labels in names.items():
            values[column] = labels[values[column]] if values[column] is not None and values[column] >= 0 else None
        yield Row(f"datasets:{name}:{number}", values)
