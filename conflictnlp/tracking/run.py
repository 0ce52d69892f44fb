"""One tracked run: everything is written to its folder first, then sent to the store.

The folder is the truth. A server that is lost costs nothing: `upload` sends the folder later.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from conflictnlp.errors import InputError, PrunedError, TrackingError
from conflictnlp.files import write_json, write_text
from conflictnlp.tracking.experiment import experiment_tags
from conflictnlp.tracking.folder import HISTORY, LOCK, RECORD, identity_in, identity_of, last_entry, read_history
from conflictnlp.tracking.store import Store, once_more

log = logging.getLogger(__name__)
FOLDS, SHARES = "folds", "shares"
_SKIPPED_ARTIFACTS = frozenset({"bundle", "encoder", "checkpoints", FOLDS, SHARES, HISTORY, RECORD})
TAG_NOTE = "mlflow.note.content"
TAG_FOLDER, TAG_PRUNED, TAG_PARENT = "run_folder", "pruned", "mlflow.parentRunId"


class TrackedRun:
    """A run that is being made, as a context: it ends FINISHED, FAILED or KILLED.

    Args:
        store: where it is tracked.
        folder: the run's folder.
        record: experiment, name, note, tags, params and datasets, `about` (the experiment's description; default
            none) and `log_model` (default True); kept in the folder for a later upload.
        run_id: an unfinished run to go on with.

    Raises:
        InputError: another process is at work in the folder, or it holds a run of another config or data.
    """

    def __init__(self, store: Store, folder: Path, record: dict[str, Any], run_id: str | None = None) -> None:
        self.folder = folder
        self.lost: str | None = None
        self._store = store
        self._lock = FileLock(folder / LOCK)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                f"{folder}: another process is training there; let it end, or start without resume"
            ) from error
        try:
            if run_id is None:
                self._take_folder(record)
            self.run_id = run_id or self._create(record)
        except BaseException:
            self._lock.release()
            raise
        if run_id is not None:
            self._send(lambda: self._reopen(run_id))
        self._record = {**record, "run_id": self.run_id, "tracking_uri": store.uri, "status": "RUNNING"}
        write_json(folder / RECORD, self._record)
        if run_id is None:
            self._send(lambda: _log_facts(store, self.run_id, record))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # A lost store is told after the run was closed: FINISHED is what its folder says.
            if isinstance(error, PrunedError):
                self.end("KILLED", {TAG_PRUNED: str(error)})
            elif error is not None and not isinstance(error, TrackingError):
                status = "KILLED" if isinstance(error, KeyboardInterrupt | SystemExit) else "FAILED"
                self._fail(status, error, "".join(traceback.format_exception(kind, error, trace)))
        finally:
            self._lock.release()

    def _fail(self, status: str, error: BaseException, trace: str) -> None:
        try:
            write_text(self.folder / "traceback.txt", trace)
            self.end(status, {"error": f"{type(error).__name__}: {error}"[:4000]})
        except OSError as second:
            # The full disk that ended the run has no room for its last words either.
            log.warning("tracking: %s holds no record of the failure (%s)", self.folder, second)
            self._send(lambda: self._store.client.set_terminated(self.run_id, status))

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Append metrics to the folder's history and send them.

        Args:
            metrics: numbers by name.
            step: optimiser step.
        """
        entry = {"step": step, "time": int(time.time() * 1000), "metrics": dict(metrics)}
        with (self.folder / HISTORY).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")
        self._send(lambda: _log_history(self._store, self.run_id, [entry]))

    def note(self, text: str) -> None:
        """Replace the run's description in the store.

        Args:
            text: Markdown.
        """
        self._record["note"] = text
        self._send(lambda: self._store.client.set_tag(self.run_id, TAG_NOTE, text))

    def end(self, status: str, tags: Mapping[str, str] | None = None) -> None:
        """Send the folder's files and close the run.

        Args:
            status: FINISHED, FAILED or KILLED.
            tags: added to the run.

        Raises:
            TrackingError: the run was FINISHED but the store was lost on the way; says how to upload.
        """
        self._record |= {"status": status, "end_tags": dict(tags or {})}
        write_json(self.folder / RECORD, self._record)
        self._send(lambda: _close(self._store, self.run_id, self.folder, self._record))
        if self.lost and status == "FINISHED":
            raise TrackingError(
                f"the tracking store was lost ({self.lost}); model and metrics lie in {self.folder}; "
                f"once it is back, send them with: conflictnlp upload {self.folder}"
            )

    def _take_folder(self, record: Mapping[str, Any]) -> None:
        """Refuse to write over what another run left: its id would load this one's model."""
        if identity_in(self.folder) not in (None, identity_of(record)):
            raise InputError(
                f"{self.folder}: holds a run of another config or data; name another folder (hydra.run.dir, with -m "
                "hydra.sweep.dir), or remove this one"
            )
        # Of an equal run that lies there; an upload would send both.
        (self.folder / HISTORY).unlink(missing_ok=True)

    def _create(self, record: Mapping[str, Any]) -> str:
        import getpass

        from mlflow.exceptions import MlflowException
        from mlflow.utils.mlflow_tags import MLFLOW_SOURCE_NAME, MLFLOW_USER

        tags = {
            **record["tags"],
            TAG_FOLDER: str(self.folder),
            TAG_NOTE: record["note"],
            MLFLOW_SOURCE_NAME: " ".join(record["tags"]["command"].split()[:2]),
        }
        try:
            tags[MLFLOW_USER] = getpass.getuser()
        except (KeyError, OSError):
            log.debug("no user name on this machine")
        try:
            experiment = self._store.experiment(record["experiment"], experiment_tags(record.get("about")))
            run = self._store.client.create_run(experiment, run_name=record["name"], tags=tags)
        except (MlflowException, OSError) as error:
            raise InputError(f"tracking store {self._store.uri}: it takes no run ({_first_line(error)})") from error
        return str(run.info.run_id)

    def _reopen(self, run_id: str) -> None:
        """Take back what the run's failure left."""
        (self.folder / "traceback.txt").unlink(missing_ok=True)
        self._store.client.update_run(run_id, status="RUNNING")
        if "error" in self._store.client.get_run(run_id).data.tags:
            self._store.client.delete_tag(run_id, "error")

    def _send(self, action: Any) -> None:
        """Try to send; after a first failure the folder alone goes on."""
        if self.lost:
            return
        from mlflow.exceptions import MlflowException

        try:
            action()
        except (MlflowException, OSError) as error:
            self.lost = _first_line(error)
            log.warning("tracking: the store is lost (%s); the run goes on in %s", self.lost, self.folder)


