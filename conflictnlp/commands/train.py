"""`conflictnlp train`: from a config to a tracked, evaluated, saved model."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from conflictnlp.config import Config, ModelConfig, TransformerConfig, compose, to_config
from conflictnlp.data import Splits, load_splits
from conflictnlp.errors import ConflictNLPError, InputError, TrackingError
from conflictnlp.files import sha256_json, write_json
from conflictnlp.task import Task

log = logging.getLogger(__name__)
RESULT = "result.json"
PARENT_RUN = "CONFLICTNLP_PARENT_RUN_ID"


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
    store = Store(config.tracking)
    record = _record(config, task, splits, overrides)
    run_id = None
    if config.resume:
        run_id, old_folder = _unfinished(config, store, record)
        folder = old_folder or folder
    folder.mkdir(parents=True, exist_ok=True)
    handler = _log_file(folder)
    try:
        with TrackedRun(store, folder, record, run_id) as run:
            log.info("data %s\n%s", config.data.name, splits.report.to_text())
            write_json(folder / "config.json", asdict(config))
            write_json(folder / "data_report.json", splits.report.to_dict())
            metrics = _fit_and_score(config, task, splits, folder, run, started)
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


def make_estimator(config: Config, task: Task, **running: Any) -> Any:
    """Build the estimator that a config names.

    Args:
        config: its model and trainer parts are the parameters.
        task: labels and spans.
        **running: checkpoints, resume and log, for estimators that train in steps.

    Returns:
        an estimator, not fitted.
    """
    shared: dict[str, Any] = {"labels": task.label_names, "multi": task.is_multi, "spans": task.spans}
    own = {f.name: getattr(config.model, f.name) for f in fields(config.model)}
    for base in fields(ModelConfig):
        own.pop(base.name)
    if isinstance(config.model, TransformerConfig):
        from conflictnlp.models import TransformerClassifier

        if not task.spans:
            own["split_length"] = None
        if task.names_matter:
            own["renamed_copies"] = 0
        own["background"] = task.background
        settings = {**own, **asdict(config.trainer), **running, "device": config.device, "seed": config.seed}
        return TransformerClassifier(**shared, **settings)
    from conflictnlp.models import TfidfClassifier

    return TfidfClassifier(**shared, **own, seed=config.seed)


def main(arguments: Sequence[str]) -> int:
    """Run `conflictnlp train` as a Hydra application.

    Args:
        arguments: the words after `train`.

    Returns:
        the exit status.
    """
    import hydra

    from conflictnlp import config as schema

    schema.register()
    signal.signal(signal.SIGTERM, terminated)
    # Hydra then hands its errors to us, instead of ending the process with status 1 itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = ["conflictnlp train", *arguments]
    application = hydra.main(version_base="1.3", config_path=f"pkg://{schema.CONFIG_MODULE}", config_name="config")
    refused: list[ConflictNLPError] = []

    def job(node: Any) -> float | None:
        # Hydra would add lines of its own to an error that is ours and told in one line.
        try:
            return _job(node)
        except ConflictNLPError as error:
            refused.append(error)
            return None

    _refuse_unknown_flags(arguments)
    try:
        application(job)()
    except Exception as error:
        told = schema.translate(error)
        if told is error:
            raise
        raise told from error
    if refused:
        raise refused[0]
    return 0


def _job(node: Any) -> float:
    from hydra.core.hydra_config import HydraConfig

    hydra_node = HydraConfig.get()
    folder = Path(hydra_node.runtime.output_dir)
    try:
        result = run_training(to_config(node), folder, list(hydra_node.overrides.task))
    except TrackingError as error:
        # Lost after the work was done, or full before it began.
        if (done := getattr(error, "result", None)) is not None:
            announce(done)
        raise
    finally:
        # Hydra lays its folder out before anything is checked; a resumed run lies in its old one.
        from conflictnlp.tracking.run import discard_unused

        discard_unused(folder)
    announce(result)
    return result.metrics["val/macro_f1"]


def _refuse_unknown_flags(arguments: Sequence[str]) -> None:
    """Refuse flags before Hydra's own parser does, which would print its whole usage."""
    from hydra._internal.utils import get_args_parser

    _, unknown = get_args_parser().parse_known_args(list(arguments))
    if unknown:
        raise InputError(f"train: unknown flag {' '.join(unknown)}; see conflictnlp train --help")


