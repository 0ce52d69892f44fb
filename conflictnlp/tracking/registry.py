"""The model registry: versions of a task's model, and the alias that names the one in use."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from conflictnlp.bundle import Manifest, read_manifest
from conflictnlp.composition import shipped
from conflictnlp.errors import InputError, TrackingError
from conflictnlp.tracking.folder import last_entry
from conflictnlp.tracking.model import EXPORTED, NAME, log_model
from conflictnlp.tracking.references import bundle_of_run, find_bundle
from conflictnlp.tracking.store import Store

SCORE = "test/macro_f1"
_ALIAS = re.compile(r"[A-Za-z0-9_-]{1,255}")
# MLflow reads these as version numbers.
_RESERVED = re.compile(r"latest|v\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Standing:
    """What a registered version is judged by.

    Attributes:
        run_id: the run that made it.
        score: test macro-F1, or None if it has none.
        test: fingerprint of the test data, or None if it is not known.
        version: its number, or None before it is registered.
    """

    run_id: str
    score: float | None
    test: str | None
    version: int | None = None


@dataclass(frozen=True)
class Promotion:
    """An alias that was set.

    Attributes:
        name: the registered model.
        version: its version that bears the alias now.
        alias: the alias.
        score: that version's test macro-F1.
        run_id: the run that made it.
        previous: version, run_id and score of what bore the alias before, or None.
    """

    name: str
    version: int
    alias: str
    score: float | None
    run_id: str
    previous: dict[str, Any] | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def register(
    store: Store,
    run: Any,
    name: str | None = None,
    alias: str = "champion",
    force: bool = False,
    bundle: Path | None = None,
) -> Promotion:
    """Register a run's model, once, and let an alias name it.

    Args:
        store: where run and registry are.
        run: MLflow's run, finished, with a logged bundle.
        name: the registered model; None for the run's task.
        alias: the alias.
        force: set the alias even if the run scores below its bearer, or cannot be compared with it.
        bundle: what was exported from the run's model, to be registered in its place; it is judged by the run's score.

    Returns:
        what the alias names now, and what it named before.

    Raises:
        InputError: the run has no model to register, the name is another task's, or the bearer is not beaten.
        TrackingError: the registry failed on the way.
    """
    from mlflow.exceptions import MlflowException

    _check_alias(alias)
    _check_finished(run)
    model_id = _logged_model(store, run) if bundle is None else _exported_model(store, run, bundle)
    manifest = read_manifest(find_bundle(f"models:/{model_id}"))
    name = name or manifest.task.name
    candidate = _standing_of_run(run)
    with store.lock():
        registered = _registered(store, name)
        _check_owner(store, name, registered, manifest.task.name)
        bearer = _bearer(store, registered, alias)
        if bearer and bearer.run_id != candidate.run_id and not force:
            _check_better(candidate, bearer, f"version {bearer.version} of {name}, which is @{alias}")
        elif candidate.score is None and not force:
            raise InputError(f"run {candidate.run_id}: has no {SCORE}; --force registers it nevertheless")
        try:
            version = _version(store, name, registered, model_id, manifest, candidate)
            store.client.set_registered_model_alias(name, alias, str(version))
        except (MlflowException, OSError) as error:
            raise TrackingError(f"registry {store.uri}: {name}@{alias} was not set ({_first_line(error)})") from error
    before = {"version": bearer.version, "run_id": bearer.run_id, "score": bearer.score} if bearer else None
    return Promotion(name, version, alias, candidate.score, candidate.run_id, before)


def _check_alias(alias: str) -> None:
    if not _ALIAS.fullmatch(alias) or _RESERVED.fullmatch(alias):
        raise InputError(
            f"alias {alias!r}: must be of letters, digits, - and _, and neither 'latest' nor a version such as 'v1'"
        )


def run_of_bundle(store: Store, bundle: Path) -> Any:
    """Return the run that trained a bundle, or what a bundle was exported from.

    Args:
        store: where the run is.
        bundle: the folder.

    Returns:
        MLflow's run.

    Raises:
        InputError: the store does not have it.
    """
    run_id = read_manifest(bundle).training.get("run_id")
    run = _run(store, run_id)
    if run is None:
        raise InputError(
            f"bundle {bundle}: the run that trained it ({run_id or 'unknown'}) is not in {store.uri}, and a model is "
            "judged by its run; send the run's folder there first (conflictnlp upload FOLDER)"
        )
    return run


def _check_finished(run: Any) -> None:
    run_id = run.info.run_id
    if run.info.lifecycle_stage != "active":
        raise InputError(f"run {run_id}: is deleted; restore it first (mlflow runs restore --run-id {run_id})")
    if run.info.status != "FINISHED":
        raise InputError(f"run {run_id}: is {run.info.status}, not FINISHED; only a finished run's model is registered")


def _exported_model(store: Store, run: Any, bundle: Path) -> str:
    """Return the id of an exported bundle as a model of the run; it is logged once."""
    fingerprint = read_manifest(bundle).fingerprint
    for output in run.outputs.model_outputs if run.outputs else []:
        reference = f"models:/{output.model_id}"
        if store.client.get_logged_model(output.model_id).name not in (NAME, EXPORTED):
            continue
        if read_manifest(find_bundle(reference)).fingerprint == fingerprint:
            return str(output.model_id)
    return log_model(store, run.info.run_id, bundle, name=EXPORTED)


def _logged_model(store: Store, run: Any) -> str:
    """Return the id of the run's newest model."""
    run_id = run.info.run_id
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs and (bundle := bundle_of_run(run)):
        # Of runs under one parent only the best was logged.
        return log_model(store, run_id, bundle, last_entry(bundle.parent))
    models = [store.client.get_logged_model(output.model_id) for output in outputs]
    models = [model for model in models if model.name == NAME]
    if not models:
        raise InputError(f"run {run_id}: has no logged model; name the run of a `conflictnlp train`")
    # An upload that was cut short may have left an older one.
    return str(max(models, key=lambda model: model.creation_timestamp).model_id)


