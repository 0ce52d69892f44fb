"""`conflictnlp train`: from a config to a tracked, evaluated, saved model."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from conflictnlp import processes
from conflictnlp.commands.fit import Watch, fit_and_score
from conflictnlp.commands.fit_tagger import gather_texts
from conflictnlp.commands.record import run_record, scored_note
from conflictnlp.commands.resume import unfinished_run
from conflictnlp.composition import compose
from conflictnlp.config import Config, TransformerConfig
from conflictnlp.data import Splits, load_splits
from conflictnlp.data.folds import load_fold
from conflictnlp.data.lineage import Lineage, read_lineage, refuse_leaks
from conflictnlp.errors import PrunedError, TrackingError
from conflictnlp.files import write_json
from conflictnlp.task import Task

if TYPE_CHECKING:
    from conflictnlp.commands.cross_validation import CrossValidationResult
    from conflictnlp.tracking.store import Store

log = logging.getLogger(__name__)
RESULT, BUNDLE = "result.json", "bundle"


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


def train(overrides: Sequence[str] = ()) -> TrainResult | CrossValidationResult:
    """Train, evaluate, track and save one model, or with `evaluation.folds` one of each fold.

    Args:
        overrides: Hydra's words, as on the command line: `["task=topic", "model=tfidf", "seed=2"]`.

    Returns:
        run id, bundle folder and metrics; of a cross-validation those of the parent, and the folds' results.

    Raises:
        InputError: the config or the data cannot be used; nothing was done.
        TrackingError: the store was lost on the way; results lie in the run's folder.
    """
    config, hydra_node = compose(overrides)
    folder = Path(hydra_node.run.dir).absolute()
    return run_training(config, folder, list(overrides))


def run_training(config: Config, folder: Path, overrides: Sequence[str]) -> TrainResult | CrossValidationResult:
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
    if not processes.have_met():
        processes.refuse_several("conflictnlp.train")
    if config.evaluation.folds is not None and config.evaluation.fold is None:
        from conflictnlp.commands.cross_validation import cross_validate

        return cross_validate(config, folder, overrides)
    return train_once(config, folder, overrides)


def train_once(
    config: Config,
    folder: Path,
    overrides: Sequence[str],
    parent: str | None = None,
    splits: Splits | None = None,
    watch: Watch | None = None,
) -> TrainResult:
    """Train one model.

    Under a parent (of a sweep, a cross-validation, a search) a run of the same config and data that is finished is
    not trained again, and one that was cut off is gone on with.

    Args:
        config: the experiment.
        folder: the run's folder; it is made.
        overrides: the words it was composed from, for the record.
        parent: id of the parent run; None for the one that the environment names, if any.
        splits: the data, if it was loaded already.
        watch: as for `fit_and_score`.

    Returns:
        run id, bundle folder and metrics.

    Raises:
        InputError: as `train`.
        TrackingError: as `train`.
        PrunedError: `watch` ended the training.
    """
    from conflictnlp.tracking.folder import discard_unused
    from conflictnlp.tracking.parents import finished
    from conflictnlp.tracking.run import TAG_PARENT, TrackedRun
    from conflictnlp.tracking.store import Store, check_store

    started = time.time()
    task = config.to_task()
    set_threads(config)
    # Before the data is read, which may take long: a server that is away is told at once.
    check_store(config.tracking)
    if splits is None:
        splits = _load(config, task)
    lineage = check_model(config, splits)
    store = Store(config.tracking)
    record = run_record(config, task, splits, overrides, parent)
    is_child = TAG_PARENT in record["tags"]
    if is_child and (done := finished(store, record, BUNDLE)):
        log.info("already finished: %s", done)
        return result_in(done)
    tagger_texts = gather_texts(config, task, splits)
    run_id = None
    if config.resume or is_child:
        run_id, old_folder = unfinished_run(config, store, record)
        folder = old_folder or folder
        config = replace(config, resume=run_id is not None)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with log_file(folder), TrackedRun(store, folder, record, run_id) as run:
            log.info("data %s\n%s", config.data.name, splits.report.to_text())
            write_json(folder / "config.json", asdict(config))
            write_json(folder / "data_report.json", splits.report.to_dict())
            metrics = fit_and_score(config, task, splits, folder, run, started, watch, tagger_texts, lineage)
            run.note(scored_note(record["note"], metrics))
            result = TrainResult(run.run_id, folder / BUNDLE, metrics)
            write_json(folder / RESULT, {"run_id": run.run_id, "bundle": str(result.bundle), "metrics": metrics})
            shutil.rmtree(folder / "checkpoints", ignore_errors=True)
            run.end("FINISHED")
    except TrackingError as error:
        error.result = TrainResult(run.run_id, folder / BUNDLE, metrics)  # type: ignore[attr-defined]
        raise
    except PrunedError:
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        raise
    finally:
        discard_unused(folder)
    return result


def run_under(config: Config, parent: str, store: Store) -> TrainResult | None:
    """Return what a finished run of a config and its data left under a parent; None if there is none.

    Args:
        config: the experiment.
        parent: id of the parent run.
        store: where to look.

    Returns:
        the run's result.
    """
    from conflictnlp.tracking.parents import finished

    task = config.to_task()
    done = finished(store, run_record(config, task, _load(config, task), (), parent), BUNDLE)
    return result_in(done) if done else None


def _load(config: Config, task: Task) -> Splits:
    return load_fold(config, task) if config.evaluation.fold else load_splits(config.data, task)


def check_model(config: Config, splits: Splits) -> Lineage | None:
    """Refuse an encoder, updates or a device that cannot be used, before any run is made for them.

    Args:
        config: the experiment.
        splits: its data; the encoder must not have read what is scored (see `data.lineage`).

    Returns:
        what the encoder has read, as far as it tells.

    Raises:
        InputError: it is not there, or has read what it must not.
    """
    if not isinstance(config.model, TransformerConfig):
        return None
    from conflictnlp.models.device import resolve_device
    from conflictnlp.models.lora import require_peft
    from conflictnlp.models.weights import find_encoder

    require_peft(config.model.lora_rank)
    resolve_device(config.device)
    folder = find_encoder(config.model.encoder, config.model.revision)
    scored = {"test": [example.text for example in splits.test]}
    # A validation that is cut from train differs from seed to seed; where no test is scored, it is what counts.
    if config.data.validation is not None or not config.evaluation.test:
        scored["validation"] = [example.text for example in splits.validation]
    lineage = read_lineage(folder)
    refuse_leaks(config.model.encoder, lineage, config.data, scored, splits.fingerprints)
    return lineage


def result_in(folder: Path) -> TrainResult:
    """Return what a finished run left in its folder."""
    values = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return TrainResult(values["run_id"], folder / BUNDLE, values["metrics"])


def set_threads(config: Config) -> None:
    """Limit the threads of this process to `threads`, if it is set."""
    if config.threads is None:
        return
    from threadpoolctl import threadpool_limits

    threadpool_limits(config.threads)
    if isinstance(config.model, TransformerConfig):
        import torch

        torch.set_num_threads(config.threads)


@contextmanager
def log_file(folder: Path) -> Iterator[None]:
    """Copy the log into a run's folder."""
    handler = logging.FileHandler(folder / "job.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
