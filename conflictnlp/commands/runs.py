"""`conflictnlp runs`, `rerun`, `upload` and `ui`: what was run, again, and where to look at it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from conflictnlp.commands.application import terminated
from conflictnlp.commands.cross_validation import CrossValidationResult
from conflictnlp.commands.train import TrainResult, run_training
from conflictnlp.errors import InputError
from conflictnlp.tracking.artifacts import fingerprints, stored_config
from conflictnlp.tracking.references import all_runs, find_run
from conflictnlp.tracking.store import Store, tracking_uri

log = logging.getLogger(__name__)


def list_runs(task: str | None = None, query: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """List runs of the configured store, newest first.

    Args:
        task: only this task's experiment.
        query: MLflow's search filter, for instance `metrics."test/macro_f1" > 0.7`.
        limit: at most so many.

    Returns:
        a record a run: run_id, name, task, status, started, macro_f1, ece; of a cross-validation those of its pooled
        predictions.

    Raises:
        InputError: the store cannot be opened, or the filter is malformed.
    """
    store = Store(create=False)
    return [
        {
            "run_id": run.info.run_id,
            "name": run.info.run_name,
            "task": run.data.tags.get("task", ""),
            "status": run.info.status,
            "started": datetime.fromtimestamp(run.info.start_time / 1000).strftime("%Y-%m-%d %H:%M"),
            **{name: _score(run, name) for name in ("macro_f1", "ece")},
        }
        for run in all_runs(store, query, [task] if task else None)[:limit]
    ]


def _score(run: Any, name: str) -> float | None:
    metrics = run.data.metrics
    return metrics.get(f"test/{name}", metrics.get(f"cv/{name}"))


def runs_table(records: Sequence[dict[str, Any]]) -> str:
    """Return a listing as aligned lines."""
    head = ["run_id", "name", "task", "status", "started", "macro_f1", "ece"]
    cells = [head] + [
        [f"{record[key]:.3f}" if isinstance(record[key], float) else str(record[key] or "") for key in head]
        for record in records
    ]
    widths = [max(len(row[number]) for row in cells) for number in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells)


def rerun(ref: str) -> TrainResult | CrossValidationResult:
    """Repeat a run from the config it stored.

    Args:
        ref: the run.

    Returns:
        the new run's id, bundle and metrics.

    Raises:
        InputError: the run is not found, stored no config, or the data set is no longer what it was.
    """
    store = Store(create=False)
    run = find_run(ref, store)
    if run.data.tags.get("kind") == "pretrain":
        raise InputError(f"rerun {ref}: is no training but a pre-training; start it again: {run.data.tags['command']}")
    config = replace(stored_config(run, store), resume=False, resume_run=None)
    config.tracking.uri = None
    origin = {"command": f"conflictnlp rerun {run.info.run_id}", "rerun_of": run.info.run_id}
    config.tracking.tags = {**config.tracking.tags, **origin}
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
    folder = Path("outputs").absolute() / config.task.name / f"rerun-{run.info.run_id[:8]}" / f"{stamp}-{os.getpid()}"
    result = run_training(config, folder, [])
    new = store.client.get_run(result.run_id)
    if fingerprints(new) != fingerprints(run):
        log.warning("rerun: the data is not what it was in run %s; its scores may differ for that", run.info.run_id)
    else:
        name = next(name for name in ("test/macro_f1", "cv/macro_f1", "val/macro_f1") if name in result.metrics)
        log.info("rerun: %s %s, before %s", name, result.metrics[name], run.data.metrics.get(name))
    return result


def upload(folder: str) -> str:
    """Send a run's folder to the configured store.

    Args:
        folder: as a training left it whose store was lost.

    Returns:
        the run's id there.

    Raises:
        InputError: the folder holds no run, or the store is not reached.
    """
    from conflictnlp.tracking.run import upload as send

    return send(Path(folder), Store())


def ui(port: int = 5000) -> int:
    """Serve the MLflow UI of the configured store on 127.0.0.1 until it is interrupted.

    Args:
        port: where it listens.

    Returns:
        the server's exit status.

    Raises:
        InputError: the store is a server, which has a UI of its own.
    """
    uri = tracking_uri()
    if uri.startswith(("http://", "https://")):
        raise InputError(f"ui: the store is a server; open {uri} in a browser")
    store = Store(create=False)
    folder = Path(uri.removeprefix("sqlite:///").partition("?")[0]).absolute().parent
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise InputError(f"ui: port {port} cannot be used ({error}); choose another with --port") from error
    print(f"MLflow UI on http://127.0.0.1:{port} (Ctrl-C ends it)", file=sys.stderr)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store.uri, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--default-artifact-root", (folder / "mlartifacts").as_uri(), "--workers", "1"]
    settings = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    signal.signal(signal.SIGTERM, terminated)
    # A session of its own, so that the server and its workers end together, however this process is told to end.
    with subprocess.Popen(command, env=settings, start_new_session=True) as server:
        try:
            return server.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
