"""Runs under a run: the trainings of a sweep or a curve, as children of the run that sums them up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conflictnlp.tracking.run import TrackedRun
from conflictnlp.tracking.store import Store

# Under a name of our own: MLFLOW_RUN_ID would make MLflow write a child's values into its parent.
PARENT_RUN = "CONFLICTNLP_PARENT_RUN_ID"


@contextmanager
def parent_run(store: Store, folder: Path, record: dict[str, Any], run_id: str | None = None) -> Iterator[TrackedRun]:
    """Track a run whose children are all trainings that start within the context, in this process or in its own.

    Args:
        store: where it is tracked.
        folder: the parent's folder; children lie in its `runs/`, which is not among its artifacts.
        record: the parent's experiment, name, tags, params and datasets.
        run_id: an unfinished parent to go on with.

    Yields:
        the parent, which the caller ends.
    """
    with TrackedRun(store, folder, record, run_id) as parent:
        before = os.environ.get(PARENT_RUN)
        os.environ[PARENT_RUN] = parent.run_id
        try:
            yield parent
        finally:
            if before is None:
                del os.environ[PARENT_RUN]
            else:
                os.environ[PARENT_RUN] = before
