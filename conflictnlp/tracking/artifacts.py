"""Files that a run stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conflictnlp.composition import from_dict
from conflictnlp.config import Config
from conflictnlp.errors import InputError
from conflictnlp.tracking.store import Store


def fetch_artifact(run: Any, name: str, store: Store, folder: Path | None = None) -> Path:
    """Return a local copy of a file that a run stored.

    Args:
        run: MLflow's run.
        name: the file, for instance `config.json`.
        store: where the run is.
        folder: where the copy goes; None for a temporary one.

    Returns:
        the file.

    Raises:
        InputError: the run stored no such file.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        return Path(
            mlflow.artifacts.download_artifacts(
                artifact_uri=f"runs:/{run.info.run_id}/{name}",
                dst_path=None if folder is None else str(folder),
                tracking_uri=store.connection,
            )
        )
    except (MlflowException, OSError, ValueError) as error:
        raise InputError(
            f"run {run.info.run_name!r} ({run.info.run_id[:8]}): it stored no {name} that could be read "
            f"({(str(error).strip() or type(error).__name__).splitlines()[0]})"
        ) from error


def stored_config(run: Any, store: Store, folder: Path | None = None) -> Config:
    """Return the config that a run stored.

    Args:
        run: MLflow's run.
        store: where the run is.
        folder: where the file is copied to; None for a temporary one.

    Returns:
        the config.

    Raises:
        InputError: the run stored none, or one that does not fit this version.
    """
    path = fetch_artifact(run, "config.json", store, folder)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"run {run.info.run_name!r} ({run.info.run_id[:8]}): its config.json is no JSON ({error})"
        ) from error
    return from_dict(values)


def fingerprints(run: Any) -> dict[str, str]:
    """Return the fingerprints of the data that a run logged, by split."""
    found = {}
    for given in run.inputs.dataset_inputs:
        split = next((tag.value for tag in given.tags if tag.key == "mlflow.data.context"), None)
        if split is not None:
            found[split] = given.dataset.digest
    return found