def upload(folder: Path, store: Store) -> str:
    """Send a run's folder to the store: the same run where it still exists, else a new one.

    Args:
        folder: a run's folder, as `train` left it.
        store: where it shall go.

    Returns:
        the run's id.

    Raises:
        InputError: the folder holds no run.
    """
    from mlflow.exceptions import MlflowException

    path = folder / RECORD
    if not path.is_file():
        raise InputError(f"{folder}: holds no run (no {RECORD})")
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["status"] == "RUNNING":
        raise InputError(f"{folder}: its run has not ended; end it first, for instance with resume=true")
    run_id = record["run_id"]
    try:
        if store.client.get_run(run_id).info.status == "FINISHED":
            return run_id  # All of it is there: a run is closed last.
    except MlflowException:
        experiment = store.experiment(record["experiment"], experiment_tags(record.get("about")))
        tags = {**record["tags"], TAG_FOLDER: str(folder.resolve())}
        run_id = str(store.client.create_run(experiment, run_name=record["name"], tags=tags).info.run_id)
        # An upload that is cut short shall go on with this run.
        write_json(path, {**record, "run_id": run_id, "tracking_uri": store.uri})
    try:
        _log_facts(store, run_id, record)
        _log_history(store, run_id, read_history(folder))
        _close(store, run_id, folder, record)
    except (MlflowException, OSError) as error:
        raise TrackingError(
            f"the tracking store {store.uri} was lost ({_first_line(error)}); everything still lies in {folder}: "
            f"conflictnlp upload {folder}"
        ) from error
    return run_id


def _first_line(error: Exception) -> str:
    # Of an HTTP error, what failed; the rest is the client's own nesting.
    return (str(error).strip() or type(error).__name__).splitlines()[0].partition(" with exception")[0][:300]


def _log_facts(store: Store, run_id: str, record: Mapping[str, Any]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag, Param

    params = [Param(key, str(value)) for key, value in record["params"].items() if value is not None]
    store.client.log_batch(run_id, params=params)
    datasets = [
        DatasetInput(
            Dataset(
                name=entry["name"],
                digest=entry["fingerprint"][:32],
                source_type="local",
                source=json.dumps({"uri": entry["source"]}),
                profile=json.dumps({"num_rows": entry["rows"], "labels": entry["labels"]}),
            ),
            tags=[InputTag("mlflow.data.context", entry["split"])],
        )
        for entry in record["datasets"]
    ]
    # Runs that start together on the same data: a server makes the row of a data set once.
    once_more(lambda: store.client.log_inputs(run_id, datasets=datasets))


def _log_history(store: Store, run_id: str, entries: Sequence[Mapping[str, Any]]) -> None:
    from mlflow.entities import Metric

    metrics = [
        Metric(name, value, entry["time"], entry["step"])
        for entry in entries
        for name, value in entry["metrics"].items()
        if value == value
    ]
    for first in range(0, len(metrics), 500):
        store.client.log_batch(run_id, metrics=metrics[first : first + 500])


def _close(store: Store, run_id: str, folder: Path, record: Mapping[str, Any]) -> None:
    from conflictnlp.tracking.model import log_model

    for path in sorted(folder.iterdir()):
        if path.name in _SKIPPED_ARTIFACTS or path.name.startswith("."):
            continue
        if path.is_dir():
            store.client.log_artifacts(run_id, str(path), path.name)
        else:
            store.client.log_artifact(run_id, str(path))
    # Of many runs under one parent only the best is worth a second copy of its weights.
    if record["status"] == "FINISHED" and record.get("log_model", True) and (folder / "bundle").is_dir():
        log_model(store, run_id, folder / "bundle", last_entry(folder))
    # Once more, for an upload: the store was lost before it heard of it.
    tags = {TAG_NOTE: record["note"], **record.get("end_tags", {})}
    for key, value in tags.items():
        store.client.set_tag(run_id, key, value)
    store.client.set_terminated(run_id, record["status"])