def _registered(store: Store, name: str) -> Any:
    """Return the registered model of a name, or None."""
    from mlflow.exceptions import MlflowException

    if "'" in name:
        raise InputError(f"name {name!r}: cannot be registered (a quote mark ends MLflow's own searches)")
    try:
        return store.client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise InputError(f"name {name!r}: cannot be registered ({_first_line(error)})") from error


def _check_owner(store: Store, name: str, registered: Any, task: str) -> None:
    """Refuse a name under which users look for another task's model."""
    owner = name if name in shipped("task") else None
    if owner is None and registered is not None:
        owner = registered.tags.get("task") or _task_of_versions(store, name)
    if owner is not None and owner != task:
        raise InputError(
            f"name {name!r}: belongs to task {owner}, but the run's model is of task {task}; "
            f"leave --name out to register it as {task!r}"
        )


def _task_of_versions(store: Store, name: str) -> str | None:
    """Return the task of a model that was registered by hand, as its runs tell it."""
    for version in store.client.search_model_versions(f"name = '{name}'"):
        run = _run(store, version.run_id)
        if run is not None and "task" in run.data.tags:
            return str(run.data.tags["task"])
    return None


def _run(store: Store, run_id: str | None) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return store.client.get_run(run_id) if run_id else None
    except MlflowException:
        return None


def _standing_of_run(run: Any) -> Standing:
    tests = [
        given.dataset.digest
        for given in run.inputs.dataset_inputs
        if any((tag.key, tag.value) == ("mlflow.data.context", "test") for tag in given.tags)
    ]
    return Standing(run.info.run_id, run.data.metrics.get(SCORE), tests[0] if tests else None)


def _bearer(store: Store, registered: Any, alias: str) -> Standing | None:
    """Judge the alias's present version by its run; by its own tags where that is gone."""
    if registered is None or alias not in registered.aliases:
        return None
    version: Any = store.client.get_model_version_by_alias(registered.name, alias)
    number = int(version.version)
    run_id = version.run_id or version.tags.get("run_id", "")
    run = _run(store, run_id)
    if run is not None:
        return replace(_standing_of_run(run), version=number)
    score = version.tags.get("score")
    return Standing(run_id, float(score) if score else None, version.tags.get("test_fingerprint"), number)


def _check_better(candidate: Standing, bearer: Standing, place: str) -> None:
    run = f"run {candidate.run_id}"
    nevertheless = "--force sets the alias nevertheless"
    if candidate.test is None or candidate.test != bearer.test:
        raise InputError(
            f"{run}: was tested on other data (fingerprint {_short(candidate.test)}) than {place} "
            f"({_short(bearer.test)}), so their scores cannot be compared; train on the same data, or {nevertheless}"
        )
    if candidate.score is None or bearer.score is None:
        without = run if candidate.score is None else place
        raise InputError(f"{run}: cannot be compared, since {without} has no {SCORE}; {nevertheless}")
    if not candidate.score >= bearer.score:
        raise InputError(
            f"{run}: its {SCORE} {candidate.score:.4f} is below the {bearer.score:.4f} of {place} on the same test "
            f"data; {nevertheless}"
        )


def _version(store: Store, name: str, registered: Any, model_id: str, manifest: Manifest, candidate: Standing) -> int:
    """Return the version of a logged model; it is made if there is none."""
    from mlflow.exceptions import MlflowException

    task = manifest.task
    source = f"models:/{model_id}"
    tags = {"task": task.name, "run_id": candidate.run_id, "bundle_fingerprint": manifest.fingerprint}
    if candidate.score is not None:
        tags["score"] = repr(candidate.score)
    if candidate.test is not None:
        tags["test_fingerprint"] = candidate.test
    if registered is None:
        try:
            store.client.create_registered_model(name, tags={"task": task.name}, description=task.description)
        except MlflowException as error:
            # Another machine may have made it on this server in between.
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    found = store.client.search_model_versions(f"name = '{name}' and run_id = '{candidate.run_id}'")
    known = [version for version in found if model_id in (version.model_id, str(version.source).rpartition("/")[2])]
    if not known:
        made = store.client.create_model_version(name, source, candidate.run_id, tags=tags, model_id=model_id)
        return int(made.version)
    number = min(int(version.version) for version in known)
    for key, value in tags.items():
        store.client.set_model_version_tag(name, str(number), key, value)
    return number


def _short(fingerprint: str | None) -> str:
    return fingerprint[:8] if fingerprint else "unknown"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
