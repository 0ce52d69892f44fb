"""Runs under a parent: sweeps, cross-validation and searches are one run with children."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from conflictnlp.tracking.folder import LOCK, TAG_IDENTITY, identity_in, identity_of
from conflictnlp.tracking.references import all_runs
from conflictnlp.tracking.run import TAG_FOLDER, TAG_PARENT, TrackedRun
from conflictnlp.tracking.store import Store

log = logging.getLogger(__name__)


def open_parent(store: Store, folder: Path, record: Mapping[str, Any], run_id: str | None = None) -> TrackedRun:
    """Open the run that others are gathered under: an unfinished one of the same identity, or a new one.

    Args:
        store: where it is tracked.
        folder: where the files of a new one go; an unfinished one keeps its own.
        record: as for `TrackedRun`; its tag `identity` says what is gathered.
        run_id: the run, if it is known.

    Returns:
        the run, as a context; `run_id` and `folder` are its attributes, and `end` finishes it.
    """
    old = None
    if run_id is None:
        run_id, old = unfinished(store, record)
    folder = old or (folder if run_id else _free_name(folder, record))
    folder.mkdir(parents=True, exist_ok=True)
    return TrackedRun(store, folder, dict(record), run_id)


def _free_name(folder: Path, record: Mapping[str, Any]) -> Path:
    """Return the folder, or where it holds another parent (a sweep was widened) the next beside it that does not."""
    names = (folder if number == 1 else folder.with_name(f"{folder.name}-{number}") for number in count(1))
    return next(path for path in names if identity_in(path) in (None, identity_of(record)))


def children(store: Store, parent_id: str) -> list[Any]:
    """Return MLflow's runs under a parent, newest first."""
    return all_runs(store, f"tags.`{TAG_PARENT}` = '{parent_id}'")


def same_runs(store: Store, record: Mapping[str, Any]) -> list[Any]:
    """Return the runs of the record's identity, newest first; those under its parent, if it has one.

    Args:
        store: where to look.
        record: experiment and tags.

    Returns:
        MLflow's runs.
    """
    tags = record["tags"]
    query = f"tags.{TAG_IDENTITY} = '{tags[TAG_IDENTITY]}'"
    if TAG_PARENT in tags:
        query += f" and tags.`{TAG_PARENT}` = '{tags[TAG_PARENT]}'"
    return all_runs(store, query, [record["experiment"]])


def finished(store: Store, record: Mapping[str, Any], file: str) -> Path | None:
    """Return the folder of a finished run of the record's identity under its parent.

    A run that another process is still at work on is waited for.

    Args:
        store: where to look.
        record: experiment and tags.
        file: what must lie in the folder, so that nothing is taken for done that was deleted.

    Returns:
        the folder, or None if there is no such run.
    """
    for run in same_runs(store, record):
        folder = Path(run.data.tags.get(TAG_FOLDER, ""))
        if not (folder / LOCK).is_file():
            continue
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("waiting for run %s, which another process is at work on", run.info.run_id)
            lock.acquire()
        lock.release()
        done = store.client.get_run(run.info.run_id).info.status == "FINISHED"
        if done and (folder / file).exists():
            return folder
    return None


def unfinished(store: Store, record: Mapping[str, Any]) -> tuple[str | None, Path | None]:
    """Return id and folder of a run of the record's identity that was cut off, or nothing.

    Args:
        store: where to look.
        record: experiment and tags.

    Returns:
        (run id, folder) of the newest that no process is at work on.
    """
    for run in same_runs(store, record):
        if run.info.status != "FINISHED" and (folder := free_folder(run)):
            return run.info.run_id, folder
    return None, None


def free_folder(run: Any) -> Path | None:
    """Return a run's folder if it is there and no process is at work in it."""
    folder = Path(run.data.tags.get(TAG_FOLDER, ""))
    if not run.data.tags.get(TAG_FOLDER) or not folder.is_dir():
        return None
    try:
        with FileLock(folder / LOCK).acquire(timeout=0):
            return folder
    except Timeout:
        return None  # That run is alive.
