"""`conflictnlp train`: from a config to a tracked, evaluated, saved model."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from conflictnlp.commands.fit import fit_and_score
from conflictnlp.commands.fit_tagger import gather_texts
from conflictnlp.commands.record import run_record
from conflictnlp.commands.resume import unfinished_run
from conflictnlp.composition import compose
from conflictnlp.config import Config, TransformerConfig
from conflictnlp.data import load_splits
from conflictnlp.errors import TrackingError
from conflictnlp.files import write_json

log = logging.getLogger(__name__)
RESULT = "result.json"


@dataclass(frozen=True)
class TrainResult:
    """What a finished training left.

    Attributes:
        run_id: MLflow's, 32 hex digits.
        bundle: the model's folder.
        metrics: final metrics by name, for instance `test/macro_f1`.
    """

    run_id: str
    bundle: Path
    metrics: dict[str, float] = field(default_factory=dict)


def train(overrides: Sequence[str] = ()) -> TrainResult:
    """Train, evaluate, track and save one model.

    Args:
        overrides: Hydra's words, as on the command line: `["task=topic", "model=tfidf", "seed=2"]`.

    Returns:
        run id, bundle folder and metrics.

    Raises:
        InputError: the config or the data cannot be used; nothing was done.
        TrackingError: the store was lost on the way; results lie in the run's folder.
    """
    config, hydra_node = compose(overrides)
    folder = Path(hydra_node.run.dir).absolute()
    return run_training(config, folder, list(overrides))


def run_training(config: Config, folder: Path, overrides: Sequence[str]) -> TrainResult:
    """Train by a composed config.

    Args:
        config: the experiment.
        folder: the run's folder; it is made.
        overrides: the words it was composed from, for the record.

    Returns:
        as `train`.

    Raises:
        InputError: as `train`.
        TrackingError: as `train`.
    """
    from conflictnlp.tracking.run import TrackedRun, discard_unused
    from conflictnlp.tracking.store import Store, check_store

    started = time.time()
    task = config.to_task()
    _set_threads(config)
    # Before the data is read, which may take long: a server that is away is told at once.
    check_store(config.tracking)
    splits = load_splits(config.data, task)
    if isinstance(config.model, TransformerConfig):
        # Before a run is made: an encoder that is not found is the input's fault.
        from conflictnlp.models.device import resolve_device
        from conflictnlp.models.weights import find_encoder

        resolve_device(config.device)
        find_encoder(config.model.encoder, config.model.revision)
    tagger_texts = gather_texts(config, task, splits)
    store = Store(config.tracking)
    record = run_record(config, task, splits, overrides)
    run_id = None
    if config.resume:
        run_id, old_folder = unfinished_run(config, store, record)
        folder = old_folder or folder
    folder.mkdir(parents=True, exist_ok=True)
    handler = _log_file(folder)
    try:
        with TrackedRun(store, folder, record, run_id) as run:
            log.info("data %s\n%s", config.data.name, splits.report.to_text())
            write_json(folder / "config.json", asdict(config))
            write_json(folder / "data_report.json", splits.report.to_dict())
            metrics = fit_and_score(config, task, splits, folder, run, started, tagger_texts)
            result = TrainResult(run.run_id, folder / "bundle", metrics)
            write_json(folder / RESULT, {"run_id": run.run_id, "bundle": str(result.bundle), "metrics": metrics})
            shutil.rmtree(folder / "checkpoints", ignore_errors=True)
            run.end("FINISHED")
    except TrackingError as error:
        error.result = TrainResult(run.run_id, folder / "bundle", metrics)  # type: ignore[attr-defined]
        raise
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
        discard_unused(folder)
    return result


def _set_threads(config: Config) -> None:
    if config.threads is None:
        return
    from threadpoolctl import threadpool_limits

    threadpool_limits(config.threads)
    if isinstance(config.model, TransformerConfig):
        import torch

        torch.set_num_threads(config.threads)


def _log_file(folder: Path) -> logging.Handler:
    handler = logging.FileHandler(folder / "job.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler
