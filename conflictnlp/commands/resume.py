"""Which unfinished run a command goes on with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conflictnlp.config import Config
from conflictnlp.errors import InputError

log = logging.getLogger(__name__)


def unfinished_run(config: Config, store: Any, record: dict[str, Any]) -> tuple[str | None, Path | None]:
    """Return id and folder of the run to go on with, or nothing."""
    from conflictnlp.tracking.references import find_run
    from conflictnlp.tracking.run import TAG_IDENTITY

    identity = record["tags"][TAG_IDENTITY]
    if config.resume_run is not None:
        run = find_run(config.resume_run, store)
        if run.info.status == "FINISHED":
            raise InputError(f"resume_run={config.resume_run}: this run is finished")
        if run.data.tags.get(TAG_IDENTITY) != identity:
            raise InputError(f"resume_run={config.resume_run}: its config or data differ from this command's")
        candidates = [run]
    else:
        candidates = [run for run in runs_of(identity, store, record) if run.info.status != "FINISHED"]
    run_id, folder = free_run(candidates)
    if run_id is None and config.resume_run is not None:
        raise InputError(f"resume_run={config.resume_run}: its folder is gone, or it is still running")
    if run_id is None:
        log.warning("resume: no unfinished run of this config and data; starting anew")
    return run_id, folder


def runs_of(identity: str, store: Any, record: dict[str, Any]) -> list[Any]:
    """Return the runs of one config and data, finished or not, newest first."""
    from conflictnlp.tracking.references import all_runs
    from conflictnlp.tracking.run import TAG_IDENTITY

    return all_runs(store, f"tags.{TAG_IDENTITY} = '{identity}'", [record["experiment"]])


def free_run(candidates: Sequence[Any]) -> tuple[str | None, Path | None]:
    """Return id and folder of the first run whose folder is here and that no process is at work on, or nothing."""
    from filelock import FileLock, Timeout

    from conflictnlp.tracking.run import LOCK, TAG_FOLDER

    for run in candidates:
        folder = Path(run.data.tags.get(TAG_FOLDER, ""))
        if not folder.is_dir():
            continue
        try:
            with FileLock(folder / LOCK).acquire(timeout=0):
                log.info("resuming run %s in %s", run.info.run_id, folder)
                return run.info.run_id, folder
        except Timeout:
            continue  # That run is alive.
    return None, None
