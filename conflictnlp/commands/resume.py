"""Which unfinished run a command goes on with."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from conflictnlp.config import Config
from conflictnlp.errors import InputError

log = logging.getLogger(__name__)


def unfinished_run(config: Config, store: Any, record: dict[str, Any]) -> tuple[str | None, Path | None]:
    """Return id and folder of the run to go on with, or nothing."""
    from filelock import FileLock, Timeout

    from conflictnlp.tracking.references import all_runs, find_run
    from conflictnlp.tracking.run import TAG_FOLDER, TAG_IDENTITY

    identity = record["tags"][TAG_IDENTITY]
    if config.resume_run is not None:
        run = find_run(config.resume_run, store)
        if run.info.status == "FINISHED":
            raise InputError(f"resume_run={config.resume_run}: this run is finished")
        if run.data.tags.get(TAG_IDENTITY) != identity:
            raise InputError(f"resume_run={config.resume_run}: its config or data differ from this command's")
        candidates = [run]
    else:
        found = all_runs(store, f"tags.{TAG_IDENTITY} = '{identity}'", [record["experiment"]])
        candidates = [run for run in found if run.info.status != "FINISHED"]
    for run in candidates:
        folder = Path(run.data.tags.get(TAG_FOLDER, ""))
        if not folder.is_dir():
            continue
        try:
            with FileLock(folder / ".lock").acquire(timeout=0):
                log.info("resuming run %s in %s", run.info.run_id, folder)
                return run.info.run_id, folder
        except Timeout:
            continue  # That run is alive.
    if config.resume_run is not None:
        raise InputError(f"resume_run={config.resume_run}: its folder is gone, or it is still running")
    log.warning("resume: no unfinished run of this config and data; starting anew")
    return None, None
