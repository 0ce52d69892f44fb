"""What users call models and runs by: folders, run ids, registered names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conflictnlp.bundle import MANIFEST
from conflictnlp.config import TrackingConfig
from conflictnlp.errors import InputError
from conflictnlp.tracking.model import ARTIFACT, NAME
from conflictnlp.tracking.run import TAG_FOLDER
from conflictnlp.tracking.store import Store

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_PREFIX = re.compile(r"[0-9a-f]{8,31}")
_PAGE = 1000


def find_bundle(ref: str | Path, tracking: TrackingConfig | None = None) -> Path:
    """Return the bundle folder that a REF names.

    Args:
        ref: a bundle folder, an MLflow model folder that holds one, `runs:/<id>/model`, a bare run id, or
            `models:/<name>/<version>`, `models:/<name>@<alias>`, `models:/m-…`.
        tracking: the store to ask; None for the default one.

    Returns:
        the folder.

    Raises:
        InputError: nothing of that name is found; the message lists what was tried.
    """
    name = str(ref)
    tried = []
    if not name.startswith(("runs:/", "models:/")):
        folder = Path(name).expanduser()
        found = _bundle_in(folder)
        if found is not None:
            return found
        tried.append(f"folder {folder} ({'holds no bundle' if folder.is_dir() else 'none'})")
        if not _RUN_ID.fullmatch(name):
            raise InputError(
                f"model {name!r}: not found; tried {', '.join(tried)}; a REF is a bundle folder, a run id of 32 hex "
                "digits, runs:/<id>/model or models:/<name>@<alias>"
            )
        name = f"runs:/{name}/{NAME}"
    import mlflow
    from mlflow.exceptions import MlflowException

    store = Store(tracking, create=False)
    try:
        local = Path(mlflow.artifacts.download_artifacts(artifact_uri=name))
    except (MlflowException, OSError, ValueError) as error:
        beside = _bundle_of_name(name, store)
        if beside is not None:
            return beside
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"model {str(ref)!r}: not found; tried {', '.join([*tried, name])} in {store.uri} ({reason})"
        ) from error
    # A version that was registered by its run, runs:/<id>/model, arrives in a folder of that name.
    found = _bundle_in(local) or _bundle_in(local / NAME)
    if found is None:
        raise InputError(f"model {str(ref)!r}: {name} in {store.uri} holds no bundle of conflictnlp")
    return found


def bundle_of_run(run: Any) -> Path | None:
    """Return the bundle in a run's own folder: of runs under one parent only the best is logged as a model."""
    folder = run.data.tags.get(TAG_FOLDER)
    return _bundle_in(Path(folder) / ARTIFACT) if folder else None


def _bundle_of_name(name: str, store: Store) -> Path | None:
    from mlflow.exceptions import MlflowException

    if not name.startswith("runs:/"):
        return None
    try:
        return bundle_of_run(store.client.get_run(name.split("/")[1]))
    except MlflowException:
        return None


def find_run(ref: str, store: Store) -> Any:
    """Return the run that a RUN names.

    Args:
        ref: a run id, a prefix of at least 8 characters, or a unique run name.
        store: where to look.

    Returns:
        MLflow's run.

    Raises:
        InputError: none or several fit; the message lists what was tried.
    """
    from mlflow.exceptions import MlflowException

    tried = []
    if _RUN_ID.fullmatch(ref):
        tried.append("a run id")
        try:
            return store.client.get_run(ref)
        except MlflowException:
            raise InputError(f"run {ref!r}: not in {store.uri}; `conflictnlp runs` lists what is") from None
    runs = all_runs(store)
    if _PREFIX.fullmatch(ref):
        tried.append("the beginning of a run id")
        fitting = [run for run in runs if run.info.run_id.startswith(ref)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise InputError(f"run {ref!r}: begins {len(fitting)} run ids; give more characters")
    tried.append("a run name")
    fitting = [run for run in runs if run.info.run_name == ref]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ids = ", ".join(run.info.run_id[:8] for run in fitting[:8])
        raise InputError(f"run {ref!r}: {len(fitting)} runs bear this name ({ids}); give an id")
    raise InputError(f"run {ref!r}: not in {store.uri}; tried {', '.join(tried)}; `conflictnlp runs` lists what is")


def all_runs(store: Store, filter_string: str = "", experiments: Sequence[str] | None = None) -> list[Any]:
    """Return active runs, newest first.

    Args:
        store: where to look.
        filter_string: MLflow's search filter.
        experiments: names; None for all.

    Returns:
        MLflow's runs.

    Raises:
        InputError: the filter is malformed.
    """
    from mlflow.exceptions import MlflowException

    ids = [
        experiment.experiment_id
        for experiment in store.client.search_experiments()
        if experiments is None or experiment.name in experiments
    ]
    if not ids:
        return []
    runs: list[Any] = []
    token = None
    try:
        while True:
            page = store.client.search_runs(
                ids, filter_string, max_results=_PAGE, order_by=["start_time DESC"], page_token=token
            )
            runs += page
            token = page.token
            if not token:
                return runs
    except MlflowException as error:
        raise InputError(f"runs: the filter {filter_string!r} is refused ({str(error).splitlines()[0]})") from error


def _bundle_in(folder: Path) -> Path | None:
    for path in (folder, folder / "artifacts" / ARTIFACT, folder / ARTIFACT):
        if (path / MANIFEST).is_file():
            return path
    return None
