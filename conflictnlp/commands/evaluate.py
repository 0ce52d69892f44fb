"""`conflictnlp evaluate`: a saved model on labelled data."""

from __future__ import annotations

import logging
import os
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictnlp.commands.load import load
from conflictnlp.commands.record import about, scored_note
from conflictnlp.commands.train import RESULT
from conflictnlp.composition import compose, shipped
from conflictnlp.data import load_splits
from conflictnlp.data.lineage import count_seen, read_learnt
from conflictnlp.errors import InputError
from conflictnlp.files import write_json

if TYPE_CHECKING:
    from conflictnlp.tracking.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluateResult:
    """What an evaluation left.

    Attributes:
        run_id: of the child run that holds the scores.
        folder: with result.json, pictures and predictions.
        metrics: by name, for instance `test/macro_f1`.
    """

    run_id: str
    folder: Path
    metrics: dict[str, float] = field(default_factory=dict)


def evaluate(ref: str, overrides: Sequence[str] = ()) -> EvaluateResult:
    """Score a saved model on the test split of a data set.

    Args:
        ref: the model.
        overrides: Hydra's words, `data=…` among them; by default the data set it was trained on.

    Returns:
        run id, folder and metrics.

    Raises:
        InputError: the model or the data cannot be used, or the model was trained on texts that a data config with
            `extra_before` scores.
        TrackingError: the store was lost on the way.
    """
    from conflictnlp.evaluation.predictions import predictions_file, write_predictions
    from conflictnlp.evaluation.report import evaluate_model
    from conflictnlp.evaluation.selective import CURVE, write_curves
    from conflictnlp.tracking.folder import discard_unused
    from conflictnlp.tracking.run import TrackedRun
    from conflictnlp.tracking.store import Store, check_store

    started = time.time()
    model = load(ref)
    words = list(overrides)
    has_task = any(word.startswith("task=") for word in words)
    if not has_task and model.task.name in shipped("task"):
        words.insert(0, f"task={model.task.name}")
    if not any(word.startswith("data=") for word in words):
        trained_on = model.manifest.training.get("data")
        if trained_on not in shipped("data") or trained_on == "files":
            raise InputError("evaluate: name the data, for instance data=files data.test=FILE")
        words.insert(0, f"data={trained_on}")
    config, _ = compose(words)
    if has_task and config.task.name != model.task.name:
        raise InputError(f"evaluate: task={config.task.name}, but {ref} is a model for task={model.task.name}")
    check_store(config.tracking)
    if config.data.test is None:
        raise InputError(f"evaluate: data={config.data.name} names no test split; give one with data.test=FILE")
    splits = load_splits(config.data, model.task, parts=("test",))
    learnt = read_learnt(model.folder, model.manifest.files)
    seen = count_seen(ref, learnt, config.data, [example.text for example in splits.test])
    store = Store(config.tracking)
    parent = _parent(store, model.manifest.training.get("run_id"))
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
    folder = Path("outputs/evaluate").absolute() / f"{model.task.name}-{config.data.name}-{stamp}-{os.getpid()}"
    record: dict[str, Any] = {
        "experiment": config.tracking.experiment or (parent and store.experiment_of(parent)) or model.task.name,
        "about": about(model.task),
        "name": f"evaluate-{config.data.name}",
        "note": f"Scores of {ref} on {config.data.name}.{_seen_note(seen)}",
        "tags": {
            "task": model.task.name,
            "data": config.data.name,
            "kind": "evaluation",
            "evaluated_bundle": model.fingerprint,
            "command": shlex.join(["conflictnlp", "evaluate", ref, *overrides]),
            **({"mlflow.parentRunId": parent.info.run_id} if parent else {}),
            **config.tracking.tags,
        },
        "params": {"task": model.task.name, "data": config.data.name, "model": ref},
        "datasets": [
            {
                "name": f"{config.data.name}-test",
                "split": "test",
                "fingerprint": splits.fingerprints["test"],
                "source": str(config.data.test),
                "rows": len(splits.test),
                "labels": splits.report.labels["test"],
            }
        ],
    }
    folder.mkdir(parents=True)
    try:
        with TrackedRun(store, folder, record) as run:
            log.info("data %s\n%s", config.data.name, splits.report.to_text())
            evaluation = evaluate_model(model, splits.test, config.evaluation)
            metrics = {**evaluation.metrics("test"), "duration_seconds": time.time() - started}
            if seen is not None:
                metrics["test/seen_in_training"] = float(seen)
            run.log_metrics(metrics)
            run.note(scored_note(record["note"], metrics))
            log.info("test split\n%s", evaluation.to_text())
            if config.evaluation.plots:
                evaluation.draw(folder / "figures", config.evaluation.bins)
            write_json(folder / "data_report.json", splits.report.to_dict())
            write_json(folder / "evaluation.json", {"test": evaluation.to_dict()})
            write_curves(folder / CURVE, {"test": evaluation.outcome})
            write_json(folder / RESULT, {"run_id": run.run_id, "bundle": str(model.folder), "metrics": metrics})
            write_predictions(folder / predictions_file(), model, splits.test, evaluation.outcome)
            run.end("FINISHED")
    finally:
        discard_unused(folder)
    return EvaluateResult(run.run_id, folder, metrics)


def _seen_note(seen: int | None) -> str:
    return f" It has seen in training {seen} of the texts that are scored here." if seen else ""


def _parent(store: Store, run_id: str | None) -> Any:
    """Return the run that made the model, where the store knows it."""
    from mlflow.exceptions import MlflowException

    if run_id is None:
        return None
    try:
        return store.client.get_run(run_id)
    except MlflowException:
        return None
