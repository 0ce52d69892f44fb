"""Which earlier run a command goes on with."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from conflictnlp.config import Config
from conflictnlp.errors import InputError

log = logging.getLogger(__name__)


def unfinished_run(config: Config, store: Any, record: dict[str, Any]) -> tuple[str | None, Path | None]:
    """Return id and folder of the run to go on with, or nothing.

    Args:
        config: the experiment; its `resume_run` may name the run.
        store: where to look.
        record: what the new run would be.

    Returns:
        (run id, folder), or (None, None) where a new run begins.

    Raises:
        InputError: the named run is finished, another experiment's, gone or alive.
    """
    from conflictnlp.tracking.folder import TAG_IDENTITY
    from conflictnlp.tracking.parents import free_folder, unfinished
    from conflictnlp.tracking.references import find_run

    if config.resume_run is None:
        run_id, folder = unfinished(store, record)
        if run_id is None:
            if config.resume:
                log.warning("resume: no unfinished run of this config and data; starting anew")
            return None, None
    else:
        run = find_run(config.resume_run, store)
        if run.info.status == "FINISHED":
            raise InputError(f"resume_run={config.resume_run}: this run is finished")
        if run.data.tags.get(TAG_IDENTITY) != record["tags"][TAG_IDENTITY]:
            raise InputError(f"resume_run={config.resume_run}: its config or data differ from this command's")
        run_id, folder = run.info.run_id, free_folder(run)
        if folder is None:
            raise InputError(f"resume_run={config.resume_run}: its folder is gone, or it is still running")
    log.info("resuming run %s in %s", run_id, folder)
    return run_id, folder
