"""A sweep that is finished, started again: its runs are found by config and data, and nothing is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictnlp.commands.cross_validation import CrossValidationResult, folds_under
from conflictnlp.commands.train import TrainResult, run_under
from conflictnlp.config import Config
from conflictnlp.errors import InputError

if TYPE_CHECKING:
    from conflictnlp.tracking.store import Store


@dataclass(frozen=True)
class FinishedSweep:
    """A sweep of which nothing is left to do.

    Attributes:
        run_id: the parent's.
        folder: the parent's, with `summary.md`.
        results: of the jobs, in their order.
    """

    run_id: str
    folder: Path
    results: list[TrainResult | CrossValidationResult]


def finished_sweep(configs: Sequence[Config | None], record: dict[str, Any], store: Store) -> FinishedSweep | None:
    """Find the newest sweep of these configs, if it is finished and its data is what it was.

    Args:
        configs: of the jobs; None for one that could not be composed.
        record: the sweep's, as `open_parent` takes it.
        store: where to look.

    Returns:
        the sweep; None if there is none, it was cut off, or a job's run, data or folder is not there any more.
    """
    from conflictnlp.tracking.parents import same_runs
    from conflictnlp.tracking.run import TAG_FOLDER

    runs = same_runs(store, record)
    if not runs or runs[0].info.status != "FINISHED":
        return None
    parent_id = runs[0].info.run_id
    results = []
    for config in configs:
        result = _result_under(config, parent_id, store) if config else None
        if result is None:
            return None
        results.append(result)
    return FinishedSweep(parent_id, Path(runs[0].data.tags[TAG_FOLDER]), results)


def _result_under(config: Config, parent_id: str, store: Store) -> TrainResult | CrossValidationResult | None:
    try:
        if config.evaluation.folds is not None and config.evaluation.fold is None:
            return folds_under(config, parent_id, store)
        return run_under(config, parent_id, store)
    except InputError:
        return None  # Data that cannot be read any more: the job itself tells it.