def announce(result: TrainResult) -> None:
    """Write the two lines that scripts read from stdout."""
    sys.stderr.flush()
    print(f"run_id: {result.run_id}\nbundle: {result.bundle}", flush=True)


def _fit_and_score(
    config: Config, task: Task, splits: Splits, folder: Path, run: Any, started: float
) -> dict[str, float]:
    from conflictnlp.bundle import add_to_bundle, read_manifest, save_bundle
    from conflictnlp.evaluation.card import model_card
    from conflictnlp.evaluation.report import evaluate_model, gold_targets
    from conflictnlp.inference.calibration import fit_temperature, tune_thresholds
    from conflictnlp.inference.model import Model
    from conflictnlp.models.base import sigmoid

    estimator = make_estimator(
        config, task, checkpoints=folder / "checkpoints", resume=config.resume, log=run.log_metrics
    )
    passages = {name: [example.passage(task) for example in rows] for name, rows in splits.items() if name != "test"}
    labels = {
        name: [list(row.labels or ()) if task.is_multi else row.label for row in rows] for name, rows in splits.items()
    }
    log.info("fitting %s on %d examples", config.model.name, len(splits.train))
    fit_started = time.time()
    estimator.fit(passages["train"], labels["train"], validation=(passages["validation"], labels["validation"]))
    fit_seconds = time.time() - fit_started
    logits = estimator.decision_function(passages["validation"])
    targets = gold_targets(splits.validation, task)
    temperature = fit_temperature(logits, targets, task.is_multi)
    thresholds = {}
    if task.is_multi:
        thresholds = dict(zip(task.label_names, tune_thresholds(sigmoid(logits / temperature), targets), strict=True))
    save_bundle(
        folder / "bundle", estimator, task, temperature, thresholds, _training_facts(config, splits, run.run_id)
    )
    # What is scored is the saved bundle, through the road that users take.
    model = Model(folder / "bundle", device=config.device)
    evaluations = {
        "val": evaluate_model(model, splits.validation, config.evaluation),
        "test": evaluate_model(model, splits.test, config.evaluation),
    }
    metrics: dict[str, float] = {}
    for prefix, evaluation in evaluations.items():
        metrics |= evaluation.metrics(prefix)
    metrics |= _costs(estimator, config, len(splits.train), fit_seconds, started)
    run.log_metrics(metrics, getattr(estimator, "steps_", 0))
    test = evaluations["test"]
    log.info("test split\n%s", test.to_text())
    if config.evaluation.plots:
        test.draw(folder / "figures", config.evaluation.bins)
    write_json(folder / "evaluation.json", {name: value.to_dict() for name, value in evaluations.items()})
    write_predictions(folder / "test_predictions.parquet", model, splits.test, test.outcome)
    data = {"name": config.data.name, "description": config.data.description, "terms": config.data.terms}
    card = model_card(read_manifest(folder / "bundle"), test, splits.report, data, asdict(config))
    add_to_bundle(folder / "bundle", {"run_id": run.run_id, "metrics": metrics}, card)
    return metrics


