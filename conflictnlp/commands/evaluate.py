"""`conflictnlp evaluate`: a saved model on labelled data."""

from __future__ import annotations

import logging
import os
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conflictnlp.commands.load import load
from conflictnlp.commands.train import RESULT, write_predictions
from conflictnlp.config import compose, shipped
from conflictnlp.data import load_splits
from conflictnlp.errors import InputError
from conflictnlp.files import write_json

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
        InputError: the model or the data cannot be used.
        TrackingError: the store was lost on the way.
    """
    from conflictnlp.evaluation.report import evaluate_model
    from conflictnlp.tracking.run import TrackedRun
    from conflictnlp.tracking.store import Store

    started = time.time()
    model = load(ref)
    words = list(overrides)
    if not any(word.startswith(("task=", "+task=")) for word in words) and model.task.name in shipped("task"):
        words.insert(0, f"task={model.task.name}")
    if not any(word.startswith("data=") for word in words):
        trained_on = model.manifest.training.get("data")
        if trained_on not in shipped("data") or trained_on == "files":
            raise InputError("evaluate: name the data, for instance data=files data.test=FILE")
        words.insert(0, f"data={trained_on}")
    config, _ = compose(words)
    if config.data.test is None:
        raise InputError(f"evaluate: data={config.data.name} names no test split; give one with data.test=FILE")
    splits = load_splits(config.data, model.task, parts=("test",))
    log.info("data %s\n%s", config.data.name, splits.report.to_text())
    store = Store(config.tracking)
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    folder = Path("outputs/evaluate").absolute() / f"{model.task.name}-{config.data.name}-{stamp}-{os.getpid()}"
    folder.mkdir(parents=True)
    record = {
        "experiment": config.tracking.experiment or model.task.name,
        "name": f"evaluate-{config.data.name}",
        "note": f"Scores of {ref} on {config.data.name}.",
        "tags": {
            "task": model.task.name,
            "data": config.data.name,
            "kind": "evaluation",
            "evaluated_bundle": model.fingerprint,
            "command": shlex.join(["conflictnlp", "evaluate", ref, *overrides]),
            **_parent(store, model.manifest.training.get("run_id")),
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
    with TrackedRun(store, folder, record) as run:
        evaluation = evaluate_model(model, splits.test, config.evaluation)
        metrics = {**evaluation.metrics("test"), "duration_seconds": time.time() - started}
        run.log_metrics(metrics)
        log.info("test split\n%s", evaluation.to_text())
        if config.evaluation.plots:
            evaluation.draw(folder / "figures", config.evaluation.bins)
        write_json(folder / "data_report.json", splits.report.to_dict())
        write_json(folder / "evaluation.json", {"test": evaluation.to_dict()})
        write_json(folder / RESULT, {"run_id": run.run_id, "bundle": str(model.folder), "metrics": metrics})
        write_predictions(folder / "test_predictions.parquet", model, splits.test, evaluation.outcome)
        run.end("FINISHED")
    return EvaluateResult(run.run_id, folder, metrics)


def _parent(store: object, run_id: str | None) -> dict[str, str]:
    """Hang the run under the one that made the model, where the store knows it."""
    from mlflow.exceptions import MlflowException

    if run_id is None:
        return {}
    try:
        store.client.get_run(run_id)  # type: ignore[attr-defined]
    except MlflowException:
        return {}
    return {"mlflow.parentRunId": run_id}
