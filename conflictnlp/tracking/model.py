"""Bundles as MLflow models: one models-from-code pyfunc, no pickle."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from conflictnlp.bundle import read_manifest
from conflictnlp.task import Task
from conflictnlp.tracking.store import Store

# A run's model, and what was exported from it.
NAME, EXPORTED = "model", "exported"
ARTIFACT = "bundle"
_BATCH = 50
_EXAMPLE = "Northern Front fighters took the town of Ostra on Monday, and army units pulled back to the river."


def log_model(store: Store, run_id: str, bundle: Path, final: Mapping[str, Any] | None = None, name: str = NAME) -> str:
    """Log a bundle as the run's LoggedModel, with signature, input example and its scores.

    Args:
        store: where the run is.
        run_id: the run.
        bundle: the bundle's folder.
        final: the run's last entry of metrics: step, time and the metrics by name.
        name: of the LoggedModel within its run.

    Returns:
        the LoggedModel's id.
    """
    import mlflow
    from mlflow.entities import Metric

    task = read_manifest(bundle).task
    with tempfile.TemporaryDirectory(prefix="conflictnlp-") as place:
        # MLflow stores a folder under its own name, and a model's bundle is looked for under one.
        if bundle.name != ARTIFACT:
            bundle = Path(shutil.copytree(bundle, Path(place) / ARTIFACT))
        with mlflow.start_run(run_id=run_id, log_system_metrics=False):
            info = mlflow.pyfunc.log_model(
                name=name,
                python_model=str(Path(__file__).with_name("pyfunc.py")),
                artifacts={ARTIFACT: str(bundle)},
                signature=_signature(task),
                input_example=_example(task),
                pip_requirements=[f"conflictnlp=={metadata.version('conflictnlp')}"],
                metadata={"task": task.name},
            )
    if final is not None:
        # With the run's own time and step, so that they do not stand in its history twice.
        metrics = [
            Metric(name, value, final["time"], final["step"], model_id=info.model_id)
            for name, value in final["metrics"].items()
            if value == value
        ]
        # MLflow fails on more than a hundred at once that the run has already.
        for first in range(0, len(metrics), _BATCH):
            store.client.log_batch(run_id, metrics=metrics[first : first + _BATCH])
    return str(info.model_id)


def log_run_model(store: Store, run_id: str, bundle: Path) -> None:
    """Log a finished run's bundle as its LoggedModel, if it has none yet.

    Args:
        store: where the run is.
        run_id: the run.
        bundle: the bundle, in the run's folder.
    """
    from conflictnlp.tracking.folder import last_entry

    run = store.client.get_run(run_id)
    if not (run.outputs and run.outputs.model_outputs):
        log_model(store, run_id, bundle, last_entry(bundle.parent))


def _columns(task: Task) -> list[tuple[str, bool]]:
    return [("text", True), *((role, role not in task.optional_spans) for role in task.spans)]


def _signature(task: Task) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array, DataType

    inputs: list[Any] = [ColSpec("string", name, required=required) for name, required in _columns(task)]
    inputs.append(ColSpec("string", "title", required=False))
    prediction: Any = Array(DataType.string) if task.is_multi else "string"
    outputs: list[Any] = [
        ColSpec(prediction, "prediction", required=False),
        ColSpec("double", "probability", required=False),
        *(ColSpec("double", f"prob_{label}", required=False) for label in task.label_names),
        ColSpec("string", "error", required=False),
    ]
    params = ParamSchema([ParamSpec("abstain_below", "double", 0.0)])
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs), params=params)


def _example(task: Task) -> Any:
    import pandas as pd

    words = {"text": _EXAMPLE, "actor": "Northern Front", "source": "Northern Front fighters", "target": "army units"}
    return pd.DataFrame([{name: words[name] for name, _ in _columns(task)}])