def write_predictions(path: Path, model: Any, examples: Sequence[Any], outcome: Any) -> None:
    """Write gold labels and predictions of a split as Parquet.

    Args:
        path: the file.
        model: tells labels and spans.
        examples: the split.
        outcome: gold, predicted and probabilities, in the same order.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from conflictnlp.files import atomic_path

    labels = model.labels

    def names(row: Any) -> Any:
        return [labels[n] for n in row.nonzero()[0]] if outcome.is_multi else labels[int(row)]

    columns: dict[str, Any] = {
        "id": [example.id for example in examples],
        "group": [example.cluster for example in examples],
        "text": [example.text for example in examples],
    }
    for role in model.task.spans:
        columns[role] = [dict(e.spans)[role].names[0] if role in dict(e.spans) else None for e in examples]
    columns["gold"] = [names(row) for row in outcome.gold]
    columns["prediction"] = [names(row) for row in outcome.predicted]
    for number, label in enumerate(labels):
        columns[f"prob_{label}"] = outcome.probabilities[:, number]
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(columns), temporary)


def _costs(estimator: Any, config: Config, examples: int, fit_seconds: float, started: float) -> dict[str, float]:
    import resource

    metrics = {
        "fit_seconds": fit_seconds,
        "duration_seconds": time.time() - started,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    steps = getattr(estimator, "steps_", None)
    if steps is None:
        metrics["examples_per_second"] = examples / max(fit_seconds, 1e-9)
        return metrics
    seen = steps * config.trainer.batch_size * config.trainer.gradient_accumulation
    metrics["examples_per_second"] = seen / max(fit_seconds, 1e-9)
    metrics["windowed_share"] = estimator.windowed_share_
    return metrics


def _training_facts(config: Config, splits: Splits, run_id: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "base_model": getattr(config.model, "encoder", None),
        "data": config.data.name,
        "fingerprints": splits.fingerprints,
        "dropped": splits.report.dropped,
        "seed": config.seed,
    }


def _record(config: Config, task: Task, splits: Splits, overrides: Sequence[str]) -> dict[str, Any]:
    prints = splits.fingerprints
    tags = {
        "task": task.name,
        "model": config.model.name,
        "data": config.data.name,
        "seed": str(config.seed),
        "command": shlex.join(["conflictnlp", "train", *overrides]),
        "identity": sha256_json([config.identity(), prints]),
        **config.tracking.tags,
    }
    if commit := _git_commit():
        tags["git_commit"] = commit
    if parent := os.environ.get(PARENT_RUN):
        tags["mlflow.parentRunId"] = parent
    return {
        "experiment": config.tracking.experiment or task.name,
        "name": config.run_name,
        "note": _note(config, task),
        "tags": tags,
        "params": _params(config, splits),
        "datasets": [
            {
                "name": f"{config.data.name}-{name}",
                "split": name,
                "fingerprint": prints[name],
                "source": str(getattr(config.data, name) or config.data.train),
                "rows": len(rows),
                "labels": splits.report.labels.get(name, {}),
            }
            for name, rows in splits.items()
        ],
    }


def _note(config: Config, task: Task) -> str:
    lines = [task.description, "", "| label | definition |", "|---|---|"]
    lines += [f"| {label.name} | {label.definition} |" for label in task.labels]
    lines += ["", f"**Data** `{config.data.name}`: {config.data.description or 'the user’s own files'}"]
    return "\n".join(lines)


def _params(config: Config, splits: Splits) -> dict[str, Any]:
    """Return what is worth comparing between runs, not the whole config (which is an artifact)."""
    params: dict[str, Any] = {"task": config.task.name, "data": config.data.name, "seed": config.seed}
    params |= {f"model.{key}": value for key, value in asdict(config.model).items()}
    if isinstance(config.model, TransformerConfig):
        keys: tuple[str, ...] = (
            "epochs",
            "examples_seen",
            "max_steps",
            "batch_size",
            "gradient_accumulation",
            "weight_decay",
            "warmup",
        )
        keys += ("loss", "class_weights", "label_smoothing", "patience", "precision")
        params |= {f"trainer.{key}": getattr(config.trainer, key) for key in keys}
    params |= {f"rows.{name}": len(rows) for name, rows in splits.items()}
    return params | {"data.limit": config.data.limit}


def _unfinished(config: Config, store: Any, record: dict[str, Any]) -> tuple[str | None, Path | None]:
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


def _git_commit() -> str | None:
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


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


def terminated(number: int, frame: Any) -> None:
    """End the process on a signal as an exception, so that what is open is closed."""
    raise SystemExit(128 + number)
